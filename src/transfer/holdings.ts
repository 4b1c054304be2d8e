// Selects the holdings that a transfer spends.
import { formatDecimal } from '../core/decimal.js';
import type { Holding, Holdings } from '../core/holding.js';
import { type Micros, microsOf } from '../core/ids.js';
import type { Token } from '../core/token.js';
import { heldBack } from './held.js';

/** Canton Coin's rules accept no more, and would refuse for good a transfer that passes with other holdings. */
export const MAX_REGISTRY_INPUTS = 100;

export interface WantedHoldings {
  readonly owner: string;
  readonly admin: string;
  readonly instrumentId: string;
  /** In units of 10^-10. */
  readonly amount: bigint;
  /** Not later than the ledger's time (I7): a lock that ends by then has expired. */
  readonly now: Micros;
  readonly takesExpiredLocks: boolean;
  readonly maxInputs: number;
}

export type Selection =
  | {
      readonly kind: 'selected';
      readonly contractIds: readonly string[];
      readonly total: bigint;
      /** Some of them were locked: TOKENS_FILE decides whether the factory accepts them. */
      readonly endedLocks: boolean;
    }
  /** Counting everything the owner has of this instrument, wherever it is. */
  | { readonly kind: 'insufficient'; readonly detail: string }
  /**
   * The money may be there, but cannot be spent now. `until`: when enough locks will have expired, if that alone
   * suffices.
   */
  | { readonly kind: 'held'; readonly detail: string; readonly until: Micros | null }
  /** The balance is there, but in too many pieces for one transaction. */
  | {
      readonly kind: 'fragmented';
      readonly pieces: number;
      readonly limit: number;
      readonly detail: string;
    };

/** As `Selection`, where other transfers of the owner may be spending some of the holdings. */
export type UnreservedSelection =
  | Selection
  /** All of it together suffices, but too little is not reserved. */
  | { readonly kind: 'reserved'; readonly contractIds: readonly string[]; readonly detail: string };

/** What a token's factory accepts if TOKENS_FILE does not say. */
export function inputRules(
  token: Pick<Token, 'instrumentAdmin' | 'takesExpiredLocks' | 'maxInputs'>,
  issuer: string,
): Pick<WantedHoldings, 'takesExpiredLocks' | 'maxInputs'> {
  const own = token.instrumentAdmin === issuer;
  return {
    takesExpiredLocks: token.takesExpiredLocks ?? !own,
    maxInputs: token.maxInputs ?? (own ? Number.POSITIVE_INFINITY : MAX_REGISTRY_INPUTS),
  };
}

/** Locks that end after this count as locked: the database's time, less how far the ledger's may be behind it. */
export const leastLedgerTime = (databaseNow: number, clockSkewMaxMs: number): Micros =>
  microsOf(Math.floor(databaseNow - clockSkewMaxMs));

/**
 * Largest first, so that few inputs suffice; equal amounts by contract id, so that the same holdings give the same
 * choice; holdings with an expired lock last. Only holdings of this very instrument: anybody may issue something with
 * the same id.
 */
export function selectHoldings({ holdings, unreadable }: Holdings, wanted: WantedHoldings): Selection {
  const { amount: need, maxInputs: limit } = wanted;
  const mine = holdings.filter((holding) => isOf(holding, wanted));
  const here = mine.filter(({ place }) => place.kind === 'here');
  const free = here.filter(({ lock }) => lock === null).sort(byAmountThenId);
  const ended = wanted.takesExpiredLocks ? here.filter((one) => endsBy(one, wanted.now)) : [];
  const usable = [...free, ...ended.sort(byAmountThenId)];
  if (sum(usable) >= need) return select(usable, need, limit);

  // Its admin signs a holding, so an unreadable one belongs to this instrument only if this admin is among the
  // signatories.
  const odd = unreadable.filter(({ signatories }) => signatories?.includes(wanted.admin) ?? true);
  const detail = `${formatDecimal(need)} needed, ${formatDecimal(sum(usable))} can be spent`;
  if (sum(mine) < need && odd.length === 0)
    return { kind: 'insufficient', detail: `${detail}, ${formatDecimal(sum(mine))} owned in all` };
  const held = mine.filter((one) => !usable.includes(one));
  const why = heldBack(held, odd, wanted);
  return { kind: 'held', detail: `${detail}: ${why}`, until: untilFree(here, sum(usable), wanted) };
}

/**
 * Among the holdings that nobody has reserved. What is reserved counts all the same: a transfer waits for it as long as
 * everything together suffices, since what it is reserved for may leave enough, or never happen. Null: nothing is reserved.
 */
export function selectUnreserved(
  { holdings, unreadable }: Holdings,
  isReserved: ((contractId: string) => boolean) | null,
  wanted: WantedHoldings,
): UnreservedSelection {
  const whole = selectHoldings({ holdings, unreadable }, wanted);
  if (isReserved === null) return whole;
  const reserved = holdings.filter((one) => isOf(one, wanted) && isReserved(one.contractId));
  if (reserved.length === 0 || whole.kind === 'insufficient' || whole.kind === 'held') return whole;
  const unreserved = holdings.filter((one) => !reserved.includes(one));
  const chosen = selectHoldings({ holdings: unreserved, unreadable }, wanted);
  if (chosen.kind === 'selected') return chosen;
  const free = unreserved.filter((one) => isOf(one, wanted));
  const detail = `${formatDecimal(wanted.amount)} needed, ${formatDecimal(sum(free))} not reserved, ${formatDecimal(sum(reserved))} reserved for earlier transfers`;
  return { kind: 'reserved', contractIds: reserved.map(({ contractId }) => contractId), detail };
}

function select(usable: readonly Holding[], need: bigint, limit: number): Selection {
  const chosen: Holding[] = [];
  let total = 0n;
  for (const holding of usable) {
    if (total >= need) break;
    chosen.push(holding);
    total += holding.amount;
  }
  if (chosen.length > limit) {
    const detail = `${formatDecimal(need)} takes ${chosen.length} holdings, and a transfer can spend ${limit} at most; merge them`;
    return { kind: 'fragmented', pieces: chosen.length, limit, detail };
  }
  const contractIds = chosen.map(({ contractId }) => contractId);
  return { kind: 'selected', contractIds, total, endedLocks: chosen.some(({ lock }) => lock !== null) };
}

/** When the lock ends that makes the amount sufficient. */
function untilFree(here: readonly Holding[], usable: bigint, wanted: WantedHoldings): Micros | null {
  if (!wanted.takesExpiredLocks) return null;
  const ending = here
    .flatMap(({ lock, amount }) => (lock?.expiresAt == null ? [] : [{ at: lock.expiresAt, amount }]))
    .filter(({ at }) => at > wanted.now)
    .sort((a, b) => (a.at < b.at ? -1 : 1));
  let sum = usable;
  for (const { at, amount } of ending) {
    sum += amount;
    if (sum >= wanted.amount) return at;
  }
  return null;
}

const isOf = (holding: Holding, { owner, admin, instrumentId }: WantedHoldings): boolean =>
  holding.owner === owner &&
  holding.admin === admin &&
  holding.instrumentId === instrumentId &&
  holding.amount > 0n;

export const endsBy = ({ lock }: Pick<Holding, 'lock'>, now: Micros): boolean =>
  lock !== null && lock.expiresAt !== null && lock.expiresAt <= now;

function byAmountThenId(a: Holding, b: Holding): number {
  if (a.amount !== b.amount) return a.amount > b.amount ? -1 : 1;
  return a.contractId < b.contractId ? -1 : a.contractId > b.contractId ? 1 : 0;
}

const sum = (holdings: readonly Holding[]): bigint =>
  holdings.reduce((total, { amount }) => total + amount, 0n);
