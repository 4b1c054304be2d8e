// Money that exists but cannot be spent now: how to describe it, and how not to judge it.
import { formatDecimal } from '../core/decimal.js';
import type { Holding, UnreadableHolding } from '../core/holding.js';
import type { Micros } from '../core/ids.js';
import type { Refusal } from '../protocol/outcome.js';

interface Judged {
  /** Not later than the ledger's time. */
  readonly now: Micros;
}

/** Why, and who has to do what. Names the first contract of each kind. */
export function heldBack(
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

function kindOf({ place, lock }: Holding, { now }: Judged): Kind {
  if (place.kind !== 'here') return place.kind;
  if (lock === null || lock.expiresAt === null) return 'locked';
  return lock.expiresAt <= now ? 'ended' : 'ends';
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
