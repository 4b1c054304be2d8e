// The state of the ledger's surroundings: where parties are, what they may spend on traffic, whether the network
// confirms.
import { refuse } from '../errors.js';
import type { Transaction } from './submission.js';

/** An allocated party can be unknown, inactive, or on its way to another participant. */
export type Whereabouts = 'unknown' | 'inactive' | 'onboarding';

/**
 * `unconfirmed`: sequenced, but too few confirm in time. `unsequenced`: nothing reaches the sequencer in time.
 * `refusing`: the sequencer accepts nothing.
 */
export type Network = 'fine' | 'unconfirmed' | 'unsequenced' | 'refusing';

export class Conditions {
  readonly whereabouts = new Map<string, Whereabouts>();
  /** Enforced accounts, by party; everybody else's submissions are charged to the participant. */
  readonly balances = new Map<string, number>();
  network: Network = 'fine';
}

/** Traffic is counted in bytes: of each node, and of what surrounds them. */
export const trafficCost = ({ nodes }: Pick<Transaction, 'nodes'>): number => 2000 + 500 * nodes.length;

/** Accounts belong to single parties: submissions of several parties are not checked. */
export function requireTraffic({ balances }: Conditions, actAs: readonly string[], cost: number): void {
  const [party] = actAs;
  const balance = party === undefined || actAs.length > 1 ? undefined : balances.get(party);
  if (balance === undefined || balance >= cost) return;
  refuse(
    'TRAFFIC_ACCOUNT_VALIDATION_FAILED',
    `Insufficient balance (${balance}) for actual traffic cost (${cost}) for account ${party}`,
  );
}

/** Whatever was sequenced is paid for, no matter what becomes of it. Returns the cost. */
export function debit({ balances }: Conditions, actAs: readonly string[], cost: number): number {
  const [party] = actAs;
  const balance = party === undefined || actAs.length > 1 ? undefined : balances.get(party);
  if (party !== undefined && balance !== undefined) balances.set(party, balance - cost);
  return cost;
}
