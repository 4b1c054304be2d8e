// Converts ERC-20 amounts to Daml's Decimal, exactly or not at all.
import { DECIMAL_LIMIT, DECIMAL_PLACES } from '../core/decimal.js';

/** The size of a uint256. */
const MAX_BYTES = 32;

/** Big-endian; no bytes mean 0. Null if longer than a uint256. */
export function amountOf(bytes: Uint8Array): bigint | null {
  if (bytes.length > MAX_BYTES) return null;
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

export type Scaled =
  | { readonly kind: 'units'; readonly units: bigint }
  | { readonly kind: 'too-fine' }
  | { readonly kind: 'too-large' };

/** From the token's smallest unit to units of 10^-10. Nothing is rounded: an amount that does not fit is refused. */
export function toDecimalUnits(amount: bigint, decimals: number): Scaled {
  const shift = DECIMAL_PLACES - decimals;
  if (shift < 0) {
    const divisor = 10n ** BigInt(-shift);
    if (amount % divisor !== 0n) return { kind: 'too-fine' };
    return bounded(amount / divisor);
  }
  return bounded(amount * 10n ** BigInt(shift));
}

const bounded = (units: bigint): Scaled =>
  units < DECIMAL_LIMIT ? { kind: 'units', units } : { kind: 'too-large' };
