import { type DbMillis, microsOf, type Offset, type TxHash } from './ids.js';
import type { CompletionEvent, SynchronizerTime } from './outcome.js';
import type { SubmissionRecord } from './row.js';

/** What a completion stream, read event by event from the record's `sentFrom`, says of an undecided submission. */
export type Finding =
  /** An acceptance of this command id. `ours`: by our submission id; else its content has to be compared. */
  | {
      readonly kind: 'accepted';
      readonly updateId: string;
      readonly offset: Offset;
      readonly ours: boolean;
    }
  /** Never to be accepted any more. It counts once the stream has proven its participant. */
  | { readonly kind: 'dead' }
  /** `DUPLICATE_COMMAND` read: an acceptance exists, at this offset where the participant says. */
  | { readonly kind: 'duplicate'; readonly completionOffset: Offset | null };

/**
 * One event, one row; null where it says nothing about it.
 *
 * A rejection decides nothing here: a request may arrive twice, and one copy's refusal says nothing of the other
 * (external submissions, where the signed transaction's UUID makes copies one, will add their case).
 */
export function lookAt(
  event: CompletionEvent,
  commandId: TxHash,
  record: Pick<SubmissionRecord, 'sentUntil' | 'submissionId'>,
  synchronizerId: string,
): Finding | null {
  if (event.kind === 'accepted' && event.commandId === commandId) {
    const ours = record.submissionId !== null && event.submissionId === record.submissionId;
    return {
      kind: 'accepted',
      updateId: event.updateId,
      offset: event.offset,
      ours,
    };
  }
  if (event.kind === 'rejected' && event.commandId === commandId && event.outcome.kind === 'duplicate') {
    return { kind: 'duplicate', completionOffset: event.outcome.completionOffset };
  }
  const times =
    event.kind === 'checkpoint' ? event.times : event.kind === 'accepted' && event.time ? [event.time] : [];
  return pastBound(times, record.sentUntil, synchronizerId) ? { kind: 'dead' } : null;
}

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
