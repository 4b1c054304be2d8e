import type { Clock } from '../ports/clock.js';

/** Told at once, then after this long, then after twice as long each time, up to once a minute. */
const FIRST_MS = 5_000;
const LONGEST_MS = 60_000;
/** The most messages remembered: an attacker, or an id in a message, can make many. */
const KEPT = 100;

interface Said {
  at: number;
  waitMs: number;
  missed: number;
}

/** For messages that repeat. Null: do not say it now. Otherwise how often it was left out since the last time. */
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
    // After a long silence it counts as new.
    const lasts = before !== undefined && now - before.at < 2 * LONGEST_MS;
    const waitMs = lasts ? Math.min(before.waitMs * 2, LONGEST_MS) : FIRST_MS;
    said.set(key, { at: now, waitMs, missed: 0 });
    return before?.missed ?? 0;
  };
}
