/** The sources as JavaScript, compiled where they were not yet: the path of their folder. */
export function compile(): string;
