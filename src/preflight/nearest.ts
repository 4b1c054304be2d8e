import { editDistance } from '../core/words.js';

/**
 * Finds, among several names, the one that was most likely meant: its case, or up to three letters, are wrong. Null: none
 * is close.
 */
export function nearest(given: string, known: readonly string[]): string | null {
  const close = known
    .map((one) => ({ one, off: editDistance(given.trim().toLowerCase(), one.toLowerCase()) }))
    .filter(({ one, off }) => off <= Math.min(3, Math.floor(one.length / 3)))
    .sort((a, b) => a.off - b.off);
  return close[0]?.one ?? null;
}
