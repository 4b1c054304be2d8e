/** For what has to last so long to be what it is: an outage of ten seconds, a claim that is slower than its lease. */
export const lasting = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
