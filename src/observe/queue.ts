// The queue as the database counts it, asked for at most once a second however many ask.
import type { Clock } from '../ports/clock.js';

/** The store's snapshot of pending rows by state, as far as metrics and page need it. */
export interface QueueSnapshot {
  readonly queue: Readonly<Record<string, { readonly rows: number; readonly oldestMs: number | null }>>;
  /** Null or absent: no outcomes are kept. */
  readonly outcomes?: {
    readonly waiting: { readonly rows: number; readonly oldestMs: number | null };
    readonly dead: number;
    readonly consumers: readonly { readonly consumer: string; readonly behind: number }[];
  } | null;
}

export type QueueSource<S extends QueueSnapshot = QueueSnapshot> = () => Promise<S>;

const FRESH_MS = 1_000;

/** However many ask, and however often: the database is asked once in that time. */
export function cached<T>(source: () => Promise<T>, clock: Clock, freshMs = FRESH_MS): () => Promise<T> {
  let at = Number.NEGATIVE_INFINITY;
  let current: Promise<T> | null = null;
  let pending = false;
  return () => {
    // While a database does not answer, those who wait share one question.
    if (current !== null && (pending || clock.elapsed() - at < freshMs)) return current;
    pending = true;
    const asked = source().finally(() => {
      pending = false;
      at = clock.elapsed();
    });
    // Those who wait get the failure; the next one asks again.
    asked.catch(() => {
      current = null;
    });
    current = asked;
    return asked;
  };
}
