/**
 * An error's own words without what differs each time it is told (times, request and trace ids, an empty note), so that the
 * same trouble reads the same, and is said once.
 */
export const lasting = (detail: string): string =>
  detail
    .replace(/ ?\([^()]*\d{4}-\d\d-\d\dT[^()]*\)|\.? *Resolution note: *$/g, '')
    .replace(/ and inquire about the request \S+(?: with tid \S+)?/g, '')
    .replace(/^([A-Z_0-9]+\(\d+),[^)]+\)/, '$1)');

/** How many letters have to be inserted, deleted or changed: Levenshtein's distance, one row at a time. */
export function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const row = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const changed = (above[j] ?? 0) + (letter === other ? 0 : 1);
      row.push(Math.min(changed, (above[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
    }
    above = row;
  }
  return above[b.length] ?? 0;
}

/** What others wrote, for people: without control characters, which a row cannot hold and a terminal would obey. */
export const withoutControls = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  text.replace(/[\u0000-\u001f\u007f]+/g, ' ');

/** Canton's words of an error without its code twice and without the id of this occurrence: the same on every instance. */
export const withoutErrorId = (text: string): string =>
  text.replace(/\b([A-Z][A-Z0-9_]*): \1\(\d+,[^()]*\): /g, '$1: ');
