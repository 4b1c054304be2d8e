import type { Clock } from '../ports/clock.js';

/** Elapsed milliseconds on the monotonic clock: a step of the machine's wall clock moves nothing (I7, P14). */
export const monotonic: Clock = { elapsed: () => performance.now() };
