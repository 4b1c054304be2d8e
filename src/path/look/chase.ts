import type { Offset } from '../../core/ids.js';
import { type Chase, chaseFrom, lookAt } from '../../protocol/look.js';
import { type Mark, marksOf } from '../../protocol/proof.js';
import { parkUndecided, type Verdict } from '../../protocol/verdict.js';
import { limited } from '../../runtime/limit.js';
import type { Path } from '../given/context.js';
import type { Verified } from '../given/parts.js';
import { isStill, provenStream } from '../participant/proven-stream.js';
import { type UndecidedRow, verifyAcceptance } from './verify.js';

const CALL_MS = 5_000;

/**
 * `DUPLICATE_COMMAND` says that an acceptance exists; this finds it (P22). Found and ours: completed. A proven read
 * that passed its place without finding it: parked, loudly, and never sent again. Null: not known yet, look again.
 */
export async function chase(
  path: Path,
  claim: UndecidedRow,
  completionOffset: Offset | null,
  signal: AbortSignal,
): Promise<Verdict | null> {
  const verified = path.participant.verified();
  if (verified === null) return null;
  const call = { timeoutMs: CALL_MS, signal };
  const end = await path.ledger.ledgerEnd(call);
  if (end.kind !== 'read') return null;
  const marks = marksOf(verified.pinned);

  const pruned = await path.ledger.prunedUpTo(call);
  if (completionOffset !== null && pruned.kind === 'read' && pruned.value >= completionOffset) {
    if (marks.length === 0 && !(await isStill(path.ledger, verified, call))) return null;
    const reason = `PRUNED: the participant calls this a duplicate of ${completionOffset}, and has pruned everything up to ${pruned.value}`;
    return parkUndecided(reason);
  }
  const place = chaseFrom(completionOffset, end.value, pruned.kind === 'read' ? pruned.value : 0n);
  return limited([signal], verified.patienceMs, async (limit) => {
    // Where the participant ends the stream because of one mark, another may serve.
    for (const mark of marks.length === 0 ? [null] : marks) {
      const found = await follow(path, claim, { verified, mark, place, completionOffset, signal, limit });
      if (found !== 'broken') return found;
    }
    return null;
  });
}

interface Following {
  readonly verified: Verified;
  readonly mark: Mark | null;
  readonly place: Chase;
  readonly completionOffset: Offset | null;
  readonly signal: AbortSignal;
  /** `signal`, or patience is over. */
  readonly limit: AbortSignal;
}

async function follow(
  path: Path,
  claim: UndecidedRow,
  { verified, mark, place, completionOffset, signal, limit }: Following,
): Promise<Verdict | 'broken' | null> {
  const { beginExclusive: from, until } = place;
  // Past both the place the participant named and the mark, else the read proves nothing.
  const past = mark !== null && mark.offset > until ? mark.offset : until;
  const anyBound = { ...claim.record, sentUntil: null };
  const request = { verified, parties: [claim.record.party], from, mark };
  for await (const step of provenStream(path.ledger, request, limit)) {
    if (step.kind === 'missed') {
      path.participant.doubt({ kind: 'mark-missed', where: 'stream' });
      return null;
    }
    if (step.kind === 'unprovable') return null;
    if (step.kind === 'ended') break;
    const finding = lookAt(step.event, claim.row.txHash, anyBound, path.settings.synchronizerId);
    if (finding?.kind === 'accepted') {
      const verdict = await verifyAcceptance(path, claim, finding, signal);
      return typeof verdict === 'string' ? null : verdict;
    }
    if (step.event.offset < past) continue;
    if (!(await step.proven())) return null;
    const where = completionOffset === null ? `anywhere up to ${until}` : `at ${completionOffset}`;
    const reason = `LOST_DUPLICATE: the participant calls this a duplicate, but shows no acceptance of it ${where}`;
    path.emit({ kind: 'alarm', what: reason, txHash: claim.row.txHash });
    return parkUndecided(reason);
  }
  return limit.aborted ? null : 'broken';
}
