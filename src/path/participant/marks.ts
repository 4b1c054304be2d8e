import type { CallOptions, Ledger } from '../../ports/ledger.js';
import type { Pinned } from '../../ports/store.js';
import type { SynchronizerTime } from '../../protocol/outcome.js';
import { type Mark, marksOf } from '../../protocol/proof.js';
import { limited } from '../../runtime/limit.js';
import type { Verified } from '../given/parts.js';
import { provenStream } from './proven-stream.js';

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
