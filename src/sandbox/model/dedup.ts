// Command deduplication: the latest acceptance of each change ID, and how far back that knowledge reaches.
import type { Micros } from '../clock.js';
import type { LedgerError } from '../errors.js';

export interface Acceptance {
  readonly offset: number;
  readonly publishedAt: Micros;
  readonly submissionId: string;
}

export type DedupPeriod =
  /** None was sent: use the participant's maximum. */
  | { readonly kind: 'maximum' }
  | { readonly kind: 'duration'; readonly micros: number }
  /** Exclusive. */
  | { readonly kind: 'offset'; readonly offset: number };

export interface DedupQuestion {
  readonly changeId: string;
  readonly period: DedupPeriod;
  readonly maximumMicros: number;
  /** On the participant's clock. */
  readonly now: Micros;
}

export class DedupStore {
  readonly #acceptances = new Map<string, Acceptance>();
  #prunedOffset = 0;
  #prunedUntil = 0;

  accepted(changeId: string, acceptance: Acceptance): void {
    this.#acceptances.set(changeId, acceptance);
  }

  prune(offset: number, publishedAt: Micros): void {
    this.#prunedOffset = Math.max(this.#prunedOffset, offset);
    this.#prunedUntil = Math.max(this.#prunedUntil, publishedAt);
    for (const [changeId, acceptance] of this.#acceptances) {
      if (acceptance.offset <= offset) this.#acceptances.delete(changeId);
    }
  }

  /** Whatever another store has forgotten, this one has forgotten too. */
  pruneLike(other: DedupStore): void {
    if (other.#prunedOffset > 0) this.prune(other.#prunedOffset, other.#prunedUntil);
  }

  /** The rejection that the command gets; rejections of earlier attempts never count. */
  judge(question: DedupQuestion): LedgerError | undefined {
    const { period } = question;
    const earlier = this.#acceptances.get(question.changeId);
    if (period.kind === 'offset') {
      if (earlier && earlier.offset > period.offset) return duplicateCommand(question.changeId, earlier);
      if (period.offset < this.#prunedOffset) {
        return invalidPeriod({ earliest_offset: `${this.#prunedOffset}` });
      }
      return undefined;
    }
    const start = windowStart(question);
    if (earlier && earlier.publishedAt >= start) return duplicateCommand(question.changeId, earlier);
    if (start < this.#prunedUntil) {
      const longest = Math.max(0, Math.floor((question.now - this.#prunedUntil) / 1_000_000));
      return invalidPeriod({ earliest_offset: `${this.#prunedOffset}`, longest_duration: `${longest}s` });
    }
    return undefined;
  }
}

/** The first moment covered by a window given as a duration. */
export function windowStart(question: Omit<DedupQuestion, 'changeId'>): Micros {
  const { period } = question;
  return question.now - (period.kind === 'duration' ? period.micros : question.maximumMicros);
}

function invalidPeriod(metadata: Record<string, string>): LedgerError {
  return {
    id: 'INVALID_DEDUPLICATION_PERIOD',
    cause: 'The specified deduplication period is too long: it reaches back past pruned deduplication data.',
    metadata,
  };
}

export function duplicateCommand(
  changeId: string,
  earlier: { readonly offset?: number; readonly submissionId?: string },
): LedgerError {
  return {
    id: 'DUPLICATE_COMMAND',
    cause: 'A command with the given command id has already been successfully processed',
    metadata: {
      accepted: 'true',
      changeId: `ChangeId(${changeId})`,
      ...(earlier.offset === undefined ? {} : { completion_offset: `${earlier.offset}` }),
      ...(earlier.submissionId === undefined
        ? {}
        : { existingSubmissionId: `Some(${earlier.submissionId})` }),
    },
  };
}
