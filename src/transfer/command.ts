import { type DbMillis, dbMillis, type Micros, type Party } from '../core/ids.js';
import type { TransferTerms } from '../core/transfer.js';
import type { MempoolRow } from '../protocol/record.js';
import type { CheckedRow } from './check.js';
import { executeBefore, requestedAt } from './times.js';

export interface TermsParts {
  readonly row: Pick<MempoolRow, 'createdAt'>;
  readonly checked: CheckedRow;
  readonly sender: Party;
  readonly receiver: Party;
  /** Contract ids of the holdings to spend. */
  readonly inputs: readonly string[];
  /** The database's time. */
  readonly now: DbMillis;
  readonly executeBefore: Micros;
}

export const transferTerms = (parts: TermsParts): TransferTerms => ({
  sender: parts.sender,
  receiver: parts.receiver,
  admin: parts.checked.token.instrumentAdmin,
  instrumentId: parts.checked.token.instrumentId,
  amount: parts.checked.amount,
  holdings: parts.inputs,
  requestedAt: requestedAt(parts.row.createdAt, parts.now),
  executeBefore: parts.executeBefore,
});

/**
 * For a hosted sender, whose transfer has no other bound (rule 2): derived from the written bound, never computed
 * anew. If that is `'infinity'` (a two-step transfer), the offer stays open for `OFFER_LIFETIME_MS`.
 */
export const hostedExecuteBefore = (
  sentUntil: DbMillis | null,
  now: DbMillis,
  { toleranceMs, offerLifetimeMs }: { readonly toleranceMs: number; readonly offerLifetimeMs: number },
): Micros => executeBefore(sentUntil ?? dbMillis(now + offerLifetimeMs + toleranceMs), toleranceMs);

/** For an external sender: `max_record_time` is the bound, so this one must only not come first. */
export const externalExecuteBefore = (now: DbMillis, offerLifetimeMs: number): Micros =>
  executeBefore(dbMillis(now + offerLifetimeMs), 0);
