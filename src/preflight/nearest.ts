/**
 * Finds, among several names, the one that was most likely meant: its case, or up to three letters, are wrong. Null: none
 * is close.
 */
export function nearest(given: string, known: readonly string[]): string | null {
  const close = known
    .map((one) => ({ one, off: distance(given.trim().toLowerCase(), one.toLowerCase()) }))
    .filter(({ one, off }) => off <= Math.min(3, Math.floor(one.length / 3)))
    .sort((a, b) => a.off - b.off);
  return close[0]?.one ?? null;
}

/** How many letters have to be inserted, deleted or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, place) => place);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
