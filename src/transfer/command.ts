// What a transfer asks for. Its times come from the database's clock, so a wrong clock on this machine does not matter;
// `executeBefore` is a bound, so protocol/bound.ts computes it.
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

/** The ledger wants `requestedAt` in its past; the database's clock may be this far ahead of the ledger's. */
const REQUESTED_BEFORE_MS = 5_000;

/** `now`: the time that came with the claim, plus what has elapsed since it was asked for. */
export const requestedAt = (createdAt: DbMillis, now: DbMillis): Micros =>
  microsOf(Math.floor(Math.min(createdAt, now - REQUESTED_BEFORE_MS)));
