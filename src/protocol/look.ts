import type { Offset, TxHash } from '../core/ids.js';
import { pastBound } from './bound.js';
import type { CompletionEvent, Refusal } from './outcome.js';
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
