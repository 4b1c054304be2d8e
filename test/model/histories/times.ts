// The times of the simulated world, in ms: production's defaults. One world clock, from which the database's and the
// ledger's may each be apart by half of what may lie between them.
import { type Micros, microsOf } from '../../../src/core/ids.js';

export const WINDOW_MS = 30_000;
/** The largest window that may be configured: what an unknown record has to allow for. */
export const WINDOW_MAX_MS = 60_000;
export const TOLERANCE_MS = 60_000;
export const SKEW_MAX_MS = 60_000;
export const PROBE_MS = 5_000;

export const TOLERANCE: Micros = microsOf(TOLERANCE_MS);
export const SYNCHRONIZER = 'synchronizer::1';
export const PARTICIPANT = 'participant::ours';
