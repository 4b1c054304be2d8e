import type { DbMillis, Micros } from '../core/ids.js';
import type { Transfer } from '../core/transfer.js';
import type { SendOptions } from '../ports/ledger.js';
import { windowIsOver } from '../protocol/bound.js';
import type { Outcome } from '../protocol/outcome.js';
import type { SubmissionRecord } from '../protocol/record.js';
import { retry, unsent, type Verdict } from '../protocol/verdict.js';
import { notForLocks } from '../transfer/holdings.js';
import {
  databaseTime,
  go,
  isOld,
  type JudgedSubmission,
  type Path,
  type Step,
  stop,
  triesOf,
} from './given/context.js';
import { reserve } from './reserve.js';

/** What one kind of sender supplies; the pipeline does the rest. */
export interface Sending {
  /** The transfer's own bound, on the database's clock. */
  readonly executeBefore: Micros;
  /** Everything between the reads and the write-ahead. */
  ready(gathered: Gathered): Promise<Step<Ready>>;
}

/** What the ledger had to tell before the transfer could be written down. */
export interface Gathered {
  readonly transfer: Transfer;
  /** It spends holdings whose lock has ended. */
  readonly endedLocks: boolean;
}

/** A request that may leave as soon as its record is durable. */
export interface Ready {
  readonly record: SubmissionRecord;
  /** From when on the ledger refuses it. */
  readonly until: DbMillis;
  readonly call: (options: SendOptions) => Promise<Outcome>;
}

/** It left under this record. Times are the database's. */
export interface Sent {
  readonly outcome: Outcome;
  readonly record: SubmissionRecord;
  readonly sentAt: DbMillis;
  readonly answeredAt: DbMillis;
}

/** Rule 1: the record is durable before the request leaves. A hosted sender's claim may have written this very one. */
export async function writeAhead(
  path: Path,
  submission: JudgedSubmission,
  { transfer }: Gathered,
  record: SubmissionRecord,
): Promise<Step<void>> {
  const { claim } = submission;
  // The very object: `boundFor` makes another of it where the claim's bound does not fit.
  if (record === claim.own) return go(undefined);
  const verified = path.participant.verified();
  if (verified === null) return stop(unsent('the participant is not verified'));
  const { generation } = verified.pinned;
  const written =
    path.settings.lanes === 'holdings'
      ? await reserve(path, submission, record, transfer.holdings, generation)
      : await path.store.writeAhead(claim, record, generation);
  if (written === 'written') return go(undefined);
  if (typeof written !== 'string') return written;
  const { id, txHash } = claim.row;
  if (written === 'fenced') path.emit({ kind: 'fenced', during: 'write-ahead', id, txHash });
  else path.participant.doubt({ kind: 'pins-changed' });
  return stop(unsent(`write-ahead ${written}`));
}

/** The least part of a lease that must be left when a call begins. */
const LEASE_LEFT = 1 / 10;

/** Why the request must not leave; `again`: when to try again. */
interface TooLate {
  readonly why: string;
  readonly again: 'now' | 'after-a-probe';
}

/** The last check before the call (I1): made before it, and again in the tick in which the request leaves. */
function tooLate(path: Path, submission: JudgedSubmission, { record, until }: Ready): TooLate | null {
  const { leaseMs, windowMs } = path.settings;
  const late = (why: string): TooLate => ({ why, again: 'now' });
  if (path.stopping.aborted) return late('this instance is stopping');
  if (path.participant.verified()?.pinned.sentOn !== record.sentOn)
    return late('the participant is not verified');
  if (!path.ledger.ready()) return late('the connection to the participant is not ready');
  if (submission.lease.signal.aborted || submission.lease.left() < leaseMs * LEASE_LEFT)
    return late('the lease is about to end');
  // As long as the participant is this slow, the next attempt comes too late as well.
  return windowIsOver(until, databaseTime(path, submission), windowMs)
    ? { why: 'too little of the submission window is left', again: 'after-a-probe' }
    : null;
}

/** Whose reads are always this slow would hold its lane for ever, so it is held against an old row: it parks at last. */
function notSent(path: Path, submission: JudgedSubmission, { why, again }: TooLate): Verdict {
  if (again === 'now') return unsent(why);
  const { probeMs } = path.settings;
  if (!isOld(path, submission)) return unsent(why, probeMs);
  return retry(`NOT_SENT: ${why}`, triesOf(path, submission.claim), probeMs);
}

/** The call itself, once (rule 3, I4), with an event before and after it; or, where it is too late, nothing. */
export async function send(
  path: Path,
  submission: JudgedSubmission,
  { transfer, endedLocks }: Gathered,
  ready: Ready,
): Promise<Step<Sent>> {
  const paused = await path.pauses.against(submission);
  if (paused !== null) return stop(unsent(paused));
  const late = tooLate(path, submission, ready);
  if (late !== null) return stop(notSent(path, submission, late));
  const { record } = ready;
  const { claim, lease } = submission;
  const { id, txHash } = claim.row;
  const sentAt = databaseTime(path, submission);
  submission.onSend();
  path.emit({ kind: 'sent', id, txHash, submissionId: record.submissionId ?? '' });
  const since = path.clock.elapsed();
  const answer = await ready.call({
    timeoutMs: path.settings.callTimeoutMs,
    signal: lease.signal,
    // A token may have to be fetched in between.
    mayNotLeave: () => tooLate(path, submission, ready)?.why ?? null,
  });
  const outcome = ofEndedLocks(answer, endedLocks);
  path.emit({ kind: 'answered', id, txHash, outcome, tookMs: path.clock.elapsed() - since });
  path.factories.observe(transfer, outcome);
  return go({ outcome, record, sentAt, answeredAt: databaseTime(path, submission) });
}

/** A rule that refuses inputs whose lock has ended may have judged only that. */
const ofEndedLocks = (outcome: Outcome, endedLocks: boolean): Outcome =>
  outcome.kind === 'refused'
    ? { kind: 'refused', refusal: notForLocks(outcome.refusal, endedLocks) }
    : outcome;
