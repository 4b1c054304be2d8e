// Where a claim begins to look for waiting rows. Rows that have ended stay in the index until they are vacuumed, which
// one old snapshot anywhere prevents: from the index's begin on, an empty claim would cross all of them every time.

/**
 * Rows come in behind the mark too: one given back by another instance keeps its place, a long transaction commits an
 * old `now()`. Nearly all of these are younger than this.
 */
const MARGIN_MS = 60_000;
/** Everything is looked at so often; the poll comes about as often. It costs latency, and nothing else (I8). */
const WHOLE_EVERY_MS = 5_000;

export interface LowWater {
  /** Ms of the database's clock; null: from the begin. */
  from(): number | null;
  /** `oldest`: of the rows that the claim saw waiting, else its own time. */
  seen(oldest: number, now: number): void;
  forget(): void;
}

/** `elapsed`: monotonic, in ms. */
export function createLowWater(elapsed: () => number = () => performance.now()): LowWater {
  let mark: number | null = null;
  let wholeAt = Number.NEGATIVE_INFINITY;
  let whole = false;
  return {
    from() {
      whole = mark === null || elapsed() - wholeAt >= WHOLE_EVERY_MS;
      return whole ? null : mark;
    },
    seen(oldest, now) {
      if (whole) wholeAt = elapsed();
      mark = Math.min(oldest, now - MARGIN_MS);
    },
    forget() {
      mark = null;
    },
  };
}
