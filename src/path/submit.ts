import { type Decidable, decide, released, retryOrPark } from '../core/decide.js';
import type { Refusal } from '../core/outcome.js';
import type { FreshClaim } from '../core/row.js';
import type { Verdict } from '../core/settlement.js';
import { tokenKey } from '../transfer/address.js';
import { walletMessage } from '../transfer/messages.js';
import { offerNote } from '../transfer/steps.js';
import { chase } from './chase.js';
import type { PathContext } from './context.js';
import { sendExternal } from './external.js';
import { sendHosted } from './hosted.js';
import { type JudgedRow, judge } from './judge.js';
import type { Sent, Submission, SubmitDeps } from './submission.js';

/**
 * One fresh row, from its claim to its verdict: judge, gather, look at the deadline, send once (I1, I4). Whatever
 * ends before the call began clears what this claim had written; from the call on only a certain answer does.
 */
export async function submit(
  path: PathContext,
  deps: SubmitDeps,
  claimed: Omit<Submission, 'onSend'>,
): Promise<Verdict> {
  let sent = false;
  const onSend = (): void => {
    sent = true;
  };
  try {
    return await attempt(path, deps, { ...claimed, onSend });
  } catch (error) {
    path.emit({ kind: 'fault', where: 'submit', error });
    return afterFault(path, claimed.claim, error, sent);
  }
}

async function attempt(path: PathContext, deps: SubmitDeps, submission: Submission): Promise<Verdict> {
  const { claim } = submission;
  const judged = judge(path, claim);
  if (judged.kind !== 'ok') return judged.verdict;
  const keys = keysOf(judged);
  const waitMs = deps.breaker.keyWait(Object.values(keys));
  if (waitMs > 0) {
    const why = 'BREAKER: the ledger refuses this sender, receiver or token for now';
    return released('clear', Math.round(waitMs), -1, why);
  }

  const { sender } = claim;
  const sent =
    sender.kind === 'external'
      ? await sendExternal(path, deps, submission, judged, sender.key)
      : await sendHosted(path, deps, submission, judged);
  switch (sent.kind) {
    case 'verdict':
      return sent.verdict;
    case 'refused':
      blame(deps, judged, sent.refusal);
      return decided(path, deps, submission, judged, sent, { kind: 'refused', refusal: sent.refusal });
    case 'answered':
      return answered(path, deps, submission, judged, sent);
  }
}

/** What the sender's own answer makes of the row (rule 5). */
async function answered(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  judged: JudgedRow,
  sent: Extract<Sent, { kind: 'answered' }>,
): Promise<Verdict> {
  const { outcome, record } = sent;
  switch (outcome.kind) {
    case 'duplicate': {
      const claim = { ...submission.claim, record };
      const { signal } = submission.lease;
      const found = await chase(path, deps.participant, claim, outcome.completionOffset, signal);
      return found ?? released('keep', 'now', 0, `DUPLICATE_COMMAND: ${outcome.detail}`);
    }
    case 'accepted': {
      const { updateId, offset } = outcome;
      const own = { ...sent, txHash: submission.claim.row.txHash };
      deps.participant.sawAcceptance({ offset, updateId, party: record.party }, own);
      deps.breaker.served(Object.values(keysOf(judged)));
      return decided(path, deps, submission, judged, sent, outcome);
    }
    case 'refused':
      if (outcome.refusal.kind === 'not-the-row') blame(deps, judged, outcome.refusal);
      else deps.breaker.served(Object.values(keysOf(judged)));
      return decided(path, deps, submission, judged, sent, outcome);
    default:
      return decided(path, deps, submission, judged, sent, outcome);
  }
}

/** The first refusal for what the ledger holds only asks for a second attempt, with the participant proven around it. */
async function decided(
  { settings, random }: PathContext,
  deps: SubmitDeps,
  { claim, lease }: Submission,
  { row }: JudgedRow,
  sent: { readonly proven: boolean },
  outcome: Decidable,
): Promise<Verdict> {
  const byState = outcome.kind === 'refused' && outcome.refusal.kind === 'for-good-by-state';
  const proven = byState && sent.proven && (await deps.participant.prove(lease.signal)) === 'proven';
  const { attempts } = claim;
  const { retry: policy, probeMs } = settings;
  return decide(outcome, {
    attempts,
    policy,
    probeMs,
    random,
    walletMessage,
    proven,
    note: offerNote(row.token),
  });
}

/** Whom a refusal that is not the row's may be blamed on: the breaker's keys. */
const keysOf = ({ row, sender, receiver }: JudgedRow) => ({
  receiver: `receiver:${receiver}`,
  token: `token:${tokenKey(row.token.address)}`,
  sender: `sender:${sender}`,
});

function blame({ breaker }: SubmitDeps, judged: JudgedRow, refusal: Refusal): void {
  if (refusal.kind !== 'not-the-row') return;
  const { sender, receiver } = judged;
  const key = refusal.blame === 'all' ? null : keysOf(judged)[refusal.blame];
  breaker.refused({ sender, receiver, key, reason: `${refusal.errorId}: ${refusal.detail}` });
}

/** A bug of ours met this row: it waits and tries again, and parks at last; it never stops the others. */
function afterFault(path: PathContext, claim: FreshClaim, error: unknown, sent: boolean): Verdict {
  const why = `INTERNAL: ${error instanceof Error ? error.message : String(error)}`;
  if (sent) return released('keep', 'now', 0, why);
  return retryOrPark(why, { attempts: claim.attempts, policy: path.settings.retry, random: path.random });
}
