import type { CallOptions, Ledger, Mark } from '../core/ports.js';
import { beginBefore, observeProof, type Proof, proofAtBegin } from '../core/proof.js';
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
): Promise<'shown' | 'missed' | 'unsure'> {
  const { mark: old } = verified.pinned;
  if (old === null && !(await isStill(ledger, verified, { timeoutMs, signal }))) return 'unsure';
  const parties = old === null || old.party === next.party ? [next.party] : [old.party, next.party];
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  let proof: Proof = proofAtBegin(old);
  for await (const event of ledger.completions(
    { parties, beginExclusive: beginBefore(next.offset - 1n, old) },
    limit,
  )) {
    proof = observeProof(proof, old, event);
    if (proof === 'missed') return 'missed';
    if (event.offset < next.offset) continue;
    const there =
      event.kind === 'accepted' && event.offset === next.offset && event.updateId === next.updateId;
    if (!there) return 'unsure';
    if (proof === 'shown') return 'shown';
    return (await isStill(ledger, verified, { timeoutMs, signal })) ? 'shown' : 'unsure';
  }
  return 'unsure';
}

/** The participant id is still the verified one, or the operator's word has to do. */
export async function isStill(ledger: Ledger, verified: Verified, options: CallOptions): Promise<boolean> {
  const id = await ledger.participantId(options);
  return id.kind === 'read' ? id.value === verified.participantId : !verified.mayAskId;
}
