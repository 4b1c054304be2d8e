/** A connection's own words, without the time and the empty note in them, so that the same trouble reads the same. */
export const withoutTimes = (detail: string): string =>
  detail.replace(/ ?\([^()]*\d{4}-\d\d-\d\dT[^()]*\)|\.? *Resolution note: *$/g, '');
