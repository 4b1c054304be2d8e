// The times in a transfer's argument are the database's: a wrong clock on this machine is in none of them. `executeBefore`
// is a bound, so protocol/bound.ts computes it.
import { type DbMillis, type Micros, microsOf } from '../core/ids.js';

/** The ledger wants `requestedAt` in its past: this much the database's clock may be ahead of the ledger's. */
const REQUESTED_BEFORE_MS = 5_000;

/** `now`: what came with the claim, and what has elapsed since it was asked for. */
export const requestedAt = (createdAt: DbMillis, now: DbMillis): Micros =>
  microsOf(Math.floor(Math.min(createdAt, now - REQUESTED_BEFORE_MS)));
