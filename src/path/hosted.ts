// A sender that the participant acts for: the claim has written its record, one SubmitAndWait does the rest.
import { dbMillis } from '../core/ids.js';
import { boundFor, hostedExecuteBefore } from '../protocol/bound.js';
import type { PathContext } from './context.js';
import { gather, ofEndedLocks } from './gather.js';
import type { JudgedRow } from './judge.js';
import { databaseNow, notSent, type Sent, type Submission, type SubmitDeps, send } from './submission.js';
import { writeAhead } from './write-ahead.js';

export async function sendHosted(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  { row, receiver }: JudgedRow,
): Promise<Sent> {
  const { own } = submission.claim;
  if (own === null) return notSent('the claim wrote no record');
  // Without the bound of a one-step transfer nothing rules an acceptance out: the record says so before it is sent.
  const record = boundFor(own, row.token.steps);
  const executeBefore = hostedExecuteBefore(record.sentUntil, databaseNow(path, submission), path.settings);
  const gathered = await gather(path, deps, submission, { row, sender: own.party, receiver, executeBefore });
  if (gathered.kind !== 'transfer') return gathered;

  const unwritten = record === own ? null : await writeAhead(path, deps, submission, record);
  if (unwritten !== null) return { kind: 'verdict', verdict: unwritten };
  const hosted = { ...gathered.transfer, submissionId: submission.claim.token };
  const ready = { record, until: dbMillis(Number(executeBefore / 1000n)) };
  const sent = await send(path, deps, submission, ready, async (options) =>
    ofEndedLocks(await path.ledger.submit(hosted, options), gathered.endedLocks),
  );
  if (sent.kind === 'answered') deps.factories.observe(hosted, sent.outcome);
  return sent;
}
