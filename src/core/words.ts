/** A connection's own words, without the time in them and an empty note behind, or each of them would be news. */
export const withoutTimes = (detail: string): string =>
  detail.replace(/ ?\([^()]*\d{4}-\d\d-\d\dT[^()]*\)|\.? *Resolution note: *$/g, '');
