import type { Clock } from '../ports/clock.js';

/** The first time, then after so long, twice as long, and at most once a minute while it lasts. */
const FIRST_MS = 5_000;
const LONGEST_MS = 60_000;
/** Of different things to say; an attacker, or an id in a message, makes them many. */
const KEPT = 100;

interface Said {
  at: number;
  waitMs: number;
  missed: number;
}

/** What repeats itself. Null: not now. Else how often it was not said since the last time. */
export function createSeldom(clock: Clock): (key: string) => number | null {
  const said = new Map<string, Said>();
  return (key) => {
    const now = clock.elapsed();
    const before = said.get(key);
    if (before !== undefined && now - before.at < before.waitMs) {
      before.missed += 1;
      return null;
    }
    if (before === undefined && said.size >= KEPT) said.clear();
    // Long silent, it is news again.
    const lasts = before !== undefined && now - before.at < 2 * LONGEST_MS;
    const waitMs = lasts ? Math.min(before.waitMs * 2, LONGEST_MS) : FIRST_MS;
    said.set(key, { at: now, waitMs, missed: 0 });
    return before?.missed ?? 0;
  };
}
