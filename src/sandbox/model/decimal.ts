// Daml's Decimal (Numeric 10) as a bigint of 10^-10 units, so that money is never a float.

const SCALE = 10;
const UNIT = 10n ** BigInt(SCALE);
/** Numeric holds 38 digits, 10 of them behind the point. */
const LIMIT = 10n ** 38n;
const PATTERN = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/** Undefined where the text is no number, or not exactly representable: Daml does not round. */
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

/** The way a participant prints it: all ten places. */
export function formatDecimal(units: bigint): string {
  const magnitude = units < 0n ? -units : units;
  const fraction = (magnitude % UNIT).toString().padStart(SCALE, '0');
  return `${units < 0n ? '-' : ''}${magnitude / UNIT}.${fraction}`;
}
