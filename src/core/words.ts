/** A connection's own words, without the time and the empty note in them, so that the same trouble reads the same. */
export const withoutTimes = (detail: string): string =>
  detail.replace(/ ?\([^()]*\d{4}-\d\d-\d\dT[^()]*\)|\.? *Resolution note: *$/g, '');

/** Canton's words of an error without its code twice and without the id of this occurrence: the same on every instance. */
export const withoutErrorId = (text: string): string =>
  text.replace(/\b([A-Z][A-Z0-9_]*): \1\(\d+,[^()]*\): /g, '$1: ');
