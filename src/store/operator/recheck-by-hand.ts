// `replay --recheck`: what an instance does by itself on a new timeline, done by a person after a restore that changes no
// timeline, such as that of a disk or a VM snapshot.
import { dbMillis } from '../../core/ids.js';
import { liveClaims } from '../migrate/at-work.js';
import { underPinLock } from '../pin-lock.js';
import { BY_ITSELF, type Decided } from '../pins.js';
import type { Database } from '../pool.js';
import { recheckAll } from '../recheck.js';
import { ring } from '../store.js';

export type RecheckedByHand =
  | { readonly kind: 'rechecked'; readonly rows: number }
  /** Rows are held: their holders may be sending, on a database that has to be doubted first. */
  | { readonly kind: 'held'; readonly rows: number; readonly holders: readonly string[] };

export async function recheckByHand(
  database: Database,
  oneStepTokens: readonly string[],
  decided: Decided = BY_ITSELF,
): Promise<RecheckedByHand> {
  const result = await underPinLock(database, async (client): Promise<RecheckedByHand> => {
    const claims = await liveClaims(client);
    if (claims !== null) return { kind: 'held', ...claims };
    // A command knows no later time than the database's own.
    const request = { notBefore: dbMillis(0), oneStepTokens };
    return { kind: 'rechecked', ...(await recheckAll(client, request, decided)) };
  });
  if (result.kind === 'rechecked') await ring(database, 'bell');
  return result;
}
