import type { CallOptions, Ledger } from '../ports/ledger.js';
import type { Pinned } from '../ports/store.js';
import type { SynchronizerTime } from '../protocol/outcome.js';
import type { Mark } from '../protocol/proof.js';
import { beginBefore, marksOf, observeProof, type Proof, proofAtBegin } from '../protocol/proof.js';
import { limited } from '../runtime/limit.js';
import type { Verified } from './verified.js';

/**
 * By look-up: does the participant have a marked update at its marked offset? One that it cannot be asked for, pruned or
 * of a party whose rights are gone, never speaks against it: the next one is asked for.
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

export type Moved =
  /** `by`: the pinned mark that the stream showed too. */
  ({ readonly kind: 'shown'; readonly by: Mark | null } & Told) | { readonly kind: 'missed' | 'unsure' };

/**
 * Moves the marks forward, only over a stream that shows one of the old ones too. The first mark needs the participant id
 * before and after instead, or the operator's word where the token may not ask.
 */
export async function moveMark(
  ledger: Ledger,
  verified: Verified,
  next: Mark,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Moved> {
  const marks = marksOf(verified.pinned);
  if (marks.length === 0) {
    const still = await isStill(ledger, verified, { timeoutMs, signal });
    const moved = still ? await moveFrom(ledger, verified, null, next, signal, timeoutMs) : 'broken';
    return moved === 'broken' ? { kind: 'unsure' } : moved;
  }
  for (const old of marks) {
    const moved = await moveFrom(ledger, verified, old, next, signal, timeoutMs);
    if (moved !== 'broken') return moved;
  }
  return { kind: 'unsure' };
}

/** `broken`: the participant ended the stream: pruned, or it may not list the old one's party. */
async function moveFrom(
  ledger: Ledger,
  verified: Verified,
  old: Mark | null,
  next: Mark,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Moved | 'broken'> {
  const unsure: Moved = { kind: 'unsure' };
  const parties = old === null || old.party === next.party ? [next.party] : [old.party, next.party];
  return limited([signal], timeoutMs, async (limit): Promise<Moved | 'broken'> => {
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
      const shown: Moved = { kind: 'shown', time, paidTraffic, by: old };
      if (proof === 'shown') return shown;
      return (await isStill(ledger, verified, { timeoutMs, signal })) ? shown : unsure;
    }
    return limit.aborted ? unsure : 'broken';
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
