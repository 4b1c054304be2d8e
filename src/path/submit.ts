import { dbMillis } from '../core/ids.js';
import { boundFor, hostedExecuteBefore } from '../protocol/bound.js';
import { unsent, type Verdict } from '../protocol/verdict.js';
import { external } from './external.js';
import { gather } from './gather.js';
import {
  databaseTime,
  go,
  type JudgedSubmission,
  type Path,
  type Step,
  type Submission,
  stop,
} from './given/context.js';
import { afterFault, answered, judge } from './judge.js';
import { hostedRecord } from './reserve.js';
import { type Sending, send, writeAhead } from './send.js';

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

  const written = await writeAhead(path, judged.value, gathered.value, ready.value.record);
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

/** A sender that the participant acts for: the claim has written its record, and one SubmitAndWait does the rest. */
function hosted(path: Path, submission: JudgedSubmission): Step<Sending> {
  const { token } = submission.claim;
  const byHoldings = path.settings.lanes === 'holdings';
  const own = byHoldings ? hostedRecord(path, submission) : submission.claim.own;
  if (own === null)
    return stop(unsent(byHoldings ? 'the participant is not verified' : 'the claim wrote no record'));
  const record = boundFor(own, submission.row.token.steps);
  const executeBefore = hostedExecuteBefore(record.sentUntil, databaseTime(path, submission), path.settings);
  return go({
    executeBefore,
    async ready({ transfer }) {
      return go({
        record,
        until: dbMillis(Number(executeBefore / 1000n)),
        call: (options) => path.ledger.submit({ ...transfer, submissionId: token }, options),
      });
    },
  });
}
