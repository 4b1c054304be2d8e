// The queue as the database counts it, asked for at most once a second however many ask.
import type { Clock } from '../ports/clock.js';

/** The store's snapshot of pending rows by state, as far as metrics and page need it. */
export interface QueueSnapshot {
  readonly queue: Readonly<Record<string, { readonly rows: number; readonly oldestMs: number | null }>>;
  /** The database's time, in ms. */
  readonly now: number;
  readonly due: { readonly claimable: number; readonly oldestMs: number | null; readonly paused: number };
  readonly pauses: readonly { readonly since: number }[];
  /** Null or absent: no outcomes are kept. */
  readonly outcomes?: {
    readonly waiting: { readonly rows: number; readonly oldestMs: number | null };
    readonly dead: number;
    readonly consumers: readonly { readonly consumer: string; readonly behind: number }[];
  } | null;
}

export type QueueSource<S extends QueueSnapshot = QueueSnapshot> = () => Promise<S>;

const FRESH_MS = 1_000;

export interface Cached<T> {
  (): Promise<T>;
  /** The next one asks again. */
  forget(): void;
}

/** However many ask, and however often: the database is asked once in that time. */
export function cached<T>(source: () => Promise<T>, clock: Clock, freshMs = FRESH_MS): Cached<T> {
  let last: { readonly answer: Promise<T>; answeredAt: number | null } | null = null;
  const ask = (): Promise<T> => {
    // While a database does not answer, those who wait share one question.
    if (last !== null && (last.answeredAt === null || clock.elapsed() - last.answeredAt < freshMs))
      return last.answer;
    const question: typeof last = { answer: source(), answeredAt: null };
    last = question;
    question.answer.then(
      () => {
        question.answeredAt = clock.elapsed();
      },
      // Those who wait get the failure; the next one asks again.
      () => {
        if (last === question) last = null;
      },
    );
    return question.answer;
  };
  return Object.assign(ask, {
    forget() {
      last = null;
    },
  });
}
