import { backoffMs, type RetryPolicy } from './backoff.js';
import type { Outcome } from './outcome.js';
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
  /** The participant proved itself around the verdict: needed for what depends on the ledger's state (rule 5). */
  readonly proven: boolean;
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
    case 'refused': {
      const { kind, errorId, detail, retryAfterMs } = outcome.refusal;
      const lastError = `${errorId}: ${detail}`;
      if (kind === 'for-good' || (kind === 'for-good-by-state' && attempt.proven)) {
        return { kind: 'failed', message: attempt.walletMessage(errorId), detail: lastError };
      }
      if (kind === 'not-the-row') {
        const wait = Math.round(attempt.probeMs * (1 + attempt.random()));
        return {
          kind: 'pending',
          record: 'clear',
          wait: Math.max(wait, retryAfterMs ?? 0),
          attempts: -1,
          lastError,
        };
      }
      return retryOrPark(lastError, attempt, retryAfterMs);
    }
  }
}

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
