import type { Outcome, Refusal } from './outcome.js';
import {
  completed,
  dead,
  failed,
  givenBack,
  type PendingVerdict,
  retry,
  type Tries,
  undecided,
  unsent,
  type Verdict,
} from './verdict.js';

export interface Attempted extends Tries {
  /** How long a row waits whose refusal was not its own fault. */
  readonly probeMs: number;
  /** What a wallet reads for this error id. */
  readonly walletMessage: (errorId: string) => string;
  /** A refusal that may be the row's own is held against it: nothing says that others meet the same. */
  readonly held: boolean;
  /** A note for operators, stored with `completed`. */
  readonly note: string | null;
}

/** A `duplicate` is chased before anything is decided. */
export type Decidable = Exclude<Outcome, { kind: 'duplicate' }>;

/**
 * What becomes of the row (rule 5). Pure. The record is cleared only where the submission has certainly ended (I4),
 * `failed` comes only from a certain refusal for good (I5), and `unknown` leaves everything as it is for a look.
 */
export function decide(outcome: Decidable, attempt: Attempted): Verdict {
  switch (outcome.kind) {
    case 'accepted':
      return completed(outcome, attempt.note);
    case 'unknown':
      return undecided('now', `UNKNOWN: ${outcome.detail}`);
    case 'not-sent':
      return unsent(outcome.detail);
    case 'refused':
      return afterRefusal(outcome.refusal, attempt);
  }
}

function afterRefusal(refusal: Refusal, attempt: Attempted): Verdict {
  const { kind, errorId, detail, retryAfterMs } = refusal;
  const why = `${errorId}: ${detail}`;
  const { policy, probeMs, random } = attempt;
  switch (kind) {
    case 'for-good':
      return failed(attempt.walletMessage(errorId), why);
    case 'try-again':
      return retry(why, attempt, retryAfterMs);
    case 'suspect':
    case 'unconfirmed':
    case 'overload':
      // Before its key's next probe it would only be told to wait. One that is always too much is answered like load.
      if (attempt.held) return retry(why, attempt, Math.max(probeMs, retryAfterMs ?? 0));
      if (kind !== 'overload') break;
      return notItsFault(why, policy.minMs, Math.max(probeMs - policy.minMs, 0), random, retryAfterMs);
    case 'not-the-row':
      break;
  }
  return notItsFault(why, probeMs, probeMs, random, retryAfterMs);
}

/** It waits, jittered, and its attempt is given back. */
function notItsFault(
  why: string,
  leastMs: number,
  spreadMs: number,
  random: () => number,
  retryAfterMs: number | null,
): PendingVerdict {
  const wait = Math.max(Math.round(leastMs + random() * spreadMs), retryAfterMs ?? 0);
  return givenBack(why, wait);
}

/**
 * An earlier submission has certainly ended without being accepted: the row is fresh again, or parked where that was its
 * last attempt. Where its refusal shows that the row was not to blame, that attempt does not count.
 */
export function afterDeath(
  refusal: Refusal | null,
  attempt: Tries & Pick<Attempted, 'probeMs'>,
): PendingVerdict {
  const { probeMs, random } = attempt;
  if (refusal !== null && NOT_THE_ROWS.has(refusal.kind)) {
    const why = `DEAD: an earlier submission was refused: ${refusal.errorId}: ${refusal.detail}`;
    return notItsFault(why, probeMs, probeMs, random, refusal.retryAfterMs);
  }
  const how = refusal === null ? 'its bound has passed' : `${refusal.errorId}: ${refusal.detail}`;
  return dead(`DEAD: an earlier submission was never accepted: ${how}`, attempt);
}

const NOT_THE_ROWS: ReadonlySet<Refusal['kind']> = new Set(['not-the-row', 'overload', 'unconfirmed']);
