import { retry, undecided, type Verdict } from '../protocol/verdict.js';
import { decided, subjectOf } from './decided.js';
import { external } from './external.js';
import { gather, judge } from './gather.js';
import { type JudgedSubmission, type Path, type Step, type Submission, triesOf } from './given/context.js';
import { hosted } from './hosted.js';
import { chase } from './look/chase.js';
import { type Sending, type Sent, send, writeAhead } from './send.js';

/**
 * One fresh row, from its claim to its verdict: judge, gather, make ready, write ahead, send once, decide (I1, I4). A
 * step that stops before the call began clears what this claim had written; from the call on, only a certain answer does.
 */
export async function submit(path: Path, claimed: Omit<Submission, 'onSend'>): Promise<Verdict> {
  let sent = false;
  const onSend = (): void => {
    sent = true;
  };
  try {
    return await attempt(path, { ...claimed, onSend });
  } catch (error) {
    path.emit({ kind: 'fault', where: 'submit', error });
    return afterFault(path, claimed, error, sent);
  }
}

async function attempt(path: Path, submission: Submission): Promise<Verdict> {
  const judged = judge(path, submission);
  if (judged.kind === 'stop') return judged.verdict;

  const sending = sendingOf(path, judged.value);
  if (sending.kind === 'stop') return sending.verdict;

  const gathered = await gather(path, judged.value, sending.value.executeBefore);
  if (gathered.kind === 'stop') return gathered.verdict;

  const ready = await sending.value.ready(gathered.value);
  if (ready.kind === 'stop') return ready.verdict;

  const written = await writeAhead(path, judged.value, ready.value.record);
  if (written.kind === 'stop') return written.verdict;

  const sent = await send(path, judged.value, gathered.value, ready.value);
  if (sent.kind === 'stop') return sent.verdict;

  return answered(path, judged.value, sent.value);
}

/** What differs between the two kinds of sender: the bound, what makes the request ready, and the call. */
function sendingOf(path: Path, submission: JudgedSubmission): Step<Sending> {
  const { sender } = submission.claim;
  return sender.kind === 'external' ? external(path, submission, sender.key) : hosted(path, submission);
}

/** What the sender's own answer makes of the row (rule 5). */
async function answered(path: Path, submission: JudgedSubmission, sent: Sent): Promise<Verdict> {
  const { outcome, record } = sent;
  const { claim, lease } = submission;
  switch (outcome.kind) {
    case 'duplicate': {
      const found = await chase(path, { ...claim, record }, outcome.completionOffset, lease.signal);
      return found ?? undecided('now', `DUPLICATE_COMMAND: ${outcome.detail}`);
    }
    case 'accepted': {
      const { updateId, offset } = outcome;
      path.participant.sawAcceptance(
        { offset, updateId, party: record.party },
        { ...sent, txHash: claim.row.txHash },
      );
      path.breaker.served(subjectOf(submission));
      return decided(path, submission, outcome);
    }
    case 'refused': {
      const { kind, errorId } = outcome.refusal;
      // The ledger took the request and judged it, so it works, for these keys too. What cannot be encoded never left.
      const judgedIt = kind === 'for-good' || kind === 'try-again';
      if (judgedIt && errorId !== 'REQUEST_UNENCODABLE') path.breaker.served(subjectOf(submission));
      return decided(path, submission, outcome);
    }
    default:
      return decided(path, submission, outcome);
  }
}

/** A bug of ours met this row: it waits and tries again, and parks at last; it never stops the others. */
function afterFault(
  path: Path,
  { claim }: Pick<Submission, 'claim'>,
  error: unknown,
  sent: boolean,
): Verdict {
  const why = `INTERNAL: ${error instanceof Error ? error.message : String(error)}`;
  if (sent) return undecided('now', why);
  return retry(why, triesOf(path, claim));
}
