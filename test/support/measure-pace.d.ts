/** How slow this machine is today: 1 on the machine that the spans were chosen on, never below, and at most 4. */
export function measurePace(): Promise<number>;
