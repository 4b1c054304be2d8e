// Where a claim begins its search for waiting rows. Index entries of rows that have ended stay until they are vacuumed, which a
// single old snapshot prevents; a claim that began at the start of the index would cross all of them every time.

/**
 * Rows can appear behind the low-water mark: one that another instance gave back keeps its place, and a long transaction
 * commits an old `now()`. Nearly all of these are younger than this: a submission is answered within 15 s. Longer would be
 * dearer: while somebody keeps an old snapshot, each claim crosses whatever has ended in that time.
 */
const MARGIN_MS = 30_000;
/** How often a claim searches everything: about as often as the poll. Until then such a row waits, and that is all (I8). */
const WHOLE_EVERY_MS = 5_000;

export interface LowWater {
  /** In ms of the database's clock; null: from the start. */
  from(): number | null;
  /** `oldest`: the arrival of the oldest row that the claim saw waiting, otherwise the claim's own time. */
  seen(oldest: number, now: number): void;
  forget(): void;
}

/** `elapsed`: monotonic, in ms. */
export function createLowWater(elapsed: () => number = () => performance.now()): LowWater {
  let lowWater: number | null = null;
  let wholeAt = Number.NEGATIVE_INFINITY;
  let whole = false;
  return {
    from() {
      whole = lowWater === null || elapsed() - wholeAt >= WHOLE_EVERY_MS;
      return whole ? null : lowWater;
    },
    seen(oldest, now) {
      if (whole) wholeAt = elapsed();
      lowWater = Math.min(oldest, now - MARGIN_MS);
    },
    forget() {
      lowWater = null;
    },
  };
}
