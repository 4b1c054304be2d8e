// The times in a transfer's argument. All come from the database's clock, so a wrong clock on this machine does not
// matter. `executeBefore` is a bound, so protocol/bound.ts computes it.
import { type DbMillis, type Micros, microsOf } from '../core/ids.js';

/** The ledger wants `requestedAt` in its past; the database's clock may be this far ahead of the ledger's. */
const REQUESTED_BEFORE_MS = 5_000;

/** `now`: the time that came with the claim, plus what has elapsed since it was asked for. */
export const requestedAt = (createdAt: DbMillis, now: DbMillis): Micros =>
  microsOf(Math.floor(Math.min(createdAt, now - REQUESTED_BEFORE_MS)));
