import type { DbMillis, Micros, Party } from '../core/ids.js';
import type { TransferTerms } from '../core/transfer.js';
import type { MempoolRow } from '../protocol/record.js';
import type { CheckedRow } from './check.js';
import { requestedAt } from './times.js';

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
