import { backoffMs, type RetryPolicy } from './backoff.js';
import type { Outcome, Refusal } from './outcome.js';
import type { PendingVerdict, Verdict } from './settlement.js';

export interface Attempt {
  /** Attempts begun, this one included. */
  readonly attempts: number;
  readonly policy: RetryPolicy;
  /** How long a row waits whose refusal was not its own fault. */
  readonly probeMs: number;
  readonly random: () => number;
  /** What a wallet reads for this error id. */
  readonly walletMessage: (errorId: string) => string;
  /** A refusal that may be the row's own is held against it: nothing says that it is everybody's. */
  readonly held: boolean;
  /** What people should know of the row beside `completed`. */
  readonly note: string | null;
}

/** A `duplicate` is chased before anything is decided. */
export type Decidable = Exclude<Outcome, { kind: 'duplicate' }>;

/**
 * What becomes of the row. Pure. The record is cleared only where the submission is certainly over (I4), `failed`
 * comes only from a certain refusal for good (I5), and unknown leaves everything as it is for a look.
 */
export function decide(outcome: Decidable, attempt: Attempt): Verdict {
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'completed', updateId: outcome.updateId, offset: outcome.offset, note: attempt.note };
    case 'unknown':
      return {
        kind: 'pending',
        record: 'keep',
        wait: 'now',
        attempts: 0,
        lastError: `UNKNOWN: ${outcome.detail}`,
      };
    case 'not-sent':
      return {
        kind: 'pending',
        record: 'clear',
        wait: 'now',
        attempts: -1,
        lastError: `NOT_SENT: ${outcome.detail}`,
      };
    case 'refused':
      return afterRefusal(outcome.refusal, attempt);
  }
}

function afterRefusal(refusal: Refusal, attempt: Attempt): Verdict {
  const { kind, errorId, detail, retryAfterMs } = refusal;
  const lastError = `${errorId}: ${detail}`;
  const { policy, probeMs, random } = attempt;
  switch (kind) {
    case 'for-good':
      return { kind: 'failed', message: attempt.walletMessage(errorId), detail: lastError };
    case 'try-again':
      return retryOrPark(lastError, attempt, retryAfterMs);
    case 'suspect':
    case 'unconfirmed':
      // Sooner than its probe it would only be told to wait.
      if (attempt.held) return retryOrPark(lastError, attempt, Math.max(probeMs, retryAfterMs ?? 0));
      break;
    case 'overload':
      return givenBack(lastError, policy.minMs, Math.max(probeMs - policy.minMs, 0), random, retryAfterMs);
    case 'not-the-row':
      break;
  }
  return givenBack(lastError, probeMs, probeMs, random, retryAfterMs);
}

/** Not the row's fault: it waits, jittered, and its attempt is given back. */
const givenBack = (
  lastError: string,
  leastMs: number,
  spreadMs: number,
  random: () => number,
  retryAfterMs: number | null,
): PendingVerdict => {
  const wait = Math.max(Math.round(leastMs + random() * spreadMs), retryAfterMs ?? 0);
  return released('clear', wait, -1, lastError);
};

/** After a certain end of this submission: again after a backoff, or parked when its attempts are used up. */
export function retryOrPark(
  lastError: string,
  attempt: Pick<Attempt, 'attempts' | 'policy' | 'random'>,
  retryAfterMs: number | null = null,
): PendingVerdict {
  const { attempts, policy, random } = attempt;
  if (attempts >= policy.maxAttempts) return parked(`${lastError} (after ${attempts} attempts)`, 'clear');
  return {
    kind: 'pending',
    record: 'clear',
    wait: backoffMs(attempts, policy, random, retryAfterMs),
    attempts: 0,
    lastError,
  };
}

/**
 * An earlier submission is certainly over, and was not accepted: the row is fresh again, or parked where that was its
 * last attempt. What became of it may say that it was no fault of the row's; then that attempt does not count.
 */
export function afterDeath(
  refusal: Refusal | null,
  attempt: Pick<Attempt, 'attempts' | 'policy' | 'random' | 'probeMs'>,
): PendingVerdict {
  const { attempts, policy, probeMs, random } = attempt;
  if (refusal !== null && NOT_THE_ROWS.has(refusal.kind)) {
    const why = `DEAD: an earlier submission was refused: ${refusal.errorId}: ${refusal.detail}`;
    return givenBack(why, probeMs, probeMs, random, refusal.retryAfterMs);
  }
  const how = refusal === null ? 'its bound has passed' : `${refusal.errorId}: ${refusal.detail}`;
  const why = `DEAD: an earlier submission was never accepted: ${how}`;
  if (attempts < policy.maxAttempts) return released('clear', 'now', 0, why);
  return parked(`${why} (after ${attempts} attempts; nothing of it is under way any more)`, 'clear');
}

const NOT_THE_ROWS: ReadonlySet<Refusal['kind']> = new Set(['not-the-row', 'overload', 'unconfirmed']);

export const parked = (lastError: string, record: PendingVerdict['record']): PendingVerdict => ({
  kind: 'pending',
  record,
  wait: 'parked',
  attempts: 0,
  lastError,
});

/** Given back, and nothing is counted: nothing was sent, or nothing new is known of what was, or that is dead. */
export const released = (
  record: PendingVerdict['record'],
  wait: PendingVerdict['wait'],
  attempts: -1 | 0,
  lastError: string | null,
): PendingVerdict => ({
  kind: 'pending',
  record,
  wait,
  attempts,
  lastError,
});
