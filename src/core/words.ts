/** A connection's own words, without the time and the empty note in them, so that the same trouble reads the same. */
export const withoutTimes = (detail: string): string =>
  detail.replace(/ ?\([^()]*\d{4}-\d\d-\d\dT[^()]*\)|\.? *Resolution note: *$/g, '');

/** One line for people: a row, a log and a terminal could not hold the control characters of what others wrote. */
export const withoutControls = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  text.replace(/[\u0000-\u001f\u007f]+/g, ' ');
