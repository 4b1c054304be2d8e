// Is it the pinned participant, with its history? Asked by look-up, by its id, or by a stream that shows a marked completion.
import type { Offset, Party } from '../../core/ids.js';
import type { CallOptions, Ledger, ReadFailure } from '../../ports/ledger.js';
import type { Pinned } from '../../ports/store.js';
import type { CompletionEvent, SynchronizerTime } from '../../protocol/outcome.js';
import {
  beginBefore,
  type Mark,
  marksOf,
  observeProof,
  type Proof,
  proofAtBegin,
} from '../../protocol/proof.js';
import { limited } from '../../runtime/limit.js';
import type { Verified } from '../given/participant.js';

/**
 * How long the participant may take over each question that identifies or proves it. Each is a small read that can be asked
 * again, so a connection on which nobody answers is given up early.
 */
export const PROOF_CALL_MS = 5_000;

export interface StreamRequest {
  readonly verified: Verified;
  /** Whose completions; the mark's party is added. */
  readonly parties: readonly Party[];
  /** What is looked for lies after this offset. The stream may begin earlier, to show the mark. */
  readonly from: Offset;
  /** What proves the stream. Null: `provenBeside` has to. */
  readonly mark: Mark | null;
  /** Another ledger user's completions than our own. */
  readonly userId?: string;
  /** Proof by other means. Default: the participant id, asked for now, is still the verified one. */
  readonly provenBeside?: () => Promise<boolean>;
}

export type StreamItem =
  /** `proven`: is it certain now that the pinned participant, with its history, wrote this stream? */
  | {
      readonly kind: 'event';
      readonly event: CompletionEvent;
      readonly proof: Exclude<Proof, 'missed'>;
      readonly proven: () => Promise<boolean>;
    }
  /** Each of these is the last step. `missed`: it passed the mark without showing it, so no later event counts. */
  | { readonly kind: 'missed' }
  /** Nothing can prove the participant, so nothing was read. */
  | { readonly kind: 'unprovable' }
  /** The participant ended it, or `signal` did (then without a failure). */
  | { readonly kind: 'ended'; readonly failure: ReadFailure | null };

/**
 * The participant's completion stream, and with every event whether it has proven its participant by then (P8, P27). The
 * one place that reads completions for a decision: the caller reads until it can decide, and asks `proven` where the
 * decision needs it. Without a mark the proof is asked for before the stream opens and again after the deciding event,
 * since the connection may lead elsewhere meanwhile.
 */
export async function* provenStream(
  ledger: Ledger,
  { verified, parties, from, mark, userId, provenBeside }: StreamRequest,
  signal: AbortSignal,
): AsyncGenerator<StreamItem, void> {
  const beside = provenBeside ?? (() => isStill(ledger, verified, { timeoutMs: PROOF_CALL_MS, signal }));
  if (mark === null && !(await beside())) {
    yield { kind: 'unprovable' };
    return;
  }
  const request = {
    parties: [...new Set(mark === null ? parties : [...parties, mark.party])],
    beginExclusive: beginBefore(from, mark),
    ...(userId === undefined ? {} : { userId }),
  };
  let proof = proofAtBegin(mark);
  const stream = ledger.completions(request, signal);
  try {
    for (;;) {
      const step = await stream.next();
      if (step.done) {
        yield { kind: 'ended', failure: step.value };
        return;
      }
      const event = step.value;
      proof = observeProof(proof, mark, event);
      if (proof === 'missed') {
        yield { kind: 'missed' };
        return;
      }
      const now = proof;
      const proven = async () => now === 'shown' || (now === 'unmarked' && (await beside()));
      yield { kind: 'event', event, proof: now, proven };
    }
  } finally {
    await stream.return(null);
  }
}

export type ProofById =
  | { readonly kind: 'proven' | 'unsure' }
  /** Another participant answers. */
  | { readonly kind: 'another'; readonly id: string };

/**
 * Is the participant id still the verified one? Where the token may not ask, the operator's word has to do, but only
 * before the first mark: once there was one, and it is pruned, nothing proves that participant any more (rule 4 waits).
 */
export async function proveById(
  ledger: Ledger,
  verified: Verified,
  options: CallOptions,
): Promise<ProofById> {
  const id = await ledger.participantId(options);
  if (id.kind === 'read')
    return id.value === verified.participantId ? { kind: 'proven' } : { kind: 'another', id: id.value };
  return { kind: !verified.mayAskId && verified.pinned.mark === null ? 'proven' : 'unsure' };
}

export const isStill = async (ledger: Ledger, verified: Verified, options: CallOptions): Promise<boolean> =>
  (await proveById(ledger, verified, options)).kind === 'proven';

/**
 * By look-up: does the participant have a marked update at its marked offset? A mark that it cannot be asked for, because
 * it is pruned or its party's rights are gone, never speaks against the participant: the next mark is asked for.
 */
export async function showsMark(
  ledger: Ledger,
  pinned: Pick<Pinned, 'mark' | 'otherMarks'>,
  options: CallOptions,
): Promise<'shown' | 'missed' | 'unsure'> {
  for (const mark of marksOf(pinned)) {
    const shown = await showsThis(ledger, mark, options);
    if (shown !== 'unsure') return shown;
  }
  return 'unsure';
}

async function showsThis(
  ledger: Ledger,
  mark: Mark,
  options: CallOptions,
): Promise<'shown' | 'missed' | 'unsure'> {
  const at = await ledger.updateOffset(mark.updateId, mark.party, options);
  if (at.kind !== 'read') return 'unsure';
  if (at.value === mark.offset) return 'shown';
  if (at.value !== null) return 'missed';
  // Not found: pruned since then, or never there.
  const pruned = await ledger.prunedUpTo(options);
  if (pruned.kind !== 'read' || pruned.value >= mark.offset) return 'unsure';
  return 'missed';
}

/** What a completion tells besides its outcome. */
export interface Told {
  readonly time: SynchronizerTime | null;
  readonly paidTraffic: bigint | null;
}

export type Moved =
  /** `by`: the pinned mark that the stream showed too. */
  ({ readonly kind: 'shown'; readonly by: Mark | null } & Told) | { readonly kind: 'missed' | 'unsure' };

/**
 * Whether the marks may move forward to `next`: only over a stream that shows it and one of the old marks too. The first
 * mark needs the participant id before and after instead, or the operator's word where the token may not ask.
 */
export async function moveMark(
  ledger: Ledger,
  verified: Verified,
  next: Mark,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Moved> {
  const marks = marksOf(verified.pinned);
  for (const old of marks.length === 0 ? [null] : marks) {
    const moved = await moveFrom(ledger, verified, old, next, signal, timeoutMs);
    if (moved !== 'broken') return moved;
  }
  return { kind: 'unsure' };
}

/** `broken`: the participant ended the stream, because it is pruned or may not list the old mark's party. */
async function moveFrom(
  ledger: Ledger,
  verified: Verified,
  old: Mark | null,
  next: Mark,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Moved | 'broken'> {
  const unsure: Moved = { kind: 'unsure' };
  const request = { verified, parties: [next.party], from: next.offset - 1n, mark: old };
  return limited([signal], timeoutMs, async (limit): Promise<Moved | 'broken'> => {
    for await (const step of provenStream(ledger, request, limit)) {
      if (step.kind === 'missed') return { kind: 'missed' };
      if (step.kind === 'unprovable') return unsure;
      if (step.kind === 'ended') break;
      const { event } = step;
      if (event.offset < next.offset) continue;
      if (event.kind !== 'accepted' || event.offset !== next.offset || event.updateId !== next.updateId)
        return unsure;
      const { time, paidTraffic } = event;
      return (await step.proven()) ? { kind: 'shown', time, paidTraffic, by: old } : unsure;
    }
    return limit.aborted ? unsure : 'broken';
  });
}

/** The completion at this mark; null where it cannot be had. Nothing is decided by it, so nothing is proven. */
export async function toldBy(
  ledger: Ledger,
  { offset, updateId, party }: Mark,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Told | null> {
  return limited([signal], timeoutMs, async (limit) => {
    for await (const event of ledger.completions({ parties: [party], beginExclusive: offset - 1n }, limit)) {
      if (event.offset < offset) continue;
      return event.kind === 'accepted' && event.updateId === updateId ? event : null;
    }
    return null;
  });
}
