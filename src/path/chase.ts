import type { Offset } from '../core/ids.js';
import { chaseFrom, lookAt } from '../protocol/look.js';
import type { Mark } from '../protocol/proof.js';
import { beginBefore, marksOf, observeProof, type Proof, proofAtBegin } from '../protocol/proof.js';
import type { UndecidedClaim } from '../protocol/record.js';
import { parkUndecided, type Verdict } from '../protocol/verdict.js';
import { limited } from '../runtime/limit.js';
import type { PathContext } from './context.js';
import { isStill } from './marks.js';
import type { Participant } from './participant.js';
import type { Verified } from './verified.js';
import { verifyAcceptance } from './verify.js';

const CALL_MS = 5_000;

/**
 * `DUPLICATE_COMMAND` says that an acceptance exists; this finds it (P22). Found and ours: completed. A proven read
 * that passed the place without it: parked, loudly, and never sent again. Null: not known yet, look again.
 */
export async function chase(
  path: PathContext,
  participant: Participant,
  claim: Pick<UndecidedClaim, 'row' | 'record' | 'recipient'>,
  completionOffset: Offset | null,
  signal: AbortSignal,
): Promise<Verdict | null> {
  const verified = participant.verified();
  if (verified === null) return null;
  const end = await path.ledger.ledgerEnd({ timeoutMs: CALL_MS, signal });
  if (end.kind !== 'read') return null;
  const marks = marksOf(verified.pinned);
  if (marks.length === 0 && !(await isStill(path.ledger, verified, { timeoutMs: CALL_MS, signal })))
    return null;

  const pruned = await path.ledger.prunedUpTo({ timeoutMs: CALL_MS, signal });
  if (completionOffset !== null && pruned.kind === 'read' && pruned.value >= completionOffset) {
    const reason = `PRUNED: the participant calls this a duplicate of ${completionOffset}, and has forgotten everything up to ${pruned.value}`;
    return parkUndecided(reason);
  }
  const { beginExclusive, until } = chaseFrom(
    completionOffset,
    end.value,
    pruned.kind === 'read' ? pruned.value : 0n,
  );
  /** Null: nothing is known yet; `broken`: the participant ended the stream, so another mark may serve. */
  const along = (mark: Mark | null, stop: AbortSignal) =>
    followed(path, participant, claim, {
      mark,
      verified,
      beginExclusive,
      until,
      completionOffset,
      signal,
      stop,
    });
  return limited([signal], verified.patienceMs, async (stop) => {
    for (const mark of marks.length === 0 ? [null] : marks) {
      const found = await along(mark, stop);
      if (found !== 'broken') return found;
    }
    return null;
  });
}

async function followed(
  path: PathContext,
  participant: Participant,
  claim: Pick<UndecidedClaim, 'row' | 'record' | 'recipient'>,
  {
    mark,
    verified,
    beginExclusive,
    until,
    completionOffset,
    signal,
    stop,
  }: {
    readonly mark: Mark | null;
    readonly verified: Verified;
    readonly beginExclusive: Offset;
    readonly until: Offset;
    readonly completionOffset: Offset | null;
    readonly signal: AbortSignal;
    readonly stop: AbortSignal;
  },
): Promise<Verdict | 'broken' | null> {
  const parties = mark === null ? [claim.record.party] : [...new Set([claim.record.party, mark.party])];
  // Past both the place the participant named and the mark, else the read proves nothing.
  const past = mark !== null && mark.offset > until ? mark.offset : until;
  let proof: Proof = proofAtBegin(mark);
  for await (const event of path.ledger.completions(
    { parties, beginExclusive: beginBefore(beginExclusive, mark) },
    stop,
  )) {
    proof = observeProof(proof, mark, event);
    if (proof === 'missed') {
      participant.doubt('its completion stream does not show the marked completion');
      return null;
    }
    const finding = lookAt(
      event,
      claim.row.txHash,
      { ...claim.record, sentUntil: null },
      path.settings.synchronizerId,
    );
    if (finding?.kind === 'accepted') {
      const verdict = await verifyAcceptance(path, claim, finding, signal);
      return typeof verdict === 'string' ? null : verdict;
    }
    if (event.offset < past) continue;
    if (proof === 'unmarked' && !(await isStill(path.ledger, verified, { timeoutMs: CALL_MS, signal })))
      return null;
    const where = completionOffset === null ? `anywhere up to ${until}` : `at ${completionOffset}`;
    const reason = `LOST_DUPLICATE: the participant calls this a duplicate, and shows no acceptance of it ${where}`;
    path.emit({ kind: 'alarm', what: reason, txHash: claim.row.txHash });
    return parkUndecided(reason);
  }
  return stop.aborted ? null : 'broken';
}
