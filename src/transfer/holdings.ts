// Selects the holdings that a transfer spends.
import { formatDecimal } from '../core/decimal.js';
import type { Holding, Holdings, UnreadableHolding } from '../core/holding.js';
import { type Micros, microsOf } from '../core/ids.js';
import type { Token } from '../core/token.js';
import type { Refusal } from '../protocol/outcome.js';

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
export const leastLedgerTime = (databaseTime: number, clockSkewMaxMs: number): Micros =>
  microsOf(Math.floor(databaseTime - clockSkewMaxMs));

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

const endsBy = ({ lock }: Pick<Holding, 'lock'>, now: Micros): boolean =>
  lock !== null && lock.expiresAt !== null && lock.expiresAt <= now;

function byAmountThenId(a: Holding, b: Holding): number {
  if (a.amount !== b.amount) return a.amount > b.amount ? -1 : 1;
  return a.contractId < b.contractId ? -1 : a.contractId > b.contractId ? 1 : 0;
}

const sum = (holdings: readonly Holding[]): bigint =>
  holdings.reduce((total, { amount }) => total + amount, 0n);

// Money that exists but cannot be spent now: how to describe it, and how not to judge it.
interface Judged {
  /** Not later than the ledger's time. */
  readonly now: Micros;
}

/** Why, and who has to do what. Names the first contract of each kind. */
function heldBack(
  held: readonly Holding[],
  unreadable: readonly UnreadableHolding[],
  judged: Judged,
): string {
  const groups = new Map<string, { readonly first: Holding; amount: bigint; count: number }>();
  for (const holding of held) {
    const group = groups.get(kindOf(holding, judged)) ?? { first: holding, amount: 0n, count: 0 };
    group.amount += holding.amount;
    group.count += 1;
    groups.set(kindOf(holding, judged), group);
  }
  const parts = [...groups.values()].map(
    ({ first, amount, count }) => `${formatDecimal(amount)} ${said(first, judged)}${more(count)}`,
  );
  const [odd] = unreadable;
  if (odd !== undefined) parts.push(`${named(odd)} cannot be read: ${odd.why}${more(unreadable.length)}`);
  return parts.join('; ');
}

type Kind = 'elsewhere' | 'moving' | 'ended' | 'ends' | 'locked';

function kindOf(holding: Holding, { now }: Judged): Kind {
  const { place, lock } = holding;
  if (place.kind !== 'here') return place.kind;
  if (lock === null || lock.expiresAt === null) return 'locked';
  return endsBy(holding, now) ? 'ended' : 'ends';
}

function said(holding: Holding, judged: Judged): string {
  const { place, lock, contractId } = holding;
  if (place.kind === 'elsewhere')
    return `active on ${place.synchronizerId}: reassign it to ours (${contractId})`;
  if (place.kind === 'moving') return `in reassignment to ${place.to} (${contractId})`;
  const holders = lock?.holders.join(', ') || 'an unknown party';
  const end = lock?.expiresAt == null ? '' : ` until ${isoOf(lock.expiresAt)}`;
  if (kindOf(holding, judged) === 'ended')
    return `was locked${end}, and the token's factory does not accept expired locks: ${holders} has to release ${contractId}`;
  return `locked by ${holders}${end} (${contractId})`;
}

const named = ({ template, contractId }: UnreadableHolding): string =>
  contractId === '' ? 'one contract' : `${template} ${contractId}`;

const more = (count: number): string => (count > 1 ? `, and ${count - 1} more` : '');

/** Beyond a Date's range it is shown as it came. */
function isoOf(micros: Micros): string {
  const date = new Date(Number(micros / 1000n));
  return Number.isNaN(date.getTime()) ? `${micros} µs` : date.toISOString();
}

/**
 * Whether a factory accepts holdings whose lock has expired comes from TOKENS_FILE or is assumed. A Daml rule that
 * refuses such a transfer may have judged just that, so the refusal must not fail the row (I5).
 */
export function notForLocks(refusal: Refusal, endedLocks: boolean): Refusal {
  if (!endedLocks || refusal.kind === 'not-the-row') return refusal;
  const detail = `${refusal.detail} (it spends holdings whose lock has expired; if the token's factory does not accept them, set "takesExpiredLocks": false)`;
  return { ...refusal, kind: 'try-again', detail };
}
