// The pinned row: what all instances agree on. Pins change under a lock on mempool that no claim and no write-ahead
// can overlap, and raise the generation; marks move by a statement of their own.

import type pg from 'pg';
import { party } from '../core/ids.js';
import type { Pinned } from '../core/ports.js';
import { sqlState } from './errors.js';
import { type Database, wasLocked } from './pool.js';
import { PIN_PARTICIPANT, PINNED, type PinnedTuple } from './statements.js';

export { PROTOCOL } from '../core/protocol.js';

export function pinnedOf(tuple: PinnedTuple): Pinned {
  const { participant_id: id, user_id: userId, synchronizer_id: synchronizerId } = tuple;
  return {
    generation: BigInt(tuple.generation),
    protocol: tuple.protocol,
    lanes: tuple.lanes,
    toleranceMs: tuple.tolerance_ms,
    clockSkewMaxMs: tuple.clock_skew_max_ms,
    participant:
      id === null || userId === null || synchronizerId === null ? null : { id, userId, synchronizerId },
    sentOn: tuple.sent_on,
    ledgerEnd: tuple.ledger_end === null ? null : BigInt(tuple.ledger_end),
    mark:
      tuple.mark_offset === null || tuple.mark_update_id === null || tuple.mark_party === null
        ? null
        : {
            offset: BigInt(tuple.mark_offset),
            updateId: tuple.mark_update_id,
            party: party(tuple.mark_party),
          },
  };
}

/** Null where `migrate` has not been: no row, or no table at all. */
export async function readPinned(database: Database): Promise<Pinned | null> {
  try {
    const [tuple] = await database.run(PINNED, []);
    return tuple === undefined ? null : pinnedOf(tuple);
  } catch (error) {
    if (sqlState(error) === UNDEFINED_TABLE) return null;
    throw error;
  }
}

const UNDEFINED_TABLE = '42P01';

export async function pinParticipant(
  database: Database,
  generation: bigint,
  participant: NonNullable<Pinned['participant']>,
): Promise<Pinned | null> {
  return await underPinLock(database, async (client) => {
    const { rows } = await client.query<PinnedTuple>(PIN_PARTICIPANT.text, [
      generation.toString(),
      participant.id,
      participant.userId,
      participant.synchronizerId,
    ]);
    return rows[0] === undefined ? null : pinnedOf(rows[0]);
  });
}

const LOCK_TRIES = 5;

/**
 * A transaction that no claim and no write-ahead overlaps: what they checked is what holds when they commit. Waits two
 * seconds at a time, so that inserts do not queue behind it while somebody else keeps the table.
 */
export async function underPinLock<T>(
  database: Database,
  work: (client: pg.PoolClient) => Promise<T>,
  mode: 'share row exclusive' | 'access exclusive' = 'share row exclusive',
): Promise<T> {
  for (let left = LOCK_TRIES; ; left--) {
    try {
      return await database.transaction(async (client) => {
        await client.query("set local lock_timeout = '2s'");
        await client.query(`lock table mempool in ${mode} mode`);
        return await work(client);
      });
    } catch (error) {
      if (left <= 1 || !wasLocked(error)) throw error;
    }
  }
}
