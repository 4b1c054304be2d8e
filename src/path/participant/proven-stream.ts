import type { Offset, Party } from '../../core/ids.js';
import type { CallOptions, Ledger, ReadFailure } from '../../ports/ledger.js';
import type { CompletionEvent } from '../../protocol/outcome.js';
import { beginBefore, type Mark, observeProof, type Proof, proofAtBegin } from '../../protocol/proof.js';
import type { Verified } from '../given/parts.js';

/** How long a participant may take to say its id. */
const CALL_MS = 5_000;

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

export type StreamStep =
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
): AsyncGenerator<StreamStep, void> {
  const beside = provenBeside ?? (() => isStill(ledger, verified, { timeoutMs: CALL_MS, signal }));
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
