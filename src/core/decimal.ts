/**
 * Daml's `Decimal` (Numeric 10) as whole units of 10^-10, so that an amount is never a float and nothing is rounded.
 */
export const DECIMAL_PLACES = 10;
/** 38 digits in all, 10 of them after the point. */
export const DECIMAL_LIMIT = 10n ** 38n;
const PATTERN = /^([+-]?)(\d+)(?:\.(\d*))?$/;

/** Plain notation without trailing zeros: `1`, `0.5`. */
export const formatDecimal = (units: bigint): string => formatUnits(units, DECIMAL_PLACES);

/** The same for whole units of 10^-places, as ERC-20 amounts are. */
export function formatUnits(units: bigint, places: number): string {
  const one = 10n ** BigInt(places);
  const magnitude = units < 0n ? -units : units;
  const fraction = places === 0 ? '' : (magnitude % one).toString().padStart(places, '0').replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${magnitude / one}${fraction === '' ? '' : `.${fraction}`}`;
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
