// Everybody stops claiming, until a person has acted: something that every bound rests on turned out to be wrong.
import { audit } from './audit.js';
import { underPinLock } from './pins.js';
import type { Database } from './pool.js';

/** Every claim, look and write-ahead reads `halted` in its own statement; the generation tells those that only compare. */
const HALT = `update mempool_submitter_v1
    set halted = $1, generation = generation + 1, pinned_at = now()
    where halted is null`;

/** Under whatever was pinned since: a bound that was none is none for everybody. */
export async function halt(database: Database, reason: string): Promise<boolean> {
  return await underPinLock(database, async (client) => {
    const halted = await client.query(HALT, [reason]);
    if (halted.rowCount === 0) return false;
    await audit(client, 'halt', { reason });
    return true;
  });
}
