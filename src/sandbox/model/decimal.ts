// Daml's Decimal (Numeric 10) as a bigint in units of 10^-10, so that money is never a float.

const SCALE = 10;
const UNIT = 10n ** BigInt(SCALE);
/** A Numeric has 38 digits, 10 of them after the point. */
const LIMIT = 10n ** 38n;
const PATTERN = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/** Undefined if the text is not a number, or cannot be represented exactly: Daml does not round. */
export function parseDecimal(text: string): bigint | undefined {
  const match = PATTERN.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = ''] = match;
  const significant = fraction.replace(/0+$/, '');
  if (significant.length > SCALE) return undefined;
  const units = BigInt(whole + significant.padEnd(SCALE, '0'));
  if (units >= LIMIT) return undefined;
  return sign === '-' ? -units : units;
}

/** As a participant prints it: with all ten places. */
export function formatDecimal(units: bigint): string {
  const magnitude = units < 0n ? -units : units;
  const fraction = (magnitude % UNIT).toString().padStart(SCALE, '0');
  return `${units < 0n ? '-' : ''}${magnitude / UNIT}.${fraction}`;
}
