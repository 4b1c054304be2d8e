/**
 * An error's own words without what differs each time it is told (times, request and trace ids, an empty note), so that the
 * same trouble reads the same, and is said once.
 */
export const lasting = (detail: string): string =>
  detail
    .replace(/ ?\([^()]*\d{4}-\d\d-\d\dT[^()]*\)|\.? *Resolution note: *$/g, '')
    .replace(/ and inquire about the request \S+(?: with tid \S+)?/g, '')
    .replace(/^([A-Z_0-9]+\(\d+),[^)]+\)/, '$1)');
