import { type DbMillis, type Micros, microsOf, type Party } from '../core/ids.js';
import type { TransferTerms } from '../core/transfer.js';
import type { MempoolRow } from '../protocol/record.js';
import type { CheckedRow } from './check.js';

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

/** The ledger wants `requestedAt` in its past; the database's clock may be this far ahead of the ledger's. */
const REQUESTED_BEFORE_MS = 5_000;

/** `now`: the database's, which came with the claim, plus what has elapsed since: no clock of this machine matters. */
export const requestedAt = (createdAt: DbMillis, now: DbMillis): Micros =>
  microsOf(Math.floor(Math.min(createdAt, now - REQUESTED_BEFORE_MS)));

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
