/** A connection's own words, without the time and the empty note in them, so that the same trouble reads the same. */
export const withoutTimes = (detail: string): string =>
  detail.replace(/ ?\([^()]*\d{4}-\d\d-\d\dT[^()]*\)|\.? *Resolution note: *$/g, '');

/** What others wrote, for people: without control characters, which a row cannot hold and a terminal would obey. */
export const withoutControls = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  text.replace(/[\u0000-\u001f\u007f]+/g, ' ');

/** Canton's words of an error without its code twice and without the id of this occurrence: the same on every instance. */
export const withoutErrorId = (text: string): string =>
  text.replace(/\b([A-Z][A-Z0-9_]*): \1\(\d+,[^()]*\): /g, '$1: ');
