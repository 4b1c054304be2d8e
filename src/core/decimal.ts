/**
 * Daml's `Decimal` (Numeric 10) as whole units of 10^-10, so that an amount is never a float and nothing is rounded.
 */
export const DECIMAL_PLACES = 10;
const ONE = 10n ** BigInt(DECIMAL_PLACES);
/** 38 digits in all, 10 of them after the point. */
export const DECIMAL_LIMIT = 10n ** 38n;
const PATTERN = /^([+-]?)(\d+)(?:\.(\d*))?$/;

/** Plain notation without trailing zeros: `1`, `0.5`. */
export function formatDecimal(units: bigint): string {
  const magnitude = units < 0n ? -units : units;
  const fraction = (magnitude % ONE).toString().padStart(DECIMAL_PLACES, '0').replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${magnitude / ONE}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Null where the text is not a number, or has more digits than a Decimal. */
export function parseDecimal(text: string): bigint | null {
  const match = PATTERN.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = ''] = match;
  const significant = fraction.replace(/0+$/, '');
  if (significant.length > DECIMAL_PLACES) return null;
  const units = BigInt(whole + significant.padEnd(DECIMAL_PLACES, '0'));
  if (units >= DECIMAL_LIMIT) return null;
  return sign === '-' ? -units : units;
}
