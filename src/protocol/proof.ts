import type { Offset, Party } from '../core/ids.js';
import type { CompletionEvent } from './outcome.js';

/** A completion that the pinned participant has shown: it tells the participant from another, and from a restored backup. */
export interface Mark {
  readonly offset: Offset;
  readonly updateId: string;
  readonly party: Party;
}

/**
 * Whether a stream comes from the pinned participant with its history intact: it shows the marked completion, same
 * offset, same update. No death is read from a stream that does not (P8, P27).
 */
export type Proof =
  /** Nothing is marked yet: the participant id, asked for before and after, has to do. */
  | 'unmarked'
  | 'awaiting'
  | 'shown'
  /** It passed the mark without showing it: another participant, or the same one restored from a backup. */
  | 'missed';

/** Each proves by itself; the newest is tried first. */
export const marksOf = ({
  mark,
  otherMarks,
}: {
  readonly mark: Mark | null;
  readonly otherMarks: readonly Mark[];
}): readonly Mark[] => (mark === null ? [] : [mark, ...otherMarks]);

export const proofAtBegin = (mark: Mark | null): Proof => (mark === null ? 'unmarked' : 'awaiting');

/** A stream that is to prove its participant begins before the marked completion. */
export const beginBefore = (sentFrom: Offset, mark: Mark | null): Offset =>
  mark !== null && mark.offset - 1n < sentFrom ? mark.offset - 1n : sentFrom;

export function observeProof(proof: Proof, mark: Mark | null, event: CompletionEvent): Proof {
  if (proof !== 'awaiting' || mark === null || event.offset < mark.offset) return proof;
  const same = event.kind === 'accepted' && event.offset === mark.offset && event.updateId === mark.updateId;
  return same ? 'shown' : 'missed';
}
