import { type DbMillis, dbMillis, type Micros } from '../core/ids.js';
import type { Clock } from '../ports/clock.js';

/**
 * The latest time that this process was told, by the database (and what has elapsed since) or by the ledger. A database
 * that was restored may have fallen behind it; what was sent before the fall has not.
 */
export interface KnownTimes {
  database(now: DbMillis, at: number): void;
  record(time: Micros): void;
  latest(): DbMillis;
}

export function createKnownTimes(clock: Clock): KnownTimes {
  /** The database's time at elapsed 0. */
  let origin = Number.NEGATIVE_INFINITY;
  let recorded = 0;
  return {
    database(now, at) {
      origin = Math.max(origin, now - at);
    },
    record(time) {
      recorded = Math.max(recorded, Math.ceil(Number(time) / 1000));
    },
    latest: () => dbMillis(Math.ceil(Math.max(recorded, origin + clock.elapsed()))),
  };
}
