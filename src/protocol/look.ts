import type { Offset, TxHash } from '../core/ids.js';
import { pastBound } from './bound.js';
import type { CompletionEvent, Refusal } from './outcome.js';
import type { SubmissionRecord } from './record.js';

/** What a completion stream, read event by event from the record's `sentFrom`, says about an undecided submission. */
export type Conclusion =
  /** An acceptance of this command id. `ours`: it has our submission id or hash; otherwise its content has to be compared. */
  | {
      readonly kind: 'accepted';
      readonly updateId: string;
      readonly offset: Offset;
      readonly ours: boolean;
      /** The accepted submission's. */
      readonly submissionId: string;
    }
  /**
   * It will never be accepted: its bound has passed, or what was signed was rejected. This counts only once the stream
   * has proven its participant.
   */
  | { readonly kind: 'dead'; readonly refusal: Refusal | null }
  /** A `DUPLICATE_COMMAND`: an acceptance exists, at this offset if the participant says so. */
  | { readonly kind: 'duplicate'; readonly completionOffset: Offset | null };

/**
 * What one event says about one row; null: nothing.
 *
 * A rejection of a hosted submission decides nothing: its request may arrive twice, and one copy's refusal says nothing
 * about the other. What was signed is one transaction and left once, so a certain rejection under its submission id ends
 * it (rule 4). `DUPLICATE_CONFIRMATION_REQUEST_UUID` does not: it reads as `unknown`.
 */
export function lookAt(
  event: CompletionEvent,
  commandId: TxHash,
  record: Pick<SubmissionRecord, 'sentUntil' | 'submissionId' | 'hash'>,
  synchronizerId: string,
): Conclusion | null {
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

/** Where to look for the acceptance that a `DUPLICATE_COMMAND` spoke of (P22). */
export interface Chase {
  readonly beginExclusive: Offset;
  /** A proven read that passed this without finding the acceptance shows that there is none. */
  readonly until: Offset;
}

export const chaseFrom = (completionOffset: Offset | null, ledgerEnd: Offset, prunedUpTo: Offset): Chase =>
  completionOffset === null
    ? { beginExclusive: prunedUpTo, until: ledgerEnd }
    : { beginExclusive: completionOffset > 0n ? completionOffset - 1n : 0n, until: completionOffset };

/** On an idle stream a participant emits a checkpoint once a minute, where it does not say otherwise. */
const UNTOLD_CHECKPOINTS_MS = 75_000;
const AFTER_CHECKPOINT_MS = 5_000;

/** How long a look waits for the ledger to decide: long enough for the next checkpoint of an idle stream. */
export const lookPatienceMs = (checkpointDelayMs: number | null): number =>
  checkpointDelayMs === null ? UNTOLD_CHECKPOINTS_MS : checkpointDelayMs + AFTER_CHECKPOINT_MS;
