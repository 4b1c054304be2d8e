import { type DbMillis, dbMillis, type Party } from '../core/ids.js';
import type { HostedTransfer } from '../core/ports.js';
import type { MempoolRow, SubmissionRecord } from '../core/row.js';
import type { CheckedRow } from './check.js';
import { executeBefore, requestedAt } from './times.js';

/** A two-step transfer has no bound (its record says `'infinity'`): its offer stays open this long. */
const OFFER_OPEN_MS = 24 * 60 * 60 * 1000;

export interface TransferParts {
  readonly row: Pick<MempoolRow, 'txHash' | 'createdAt'>;
  readonly checked: CheckedRow;
  readonly receiver: Party;
  readonly factoryId: string;
  /** Contract ids of the holdings to spend. */
  readonly inputs: readonly string[];
  /** The record as it was written ahead: what is sent has its party, its id and its bound. */
  readonly record: SubmissionRecord;
  /** The database's. */
  readonly now: DbMillis;
  readonly toleranceMs: number;
}

export function hostedTransfer(parts: TransferParts): HostedTransfer {
  const { row, checked, record, now, toleranceMs } = parts;
  const { submissionId } = record;
  if (submissionId === null) throw new Error('a record without a submission id is not ours to send');
  return {
    commandId: row.txHash,
    submissionId,
    factoryId: parts.factoryId,
    sender: record.party,
    receiver: parts.receiver,
    admin: checked.token.instrumentAdmin,
    instrumentId: checked.token.instrumentId,
    amount: checked.amount,
    holdings: parts.inputs,
    requestedAt: requestedAt(row.createdAt, now),
    executeBefore: executeBefore(
      record.sentUntil ?? dbMillis(now + OFFER_OPEN_MS + toleranceMs),
      toleranceMs,
    ),
  };
}
