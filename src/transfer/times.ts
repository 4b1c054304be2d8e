// The times in a transfer's argument, all of the database's clock: a wrong clock of this machine is in none of them.
import { type DbMillis, type Micros, microsOf } from '../core/ids.js';

/** The ledger wants `requestedAt` in its past: this much the database's clock may be ahead of the ledger's. */
const REQUESTED_BEFORE_MS = 5_000;

/** `now`: what came with the claim, and what has elapsed since it was asked for. */
export const requestedAt = (createdAt: DbMillis, now: DbMillis): Micros =>
  microsOf(Math.floor(Math.min(createdAt, now - REQUESTED_BEFORE_MS)));

/**
 * The ledger refuses the transfer from this ledger time on. Record time may be `tolerance` later than that, and so
 * nothing is recorded past the written bound. From the *written* one, never from a later now.
 */
export const executeBefore = (sentUntil: DbMillis, toleranceMs: number): Micros =>
  microsOf(Math.floor(sentUntil - toleranceMs));
