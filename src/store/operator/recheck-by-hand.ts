// `replay --recheck`: what a new timeline does by itself, for what shows none: a restored disk or VM snapshot.
import { dbMillis } from '../../core/ids.js';
import { underPinLock } from '../pins.js';
import type { Database } from '../pool.js';
import { recheckAll } from '../recheck.js';
import { ring } from '../ring.js';

export type RecheckedByHand =
  | { readonly kind: 'rechecked'; readonly rows: number }
  /** So many rows are held: whoever holds them may be sending, on a database that is to be doubted first. */
  | { readonly kind: 'held'; readonly rows: number; readonly holders: readonly string[] };

/** The index of claims. */
const HELD = `select m.claimed_by as holder, count(*)::int as rows from mempool m
   where m.status = 'pending' and m.claim_token is not null and m.lease_expires_at > now()
   group by 1 order by 1`;

export async function recheckByHand(
  database: Database,
  oneStepTokens: readonly string[],
): Promise<RecheckedByHand> {
  const result = await underPinLock(database, async (client): Promise<RecheckedByHand> => {
    const held = await client.query<{ holder: string | null; rows: number }>(HELD);
    if (held.rows.length > 0) {
      const rows = held.rows.reduce((sum, one) => sum + one.rows, 0);
      return { kind: 'held', rows, holders: held.rows.map(({ holder }) => holder ?? 'nobody') };
    }
    // A command knows no later time than the database's own.
    return { kind: 'rechecked', ...(await recheckAll(client, { notBefore: dbMillis(0), oneStepTokens })) };
  });
  if (result.kind === 'rechecked') await ring(database, 'bell');
  return result;
}
