import { type DbMillis, dbMillis } from '../core/ids.js';
import type { SendOptions } from '../ports/ledger.js';

import { windowIsOver } from '../protocol/bound.js';
import type { Outcome, Refusal } from '../protocol/outcome.js';
import type { FreshClaim, SubmissionRecord } from '../protocol/record.js';
import { unsent, type Verdict } from '../protocol/verdict.js';
import type { FactoryCache } from '../transfer/factory.js';
import type { Breaker } from './breaker.js';
import type { PathContext } from './context.js';
import type { Participant } from './participant.js';
import type { Lease } from './renew.js';

export interface Submission {
  readonly claim: FreshClaim;
  readonly lease: Lease;
  /** The database's time at the claim, and the elapsed time before the claim was sent. */
  readonly now: DbMillis;
  readonly at: number;
  /** To be called in the tick in which the request leaves: from then on nothing but a certain answer ends it. */
  readonly onSend: () => void;
}

export interface SubmitDeps {
  readonly participant: Participant;
  readonly breaker: Breaker;
  readonly factories: FactoryCache;
  /** Set: nothing new leaves any more. */
  readonly stopping: AbortSignal;
}

/** What became of a transfer on its way to the ledger, whichever way its sender submits. */
export type Sent =
  /** Nothing left, and this is what becomes of the row. */
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  /** Nothing left: the ledger, asked for what the transfer needs, said no. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** It left under this record. Times are the database's. */
  | {
      readonly kind: 'answered';
      readonly outcome: Outcome;
      readonly record: SubmissionRecord;
      readonly sentAt: DbMillis;
      readonly answeredAt: DbMillis;
    };

/** `waitMs`: not at once, where the same would come of it. */
export const notSent = (why: string, waitMs: number | null = null): Sent => ({
  kind: 'verdict',
  verdict: unsent(why, waitMs ?? 'now'),
});

/** The database's time, as far as this process can tell: what came with the claim, and what has elapsed since (I7). */
export const databaseNow = ({ clock }: PathContext, { now, at }: Pick<Submission, 'now' | 'at'>): DbMillis =>
  dbMillis(now + (clock.elapsed() - at));

/** Of the lease, so that the call does not begin with one foot outside. */
const LEASE_LEFT = 1 / 10;

/**
 * The last look before the call (I1), asked once before it and again in the very tick in which the request leaves, since
 * a token may have to be read in between. `until`: from when on the ledger would refuse it.
 */
function tooLate(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  record: SubmissionRecord,
  until: DbMillis,
): string | null {
  const { leaseMs, windowMs } = path.settings;
  if (deps.stopping.aborted) return 'this instance is stopping';
  if (deps.participant.verified()?.pinned.sentOn !== record.sentOn) return 'the participant is not verified';
  if (!path.ledger.ready()) return 'the connection to the participant is not ready';
  if (submission.lease.signal.aborted || submission.lease.left() < leaseMs * LEASE_LEFT)
    return 'the lease is about to end';
  return windowIsOver(until, databaseNow(path, submission), windowMs) ? WINDOW_OVER : null;
}

const WINDOW_OVER = 'too little of the submission window is left';

export interface Ready {
  readonly record: SubmissionRecord;
  /** From when on the ledger would refuse it. */
  readonly until: DbMillis;
}

/** The call itself, once (I4), told before and after; or, too late, nothing. */
export async function send(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  { record, until }: Ready,
  call: (options: SendOptions) => Promise<Outcome>,
): Promise<Sent> {
  const late = tooLate(path, deps, submission, record, until);
  // What came too late comes too late again, as long as the participant is as slow as that.
  if (late !== null) return notSent(late, late === WINDOW_OVER ? path.settings.probeMs : null);
  const { claim, lease } = submission;
  const { id, txHash } = claim.row;
  const sentAt = databaseNow(path, submission);
  submission.onSend();
  path.emit({ kind: 'sent', id, txHash, submissionId: record.submissionId ?? '' });
  const since = path.clock.elapsed();
  const outcome = await call({
    timeoutMs: path.settings.callTimeoutMs,
    signal: lease.signal,
    mayNotLeave: () => tooLate(path, deps, submission, record, until),
  });
  path.emit({ kind: 'answered', id, txHash, outcome, tookMs: path.clock.elapsed() - since });
  return { kind: 'answered', outcome, record, sentAt, answeredAt: databaseNow(path, submission) };
}
