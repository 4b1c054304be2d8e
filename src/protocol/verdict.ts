// What becomes of a claimed row, and the only constructors of it. Each name says what is known; how that is written
// (record, wait, count) is decided here and nowhere else.
import type { Offset } from '../core/ids.js';
import { backoffMs, nextLookMs, type RetryPolicy } from './backoff.js';

/** Every verdict is written under the fence: id, token, still pending (I2). */
export type Verdict = CompletedVerdict | FailedVerdict | PendingVerdict;

export interface CompletedVerdict {
  readonly kind: 'completed';
  readonly updateId: string;
  readonly offset: Offset;
  /** Goes to `last_error`: what people should know about the row, for example that it is only an offer. */
  readonly note: string | null;
}

export interface FailedVerdict {
  readonly kind: 'failed';
  /** What a wallet's user reads. */
  readonly message: string;
  /** Goes to `last_error`: `CODE: detail`. */
  readonly detail: string;
}

/** The row stays pending: a retry, a release, a park. */
export interface PendingVerdict {
  readonly kind: 'pending';
  /** `clear` only after a certain refusal, a proven death, or where nothing was sent; otherwise `keep` (I4). */
  readonly record: 'clear' | 'keep';
  /** `now`: `available_at` stays as it is; a number: ms from the database's now; `parked`: until a person replays it. */
  readonly wait: 'now' | 'parked' | number;
  /** Added to `attempts`: -1 gives back what the claim counted, +1 counts a look that must not go on for ever. */
  readonly attempts: -1 | 0 | 1;
  /** Why, for people: `CODE: detail`. Null leaves `last_error` alone. */
  readonly lastError: string | null;
}

/** How often the row has been tried, and how often it may be. */
export interface Tries {
  /** Attempts begun, this one included. */
  readonly attempts: number;
  readonly policy: RetryPolicy;
  readonly random: () => number;
}

/** The ledger has accepted the transfer. */
export const completed = (
  { updateId, offset }: Pick<CompletedVerdict, 'updateId' | 'offset'>,
  note: string | null,
): CompletedVerdict => ({ kind: 'completed', updateId, offset, note });

/** No later attempt could succeed (I5), and nothing of the row can still commit. */
export const failed = (message: string, detail: string): FailedVerdict => ({
  kind: 'failed',
  message,
  detail,
});

/** Nothing of this attempt is under way, and the row is not to blame: the attempt is not counted. */
export const givenBack = (why: string, wait: number | 'now' = 'now'): PendingVerdict => ({
  kind: 'pending',
  record: 'clear',
  wait,
  attempts: -1,
  lastError: why,
});

/** The request never left. */
export const unsent = (why: string, wait: number | 'now' = 'now'): PendingVerdict =>
  givenBack(`NOT_SENT: ${why}`, wait);

/** A submission may still commit: the record stays, and the next claim of the row only looks. */
export const undecided = (wait: number | 'now', why: string | null): PendingVerdict => ({
  kind: 'pending',
  record: 'keep',
  wait,
  attempts: 0,
  lastError: why,
});

/** As `undecided`, where nothing but an acceptance can end the row: each such look counts, so that it parks at last. */
export const lookedInVain = (
  why: string,
  tries: Pick<Tries, 'attempts' | 'policy'>,
  parkedWhy = why,
): PendingVerdict =>
  unlessUsedUp({ ...undecided(nextLookMs(null), why), attempts: 1 }, tries, parkUndecided(parkedWhy));

/** An earlier submission will never be accepted: the row is fresh again. The attempt that sent it stays counted. */
export const dead = (why: string, tries: Pick<Tries, 'attempts' | 'policy'>): PendingVerdict =>
  unlessUsedUp(
    { kind: 'pending', record: 'clear', wait: 'now', attempts: 0, lastError: why },
    tries,
    park(`${why} (after ${tries.attempts} attempts; nothing of it is under way any more)`),
  );

/** This submission has certainly ended: try again after a backoff. `askedMs`: what the ledger asked us to wait. */
export const retry = (why: string, tries: Tries, askedMs: number | null = null): PendingVerdict =>
  retryIn(backoffMs(tries.attempts, tries.policy, tries.random, askedMs), why, tries);

/** As `retry`, where it is known when the reason will be over. */
export const retryIn = (
  waitMs: number,
  why: string,
  tries: Pick<Tries, 'attempts' | 'policy'>,
): PendingVerdict =>
  unlessUsedUp(
    { kind: 'pending', record: 'clear', wait: waitMs, attempts: 0, lastError: why },
    tries,
    park(`${why} (after ${tries.attempts} attempts)`),
  );

/** For a person: nothing of the row is under way, and trying again would not help. */
export const park = (why: string): PendingVerdict => ({
  kind: 'pending',
  record: 'clear',
  wait: 'parked',
  attempts: 0,
  lastError: why,
});

/** For a person: the row may still commit, so its record stays. */
export const parkUndecided = (why: string): PendingVerdict => ({ ...park(why), record: 'keep' });

/** The only place that compares attempts with the limit. A row that has used them up waits for a person; it never fails. */
function unlessUsedUp(
  verdict: PendingVerdict,
  { attempts, policy }: Pick<Tries, 'attempts' | 'policy'>,
  parked: PendingVerdict,
): PendingVerdict {
  return attempts + verdict.attempts < policy.maxAttempts ? verdict : parked;
}

/** In logs and metrics. `released`: not counted; `undecided`: the record stays. */
export type VerdictName = 'completed' | 'failed' | 'parked' | 'released' | 'undecided' | 'retry';

export function verdictName(verdict: Verdict): VerdictName {
  if (verdict.kind !== 'pending') return verdict.kind;
  if (verdict.wait === 'parked') return 'parked';
  if (verdict.record === 'keep') return 'undecided';
  return verdict.attempts === -1 ? 'released' : 'retry';
}
