// What the ledger is in the middle of: where parties are, what they may spend on traffic, whether the network confirms.
import { refuse } from '../errors.js';
import type { Transaction } from './submission.js';

/** Of a party that was allocated: nowhere to be seen, not active, or on its way to another participant. */
export type Whereabouts = 'unknown' | 'inactive' | 'onboarding';

/**
 * `unconfirmed`: sequenced, and too few confirm in time. `unsequenced`: nothing reaches the sequencer in time.
 * `refusing`: the sequencer takes nothing.
 */
export type Network = 'fine' | 'unconfirmed' | 'unsequenced' | 'refusing';

export class Conditions {
  readonly whereabouts = new Map<string, Whereabouts>();
  /** Accounts that are enforced, by party; anybody else's submissions cost the participant. */
  readonly balances = new Map<string, number>();
  network: Network = 'fine';
}

/** Traffic goes by bytes: of each node, and of what surrounds them. */
export const trafficCost = ({ nodes }: Pick<Transaction, 'nodes'>): number => 2000 + 500 * nodes.length;

/** Accounts are of single parties: who acts with others is not looked at. */
export function requireTraffic({ balances }: Conditions, actAs: readonly string[], cost: number): void {
  const [party] = actAs;
  const balance = party === undefined || actAs.length > 1 ? undefined : balances.get(party);
  if (balance === undefined || balance >= cost) return;
  refuse(
    'TRAFFIC_ACCOUNT_VALIDATION_FAILED',
    `Insufficient balance (${balance}) for actual traffic cost (${cost}) for account ${party}`,
  );
}

/** What was sequenced is paid for, whatever becomes of it. Returns the cost. */
export function debit({ balances }: Conditions, actAs: readonly string[], cost: number): number {
  const [party] = actAs;
  const balance = party === undefined || actAs.length > 1 ? undefined : balances.get(party);
  if (party !== undefined && balance !== undefined) balances.set(party, balance - cost);
  return cost;
}
