// Rule 2: until when the ledger may accept a submission. Every bound is computed and compared here, with one exception:
// what is written by the database's own clock is computed in SQL. The claim gives a hosted sender's record now + window +
// tolerance; a recheck gives an unknown record now + `unknownSpanMs` (src/store).
import { type DbMillis, dbMillis, type Micros, microsOf } from '../core/ids.js';
import type { SynchronizerTime } from './outcome.js';
import type { SubmissionRecord } from './record.js';

/**
 * Hosted: the ledger refuses the transfer from this ledger time on, and record time may be `tolerance` later, so nothing
 * is recorded past the bound. It follows from the bound that was *written*, never from a later now (P25).
 */
export const executeBefore = (sentUntil: DbMillis, toleranceMs: number): Micros =>
  microsOf(Math.floor(sentUntil - toleranceMs));

/** Hosted, where the claim has not written it: what the claim would have written then. */
export const hostedBound = (
  now: DbMillis,
  { windowMs, toleranceMs }: { readonly windowMs: number; readonly toleranceMs: number },
): DbMillis => dbMillis(Math.floor(now + windowMs + toleranceMs));

/** Where the bound is `'infinity'` (a transfer of two steps), its offer stays open for `OFFER_LIFETIME_MS`. */
export const hostedExecuteBefore = (
  sentUntil: DbMillis | null,
  now: DbMillis,
  { toleranceMs, offerLifetimeMs }: { readonly toleranceMs: number; readonly offerLifetimeMs: number },
): Micros => executeBefore(sentUntil ?? dbMillis(now + offerLifetimeMs + toleranceMs), toleranceMs);

/** External: `max_record_time` is the bound, so this time only must not come before it. */
export const externalExecuteBefore = (now: DbMillis, offerLifetimeMs: number): Micros =>
  executeBefore(dbMillis(now + offerLifetimeMs), 0);

/** External: the `max_record_time` to ask for. */
export const askedBound = (now: DbMillis, windowMs: number): DbMillis => dbMillis(Math.floor(now + windowMs));

/** External: the bound to write for a `max_record_time`, in whole milliseconds and never before the ledger's own. */
export const writtenBound = (maxRecordTime: Micros): DbMillis =>
  dbMillis(Math.ceil(Number(maxRecordTime) / 1000));

/**
 * What a hosted sender's record has to say of a token: only the acceptance of a one-step transfer is ruled out by a
 * ledger time; a transfer of two steps is never known to be dead.
 */
export const boundFor = (record: SubmissionRecord, steps: 1 | 2): SubmissionRecord =>
  steps === 1 ? record : { ...record, sentUntil: null };

/** A sixth of the window has to be left when the request leaves: one that leaves later is refused for its age. */
const WINDOW_LEFT = 1 / 6;

/** `until`: from when on the ledger refuses the request. */
export const windowIsOver = (until: DbMillis, now: DbMillis, windowMs: number): boolean =>
  until - now < windowMs * WINDOW_LEFT;

/**
 * Completions come in record-time order, so once the synchronizer's time is *strictly* past the bound, what was
 * not accepted never will be. At exactly the bound it still may be (P7).
 */
export function pastBound(
  times: readonly SynchronizerTime[],
  sentUntil: DbMillis | null,
  synchronizerId: string,
): boolean {
  if (sentUntil === null) return false;
  const bound = microsOf(sentUntil);
  return times.some((time) => time.synchronizerId === synchronizerId && time.recordTime > bound);
}

/** How long ago the bound passed, by the database's clock (negative: it has not); null: there is no bound. */
export const overdueMs = (
  { sentUntil }: Pick<SubmissionRecord, 'sentUntil'>,
  now: DbMillis,
): number | null => (sentUntil === null ? null : now - sentUntil);

type Bounded = Pick<SubmissionRecord, 'sentUntil' | 'submissionId'>;

/**
 * Our own submission was accepted past the bound in its record: the ledger did not keep it, and a death that was read
 * from such a bound may be wrong. Somebody has to raise the tolerance before anything else is sent.
 */
export const brokenBound = (recordTime: Micros, { submissionId, sentUntil }: Bounded): boolean =>
  submissionId !== null && sentUntil !== null && recordTime > microsOf(sentUntil);

/** By how much it was missed, in whole ms. */
export const missedByMs = (recordTime: Micros, { sentUntil }: Bounded): number =>
  Math.ceil(Number(recordTime) / 1000) - (sentUntil ?? 0);

/** The largest submission window that anybody may have asked for. */
export const WINDOW_MAX_MS = 60_000;

/** How far past the latest known time an unknown record's bound has to lie: whatever was sent has ended by then. */
export const unknownSpanMs = (pins: {
  readonly toleranceMs: number;
  readonly clockSkewMaxMs: number;
}): number => WINDOW_MAX_MS + pins.toleranceMs + pins.clockSkewMaxMs;

/** As the settle statement compares it: what a death was concluded from. */
export const boundOf = ({ sentUntil }: SubmissionRecord): DbMillis | 'infinity' => sentUntil ?? 'infinity';
