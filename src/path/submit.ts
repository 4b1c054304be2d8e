import { decide, parked, released, retryOrPark } from '../core/decide.js';
import { type DbMillis, dbMillis, type Party } from '../core/ids.js';
import type { Outcome, Refusal } from '../core/outcome.js';
import type { HostedSubmission } from '../core/transfer.js';
import type { FreshClaim, SubmissionRecord } from '../core/row.js';
import type { Verdict } from '../core/settlement.js';
import { type CheckedRow, checkParties, checkRow } from '../transfer/check.js';
import { hostedExecuteBefore, transferTerms } from '../transfer/command.js';
import { walletMessage } from '../transfer/messages.js';
import { chase } from './chase.js';
import type { PathContext } from './context.js';
import { gather } from './gather.js';
import type { Submission, SubmitDeps } from './submission.js';

/** A sixth of the window has to be left when the request leaves: what comes later would be refused for its age. */
const WINDOW_LEFT = 1 / 6;
/** Of the lease, so that the call does not begin with one foot outside. */
const LEASE_LEFT = 1 / 10;

/**
 * One fresh row, from its claim to its verdict: judge, gather, look at the deadline, send once (I1, I4). Whatever
 * ends before the call began clears what this claim had written; from the call on only a certain answer does.
 */
export async function submit(path: PathContext, deps: SubmitDeps, submission: Submission): Promise<Verdict> {
  let sent = false;
  try {
    return await attempt(path, deps, submission, () => {
      sent = true;
    });
  } catch (error) {
    path.emit({ kind: 'fault', where: 'submit', error });
    return afterFault(path, submission.claim, error, sent);
  }
}

async function attempt(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  onSend: () => void,
): Promise<Verdict> {
  const { claim } = submission;
  const judged = judge(path, claim);
  if (judged.kind !== 'ok') return judged.verdict;

  const key = {
    receiver: `receiver:${judged.receiver}`,
    token: `token:${judged.row.token.address.toLowerCase()}`,
    sender: `sender:${judged.sender}`,
  };
  const keys = [key.receiver, key.token, key.sender];
  const waitMs = deps.breaker.keyWait(keys);
  if (waitMs > 0)
    return released(
      'clear',
      Math.round(waitMs),
      -1,
      'BREAKER: the ledger refuses this sender, receiver or token for now',
    );
  const blame = ({ kind, blame: whom, errorId, detail }: Refusal): void => {
    if (kind !== 'not-the-row') return;
    const { sender, receiver } = judged;
    deps.breaker.refused({
      sender,
      receiver,
      key: whom === 'all' ? null : key[whom],
      reason: `${errorId}: ${detail}`,
    });
  };

  const gathered = await gather(path, deps, submission, judged);
  if (gathered.kind === 'refused') {
    blame(gathered.refusal);
    return decide({ kind: 'refused', refusal: gathered.refusal }, attemptOf(path, claim, false));
  }
  if (gathered.kind === 'verdict') return gathered.verdict;

  const record = await writtenRecord(path, deps, submission, judged.row);
  if ('verdict' in record) return record.verdict;
  const now = databaseNow(path, submission);
  const transfer: HostedSubmission = {
    ...transferTerms({
      row: claim.row,
      checked: judged.row,
      sender: record.party,
      receiver: judged.receiver,
      inputs: gathered.inputs,
      now,
      executeBefore: hostedExecuteBefore(record.sentUntil, now, path.settings.toleranceMs),
    }),
    commandId: claim.row.txHash,
    submissionId: claim.token,
    factory: { kind: 'own', contractId: gathered.factoryId },
  };
  const late = tooLate(path, deps, submission, transfer);
  if (late !== null) return released('clear', 'now', -1, `NOT_SENT: ${late}`);

  onSend();
  const outcome = await send(path, submission, transfer);
  deps.factories.observe(judged.row.token.instrumentAdmin, gathered.factoryId, outcome);
  if (outcome.kind === 'duplicate') {
    const found = await chase(
      path,
      deps.participant,
      { ...claim, record },
      outcome.completionOffset,
      submission.lease.signal,
    );
    return found ?? released('keep', 'now', 0, `DUPLICATE_COMMAND: ${outcome.detail}`);
  }
  if (outcome.kind === 'accepted') {
    deps.participant.sawAcceptance({
      offset: outcome.offset,
      updateId: outcome.updateId,
      party: record.party,
    });
  }
  if (outcome.kind === 'refused' && outcome.refusal.kind === 'not-the-row') blame(outcome.refusal);
  else if (outcome.kind === 'accepted' || outcome.kind === 'refused') deps.breaker.served(keys);
  // The first refusal for what the ledger holds only asks for a second attempt, with the participant proven around it.
  const byState = outcome.kind === 'refused' && outcome.refusal.kind === 'for-good-by-state';
  const proven =
    byState && gathered.proven && (await deps.participant.prove(submission.lease.signal)) === 'proven';
  return decide(outcome, attemptOf(path, claim, proven));
}

type Judged =
  | { readonly kind: 'ok'; readonly row: CheckedRow; readonly sender: Party; readonly receiver: Party }
  | { readonly kind: 'verdict'; readonly verdict: Verdict };

/** What can be said of a fresh row before the ledger is asked. Final at once: nothing of it is undecided (rule 5). */
function judge({ settings }: PathContext, { row, sender, recipient }: FreshClaim): Judged {
  const checked = checkRow(row, settings.tokens, settings.issuerParty);
  if (checked.kind === 'failed') return { kind: 'verdict', verdict: checked };
  if (checked.kind === 'park') return { kind: 'verdict', verdict: parked(checked.reason, 'clear') };
  const parties = checkParties(row, sender, recipient);
  if (parties.kind === 'failed') return { kind: 'verdict', verdict: parties };
  if (parties.signs === 'key') return { kind: 'verdict', verdict: parked(EXTERNAL_PARTY, 'clear') };
  return { kind: 'ok', row: checked, sender: parties.sender, receiver: parties.receiver };
}

const EXTERNAL_PARTY =
  'EXTERNAL_PARTY: the sender has a stored key; this version submits for hosted parties only';

/**
 * The record that stands when the request leaves. The claim wrote it for a hosted sender; a token of two steps may
 * be accepted without the bound of a one-step transfer, so its record says so before anything is sent.
 */
async function writtenRecord(
  path: PathContext,
  deps: SubmitDeps,
  { claim }: Submission,
  { token }: CheckedRow,
): Promise<SubmissionRecord | { readonly verdict: Verdict }> {
  const verified = deps.participant.verified();
  if (claim.own === null || verified === null)
    return { verdict: released('clear', 'now', -1, 'NOT_SENT: the participant is not verified') };
  if (token.steps === 1) return claim.own;
  const record: SubmissionRecord = { ...claim.own, sentUntil: null };
  const written = await path.store.writeAhead(claim, record, verified.pinned.generation);
  if (written === 'written') return record;
  if (written === 'fenced')
    path.emit({ kind: 'fenced', during: 'write-ahead', id: claim.row.id, txHash: claim.row.txHash });
  return { verdict: released('clear', 'now', -1, `NOT_SENT: write-ahead ${written}`) };
}

/** The last look before the call (I1): after it nothing is awaited until the method is called. */
function tooLate(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  transfer: HostedSubmission,
): string | null {
  const { leaseMs, windowMs } = path.settings;
  if (deps.stopping.aborted) return 'this instance is stopping';
  if (deps.participant.verified() === null) return 'the participant is not verified';
  if (!path.ledger.ready()) return 'the connection to the participant is not ready';
  if (submission.lease.signal.aborted || submission.lease.left() < leaseMs * LEASE_LEFT)
    return 'the lease is about to end';
  const windowLeft = Number(transfer.executeBefore / 1000n) - databaseNow(path, submission);
  return windowLeft < windowMs * WINDOW_LEFT ? 'too little of the submission window is left' : null;
}

/** The database's time, as far as this process can tell: what came with the claim, and what has elapsed since (I7). */
const databaseNow = ({ clock }: PathContext, { now, at }: Submission): DbMillis =>
  dbMillis(now + (clock.elapsed() - at));

async function send(
  path: PathContext,
  { claim, lease }: Submission,
  transfer: HostedSubmission,
): Promise<Outcome> {
  const { id, txHash } = claim.row;
  path.emit({ kind: 'sent', id, txHash, submissionId: transfer.submissionId });
  const since = path.clock.elapsed();
  const outcome = await path.ledger.submit(transfer, {
    timeoutMs: path.settings.callTimeoutMs,
    signal: lease.signal,
  });
  path.emit({ kind: 'answered', id, txHash, outcome, tookMs: path.clock.elapsed() - since });
  return outcome;
}

const attemptOf = ({ settings, random }: PathContext, { attempts }: FreshClaim, proven: boolean) => ({
  attempts,
  policy: settings.retry,
  probeMs: settings.probeMs,
  random,
  walletMessage,
  proven,
});

/** A bug of ours met this row: it waits and tries again, and parks at last; it never stops the others. */
function afterFault(path: PathContext, claim: FreshClaim, error: unknown, sent: boolean): Verdict {
  const why = `INTERNAL: ${error instanceof Error ? error.message : String(error)}`;
  if (sent) return released('keep', 'now', 0, why);
  return retryOrPark(why, { attempts: claim.attempts, policy: path.settings.retry, random: path.random });
}
