import { type DbMillis, type Micros, microsOf, type Offset, type TxHash } from '../core/ids.js';
import type { CompletionEvent, Refusal, SynchronizerTime } from './outcome.js';
import type { SubmissionRecord } from './record.js';

/** What a completion stream, read event by event from the record's `sentFrom`, says of an undecided submission. */
export type Finding =
  /** An acceptance of this command id. `ours`: by our submission id or hash; else its content has to be compared. */
  | {
      readonly kind: 'accepted';
      readonly updateId: string;
      readonly offset: Offset;
      readonly ours: boolean;
      /** Whose submission it was. */
      readonly submissionId: string;
    }
  /** Never to be accepted any more: by its bound, or by the rejection of what was signed. It counts once the stream has proven its participant. */
  | { readonly kind: 'dead'; readonly refusal: Refusal | null }
  /** `DUPLICATE_COMMAND` read: an acceptance exists, at this offset where the participant says. */
  | { readonly kind: 'duplicate'; readonly completionOffset: Offset | null };

/**
 * One event, one row; null where it says nothing about it.
 *
 * A rejection of a hosted submission decides nothing: its request may arrive twice, and one copy's refusal says nothing
 * of the other. What was signed is one transaction, and it left once: a certain rejection under its submission id is
 * its end (rule 4). `DUPLICATE_CONFIRMATION_REQUEST_UUID` is none, it reads as `unknown`.
 */
export function lookAt(
  event: CompletionEvent,
  commandId: TxHash,
  record: Pick<SubmissionRecord, 'sentUntil' | 'submissionId' | 'hash'>,
  synchronizerId: string,
): Finding | null {
  if (event.kind === 'accepted' && event.commandId === commandId) {
    const { updateId, offset, submissionId } = event;
    return { kind: 'accepted', updateId, offset, submissionId, ours: isOurs(event, record) };
  }
  if (event.kind === 'rejected' && event.commandId === commandId) {
    const { outcome } = event;
    if (outcome.kind === 'duplicate')
      return { kind: 'duplicate', completionOffset: outcome.completionOffset };
    const signed = record.hash !== null && event.submissionId === record.submissionId;
    if (signed && outcome.kind === 'refused') return { kind: 'dead', refusal: outcome.refusal };
  }
  const times =
    event.kind === 'checkpoint' ? event.times : event.kind === 'accepted' && event.time ? [event.time] : [];
  return pastBound(times, record.sentUntil, synchronizerId) ? { kind: 'dead', refusal: null } : null;
}

function isOurs(
  event: Extract<CompletionEvent, { kind: 'accepted' }>,
  { submissionId, hash }: Pick<SubmissionRecord, 'submissionId' | 'hash'>,
): boolean {
  if (submissionId !== null && event.submissionId === submissionId) return true;
  const { transactionHash } = event;
  return hash !== null && transactionHash !== null && Buffer.compare(hash.bytes, transactionHash) === 0;
}

/**
 * An acceptance of our own submission past the bound that its record gave it: the bound was no bound, and a death read
 * from such a one may have been none. Somebody has to raise the tolerance before anything else is sent.
 */
export const brokenBound = (
  recordTime: Micros,
  record: Pick<SubmissionRecord, 'sentUntil' | 'submissionId'>,
): boolean =>
  record.submissionId !== null && record.sentUntil !== null && recordTime > microsOf(record.sentUntil);

/**
 * Completions come in record-time order, so once the synchronizer's time is *strictly* past the bound, what was
 * not accepted never will be. At the bound exactly it still may (P7).
 */
function pastBound(
  times: readonly SynchronizerTime[],
  sentUntil: DbMillis | null,
  synchronizerId: string,
): boolean {
  if (sentUntil === null) return false;
  const bound = microsOf(sentUntil);
  return times.some((time) => time.synchronizerId === synchronizerId && time.recordTime > bound);
}

/** The hunt for the acceptance that a `DUPLICATE_COMMAND` spoke of (P22): where to begin, and what an event says. */
export interface Chase {
  readonly beginExclusive: Offset;
  /** A proven read that is past this without a find: the acceptance is nowhere. */
  readonly until: Offset;
}

export const chaseFrom = (completionOffset: Offset | null, ledgerEnd: Offset, prunedUpTo: Offset): Chase =>
  completionOffset === null
    ? { beginExclusive: prunedUpTo, until: ledgerEnd }
    : { beginExclusive: completionOffset > 0n ? completionOffset - 1n : 0n, until: completionOffset };
