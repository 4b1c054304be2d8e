import type { KeyWait } from '../core/breaker.js';
import { type Decidable, decide } from '../protocol/decide.js';
import type { Refusal } from '../protocol/outcome.js';
import type { FreshClaim } from '../protocol/record.js';
import { givenBack, retry, undecided, unsent, type Verdict } from '../protocol/verdict.js';
import { tokenKey } from '../transfer/address.js';
import { walletMessage } from '../transfer/messages.js';
import { offerNote } from '../transfer/steps.js';
import type { Subject } from './breaker.js';
import { chase } from './chase.js';
import type { PathContext } from './context.js';
import { sendExternal } from './external.js';
import { sendHosted } from './hosted.js';
import { type JudgedRow, judge } from './judge.js';
import { databaseNow, type Sent, type Submission, type SubmitDeps } from './submission.js';

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
  const wait = deps.breaker.wait(subjectOf(judged, submission));
  if (wait !== null) return waiting(path, submission, wait);

  const { sender } = claim;
  const sent =
    sender.kind === 'external'
      ? await sendExternal(path, deps, submission, judged, sender.key)
      : await sendHosted(path, deps, submission, judged);
  switch (sent.kind) {
    case 'verdict':
      return sent.verdict;
    case 'refused':
      return (
        cutOff(submission, sent.refusal) ??
        decided(path, deps, submission, judged, { kind: 'refused', refusal: sent.refusal })
      );
    case 'answered':
      return answered(path, deps, submission, judged, sent);
  }
}

/** A read that this process ended itself, for a lease that is lost or a stop, says nothing of the row and counts nothing. */
function cutOff({ lease: { signal } }: Submission, { errorId }: Refusal): Verdict | null {
  if (!signal.aborted || !CUT_OFF.has(errorId)) return null;
  return unsent(`${signal.reason}, before the ledger had answered`);
}

const CUT_OFF: ReadonlySet<string> = new Set(['GRPC_CANCELLED', 'CALL_ABORTED']);

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
      return found ?? undecided('now', `DUPLICATE_COMMAND: ${outcome.detail}`);
    }
    case 'accepted': {
      const { updateId, offset } = outcome;
      const own = { ...sent, txHash: submission.claim.row.txHash };
      deps.participant.sawAcceptance({ offset, updateId, party: record.party }, own);
      deps.breaker.served(subjectOf(judged, submission));
      return decided(path, deps, submission, judged, outcome);
    }
    case 'refused': {
      // It took the request and judged it: it works, for these keys too.
      const { kind, errorId } = outcome.refusal;
      const judgedIt = kind === 'for-good' || kind === 'try-again';
      // What cannot be encoded never left.
      if (judgedIt && errorId !== 'REQUEST_UNENCODABLE') deps.breaker.served(subjectOf(judged, submission));
      return decided(path, deps, submission, judged, outcome);
    }
    default:
      return decided(path, deps, submission, judged, outcome);
  }
}

function decided(
  path: PathContext,
  { breaker }: SubmitDeps,
  submission: Submission,
  judged: JudgedRow,
  outcome: Decidable,
): Verdict {
  const { settings, random } = path;
  const { attempts, row } = submission.claim;
  const old = databaseNow(path, submission) - row.createdAt >= PATIENCE_MS;
  const held = outcome.kind === 'refused' && breaker.refused(subjectOf(judged, submission), outcome.refusal);
  const { retry: policy, probeMs } = settings;
  const note = offerNote(judged.row.token);
  return decide(outcome, { attempts, policy, probeMs, random, walletMessage, held: held || old, note });
}

/**
 * What may be everybody's is not held against a row on its first day. After that it is, so that neither a dead receiver
 * in an otherwise quiet system nor three of them keep their senders' lanes for ever.
 */
const PATIENCE_MS = 86_400_000;

/**
 * Behind an open key. What may be the row's own trouble is counted where the row itself was refused; one that only waits
 * counts after an hour, so that a lane goes on at last, and a receiver who is away for minutes costs no row anything.
 */
function waiting(path: PathContext, submission: Submission, wait: KeyWait): Verdict {
  const { claim } = submission;
  const why = `BREAKER: the ledger refuses this sender, receiver or token for now: ${wait.reason}`;
  const ms = Math.round(wait.ms);
  const old = databaseNow(path, submission) - claim.row.createdAt >= WAITED_MS;
  if (!wait.held || !old) return givenBack(why, ms);
  const { retry: policy } = path.settings;
  return retry(why, { attempts: claim.attempts, policy, random: path.random }, ms);
}

const WAITED_MS = 3_600_000;

const subjectOf = ({ row, sender, receiver }: JudgedRow, { claim, at }: Submission): Subject => ({
  row: claim.row.txHash,
  sender,
  receiver,
  token: tokenKey(row.token.address),
  beganAt: at,
});

/** A bug of ours met this row: it waits and tries again, and parks at last; it never stops the others. */
function afterFault(path: PathContext, claim: FreshClaim, error: unknown, sent: boolean): Verdict {
  const why = `INTERNAL: ${error instanceof Error ? error.message : String(error)}`;
  if (sent) return undecided('now', why);
  return retry(why, { attempts: claim.attempts, policy: path.settings.retry, random: path.random });
}
