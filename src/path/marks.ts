import type { SynchronizerTime } from '../core/outcome.js';
import type { CallOptions, Ledger, Mark } from '../core/ports.js';
import { beginBefore, observeProof, type Proof, proofAtBegin } from '../core/proof.js';
import { limited } from '../runtime/limit.js';
import type { Verified } from './verified.js';

/** By look-up: does the participant have the marked update at the marked offset? `unsure` never speaks against it. */
export async function showsMark(
  ledger: Ledger,
  mark: Mark,
  options: CallOptions,
): Promise<'shown' | 'missed' | 'unsure'> {
  const at = await ledger.updateOffset(mark.updateId, mark.party, options);
  if (at.kind !== 'read') return 'unsure';
  if (at.value === mark.offset) return 'shown';
  if (at.value !== null) return 'missed';
  // Not found: pruned since, or never there.
  const pruned = await ledger.prunedUpTo(options);
  if (pruned.kind !== 'read' || pruned.value >= mark.offset) return 'unsure';
  return 'missed';
}

/** What a completion tells beside its outcome. */
export interface Told {
  readonly time: SynchronizerTime | null;
  readonly paidTraffic: bigint | null;
}

export type Moved = ({ readonly kind: 'shown' } & Told) | { readonly kind: 'missed' | 'unsure' };

/**
 * Moves the mark forward, only over a stream that shows the old one too. The first mark needs the participant id
 * before and after instead, or the operator's word where the token may not ask.
 */
export async function moveMark(
  ledger: Ledger,
  verified: Verified,
  next: Mark,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Moved> {
  const unsure: Moved = { kind: 'unsure' };
  const { mark: old } = verified.pinned;
  if (old === null && !(await isStill(ledger, verified, { timeoutMs, signal }))) return unsure;
  const parties = old === null || old.party === next.party ? [next.party] : [old.party, next.party];
  return limited([signal], timeoutMs, async (limit): Promise<Moved> => {
    let proof: Proof = proofAtBegin(old);
    for await (const event of ledger.completions(
      { parties, beginExclusive: beginBefore(next.offset - 1n, old) },
      limit,
    )) {
      proof = observeProof(proof, old, event);
      if (proof === 'missed') return { kind: 'missed' };
      if (event.offset < next.offset) continue;
      const there =
        event.kind === 'accepted' && event.offset === next.offset && event.updateId === next.updateId;
      if (!there) return unsure;
      const { time, paidTraffic } = event;
      const shown: Moved = { kind: 'shown', time, paidTraffic };
      if (proof === 'shown') return shown;
      return (await isStill(ledger, verified, { timeoutMs, signal })) ? shown : unsure;
    }
    return unsure;
  });
}

/** Of that completion; null where it is not to be had. */
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

/**
 * Is the participant id still the verified one? Where the token may not ask, the operator's word has to do, but only
 * before the first mark: once there was one, and it is pruned, nothing proves that participant any more (rule 4 waits).
 */
export async function isStill(ledger: Ledger, verified: Verified, options: CallOptions): Promise<boolean> {
  const id = await ledger.participantId(options);
  if (id.kind === 'read') return id.value === verified.participantId;
  return !verified.mayAskId && verified.pinned.mark === null;
}
