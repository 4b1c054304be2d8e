/** For what has to last so long to be what it is: an outage of ten seconds, a claim that is slower than its lease. */
export const lasting = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Waits end with the event that they are for. This only turns a wait for ever into a message, before ava gives up. Who
 * knows that tests will fail, as `test:mutations` does, has less patience.
 */
export const HANG_MS = Number(process.env.TEST_HANG_MS ?? 300_000);
