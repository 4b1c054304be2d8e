// An acceptance of an undecided row's command id: whether it is this transfer, and where one is that a duplicate speaks of.
import type { Offset } from '../../core/ids.js';
import type { Token } from '../../core/token.js';
import { isClosed, type TransferEffect, type TransferResult } from '../../ports/ledger.js';
import { type Chase, chaseFrom, lookAt } from '../../protocol/look.js';
import { type Mark, marksOf } from '../../protocol/proof.js';
import type { UndecidedClaim } from '../../protocol/record.js';
import { completed, park, parkUndecided, type Verdict } from '../../protocol/verdict.js';
import { limited } from '../../runtime/limit.js';
import { tokenKey } from '../../transfer/address.js';
import { differs } from '../../transfer/compare.js';
import { offerNote } from '../../transfer/factory.js';
import type { Path } from '../given/context.js';
import type { Verified } from '../given/participant.js';
import { isStill, provenStream } from '../participant/proving.js';

/** For the one update whose content decides; if it cannot be read in time, the next look asks again. */
const READ_CONTENT_MS = 10_000;
/** For the ledger end and the pruned offset, which say where a chase may begin. */
const CHASE_MS = 5_000;

/** An acceptance of the row's command id. */
export interface Acceptance {
  readonly updateId: string;
  readonly offset: Offset;
  /** It has our own submission id or hash: nothing more to compare. */
  readonly ours: boolean;
  readonly submissionId: string;
}

export type UndecidedRow = Pick<UndecidedClaim, 'row' | 'record' | 'recipient'>;

/**
 * Whether only the update itself tells what an acceptance came to. A registry's factory may accept a transfer and move
 * nothing, or make an offer of what was to be one step; an external sender's transfer was inspected before it was signed.
 */
export function isToldByItsUpdate(path: Path, { row, record }: UndecidedRow): boolean {
  const token = path.settings.tokens.get(tokenKey(row.contractAddress));
  return record.hash === null && token !== undefined && token.instrumentAdmin !== path.settings.issuerParty;
}

/**
 * `completed` only for what is shown to be this transfer: by our submission id or hash, else by the update's content; and,
 * through a registry, only if it moved the money. Any other transfer under this command id parks the row, loudly (P22).
 * `unread`: the update cannot be read now; `absent`: the participant does not show it.
 */
export async function verifyAcceptance(
  path: Path,
  claim: UndecidedRow,
  found: Acceptance,
  signal: AbortSignal,
): Promise<Verdict | 'unread' | 'absent'> {
  const { updateId } = found;
  const token = path.settings.tokens.get(tokenKey(claim.row.contractAddress));
  const note = token === undefined ? null : offerNote(token);
  const { submissionId } = claim.record;
  /** Somebody else submits under our command ids: this time it was the right transfer, but the next may not be. */
  const foreign = submissionId !== null && found.submissionId !== submissionId;
  const complete = (said = note): Verdict => {
    const what = `FOREIGN_SUBMISSION: update ${updateId} is this transfer, but it was submitted as ${found.submissionId || 'nothing'}, and not as ${submissionId}: find out who else submits under these command ids`;
    if (foreign) path.emit({ kind: 'alarm', what, txHash: claim.row.txHash });
    return completed(found, said);
  };
  const told = isToldByItsUpdate(path, claim);
  if (found.ours && !told) return complete();
  const effect = await path.ledger.transferOf(found.updateId, [claim.record.party], {
    timeoutMs: READ_CONTENT_MS,
    signal,
  });
  if (effect.kind !== 'read') {
    const never = isClosed(effect) || effect.pruned;
    return found.ours && never ? complete(unreadNote(updateId, effect.refusal.errorId)) : 'unread';
  }
  if (effect.value === 'absent') return 'absent';
  const difference = found.ours ? null : differenceOf(path, claim, effect.value);
  if (difference === null)
    return (told ? ofItsResult(effect.value?.result ?? null, token, updateId) : null) ?? complete();
  const reason = `FOREIGN_ACCEPTANCE: update ${found.updateId} was accepted under this row's command id, but ${difference}`;
  path.emit({ kind: 'alarm', what: reason, txHash: claim.row.txHash });
  return parkUndecided(reason);
}

/** As the row and `users` are now; null: it is this transfer. */
function differenceOf(
  { settings: { tokens, issuerParty } }: Path,
  { row, record, recipient }: UndecidedRow,
  effect: TransferEffect | null,
): string | null {
  if (effect === null) return 'it is not a transfer';
  return differs({ row, sender: record.party, receiver: recipient }, effect, tokens, issuerParty);
}

/** Null: the money moved, or is on offer where TOKENS_FILE says so. */
function ofItsResult(result: TransferResult, token: Token | undefined, updateId: string): Verdict | null {
  if (result === 'failed')
    return park(`NOT_MOVED: the ledger accepted update ${updateId}, but the token's rules moved nothing`);
  if (result !== 'pending' || token?.steps === 2) return null;
  return parkUndecided(
    `OFFER_MADE: update ${updateId} is an offer, which the receiver has yet to accept, but TOKENS_FILE says one step`,
  );
}

const unreadNote = (updateId: string, why: string): string =>
  `RESULT_UNREAD: update ${updateId} was accepted, but the participant does not show what it came to (${why})`;

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
  const call = { timeoutMs: CHASE_MS, signal };
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
    const conclusion = lookAt(step.event, claim.row.txHash, anyBound, path.settings.synchronizerId);
    if (conclusion?.kind === 'accepted') {
      const verdict = await verifyAcceptance(path, claim, conclusion, signal);
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
