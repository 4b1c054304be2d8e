// Everybody stops claiming, until a person has acted: something that every bound rests on turned out to be wrong.
import { audit } from './operator/audit.js';
import { underPinLock } from './pins.js';
import type { Database } from './pool.js';

/** Every claim, look and write-ahead reads `halted` in its own statement; the generation tells those that only compare. */
const HALT = `update mempool_submitter_v1
    set halted = $1, halted_above_ms = tolerance_ms + $2::int, generation = generation + 1, pinned_at = now()
    where halted is null`;

/** A second one, later still: what ends the halt has to be above that too. */
const LATER_STILL = `update mempool_submitter_v1
    set halted_above_ms = greatest(halted_above_ms, tolerance_ms + $1::int) where halted is not null`;

/** Under whatever was pinned since: a bound that was none is none for everybody. */
export async function halt(database: Database, reason: string, lateMs: number): Promise<boolean> {
  return await underPinLock(database, async (client) => {
    const halted = await client.query(HALT, [reason, lateMs]);
    if (halted.rowCount === 0) {
      await client.query(LATER_STILL, [lateMs]);
      return false;
    }
    await audit(client, 'halt', { reason });
    return true;
  });
}
