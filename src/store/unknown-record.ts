// The record of a submission that we did not make, or no longer remember: no submission id, no hash. Only an acceptance
// or its bound decides it, so the bound must lie past everything that may have been sent.
import { WINDOW_MAX_MS } from '../protocol/bound.js';

/** As SQL: $n ms since the epoch, the latest time known to the caller; `p` is the pinned row. In whole milliseconds. */
export const unknownBound = (notBefore: string): string =>
  `date_trunc('milliseconds', greatest(now(), to_timestamp(${notBefore}::float8 / 1000)))
    + (${WINDOW_MAX_MS} + p.tolerance_ms + p.clock_skew_max_ms) * interval '1 ms'`;
