// Which holdings a transfer spends.
import { formatDecimal } from '../core/decimal.js';
import type { Holding } from '../core/ports.js';

/** Each input travels with the transaction and is paid for in traffic; beyond this, submissions meet size limits. */
export const MAX_INPUTS = 100;

export interface Wanted {
  readonly owner: string;
  readonly admin: string;
  readonly instrumentId: string;
  /** In units of 10^-10. */
  readonly amount: bigint;
}

export type Selection =
  | { readonly kind: 'selected'; readonly contractIds: readonly string[]; readonly total: bigint }
  /** `locked` could be spent once it is released. */
  | {
      readonly kind: 'insufficient';
      readonly have: bigint;
      readonly need: bigint;
      readonly locked: bigint;
      readonly detail: string;
    }
  /** The balance is there, but in too many pieces for one transaction. */
  | {
      readonly kind: 'fragmented';
      readonly have: bigint;
      readonly need: bigint;
      readonly pieces: number;
      readonly limit: number;
      readonly detail: string;
    };

/**
 * Largest first, so that few inputs do; equal ones by contract id, so that the same holdings give the same choice.
 * Only of this very instrument: anybody may issue something under the same id.
 */
export function selectHoldings(holdings: readonly Holding[], wanted: Wanted, limit = MAX_INPUTS): Selection {
  const { amount: need } = wanted;
  const mine = holdings.filter(
    (holding) =>
      holding.owner === wanted.owner &&
      holding.admin === wanted.admin &&
      holding.instrumentId === wanted.instrumentId &&
      holding.amount > 0n,
  );
  const free = mine.filter((holding) => !holding.locked).sort(byAmountThenId);
  const have = sum(free);
  if (have < need) {
    const locked = sum(mine) - have;
    const detail = `${formatDecimal(have)} unlocked, ${formatDecimal(need)} needed, ${formatDecimal(locked)} locked`;
    return { kind: 'insufficient', have, need, locked, detail };
  }
  const contractIds: string[] = [];
  let total = 0n;
  for (const holding of free) {
    if (total >= need) break;
    contractIds.push(holding.contractId);
    total += holding.amount;
  }
  if (contractIds.length <= limit) return { kind: 'selected', contractIds, total };
  const detail = `${contractIds.length} holdings are needed for ${formatDecimal(need)}, at most ${limit} fit; merge them`;
  return { kind: 'fragmented', have, need, pieces: contractIds.length, limit, detail };
}

function byAmountThenId(a: Holding, b: Holding): number {
  if (a.amount !== b.amount) return a.amount > b.amount ? -1 : 1;
  return a.contractId < b.contractId ? -1 : a.contractId > b.contractId ? 1 : 0;
}

const sum = (holdings: readonly Holding[]): bigint =>
  holdings.reduce((total, { amount }) => total + amount, 0n);
