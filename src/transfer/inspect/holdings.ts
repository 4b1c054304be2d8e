// What happens to the sender's holdings.
import { formatDecimal } from '../../core/decimal.js';
import type { TransferTerms } from '../../core/transfer.js';
import type { Create, Value } from '../prepared/transaction.js';
import { holdingIn, type Layout, layoutFor, nameOf, type PreparedHolding } from './layouts.js';
import type { Scene } from './scene.js';
import { fieldsOf, partyIn, textIn } from './values.js';

export function instrumentIn(
  value: Value | undefined,
): { readonly admin: string; readonly instrumentId: string } | null {
  const fields = fieldsOf(value);
  const admin = partyIn(fields?.get('admin'));
  const instrumentId = textIn(fields?.get('id'));
  return admin === null || instrumentId === null ? null : { admin, instrumentId };
}

/**
 * A holding of another instrument, or one that only claims this one: anybody can create a contract that looks like a
 * holding.
 */
export function instrumentFault(
  { admin, instrumentId, create }: PreparedHolding,
  terms: TransferTerms,
): string | null {
  if (admin !== terms.admin || instrumentId !== terms.instrumentId) {
    return `instrument: ${instrumentId} of ${admin} in ${create.contractId}`;
  }
  return create.signatories.includes(admin)
    ? null
    : `instrument: its admin did not sign ${create.contractId}`;
}

/** The holding must be for the right party, and visible to it: only stakeholders find a contract. */
export function ownerFault(holding: PreparedHolding, { sender, receiver }: TransferTerms): string | null {
  const { owner, amount, create } = holding;
  if (owner !== sender && owner !== receiver) {
    return `receiver: ${formatDecimal(amount)} for ${owner}, where ${receiver} was asked for`;
  }
  return create.stakeholders.includes(owner) ? null : `receiver: ${owner} does not see ${create.contractId}`;
}

/** The sender's holdings that are spent, which are exactly the chosen ones, and their total. */
export interface Spent {
  readonly kind: 'spent';
  readonly holdings: readonly PreparedHolding[];
  readonly total: bigint;
}

export type NotSpent =
  | { readonly kind: 'fault'; readonly reason: string }
  /** Nobody is to blame: the layout of this template is not known here. */
  | { readonly kind: 'undescribed'; readonly template: string };

/**
 * Whatever this transaction consumes that the sender has a stake in is an input, and every input is consumed. `now`:
 * the transaction's ledger time, in microseconds; a lock that ends by then has expired.
 */
export function spentOf(
  scene: Scene,
  terms: TransferTerms,
  layouts: readonly Layout[],
  now: bigint,
): Spent | NotSpent {
  const fault = (reason: string) => ({ kind: 'fault', reason }) as const;
  const chosen = new Set(terms.holdings);
  for (const id of scene.consumed) {
    if (!chosen.has(id) && scene.inputs.get(id)?.stakeholders.includes(terms.sender)) {
      return fault(`extra input: ${id} of the sender is consumed`);
    }
  }
  const holdings: PreparedHolding[] = [];
  for (const id of chosen) {
    const contract = scene.inputs.get(id);
    if (contract === undefined || !scene.consumed.has(id))
      return fault(`missing input: ${id} is not consumed`);
    if (layoutFor(contract, layouts) === undefined)
      return { kind: 'undescribed', template: nameOf(contract) };
    const holding = holdingIn(contract, layouts);
    if (holding === null || holding.owner !== terms.sender)
      return fault(`input: ${id} is not a holding of the sender`);
    const { lock } = holding;
    if (lock !== null && (lock.expiresAt === null || lock.expiresAt > now))
      return fault(`input: ${id} is locked`);
    const wrong = instrumentFault(holding, terms);
    if (wrong !== null) return fault(wrong);
    holdings.push(holding);
  }
  const total = holdings.reduce((sum, { amount }) => sum + amount, 0n);
  return total < terms.amount
    ? fault(`amount: the inputs come to ${formatDecimal(total)}`)
    : { kind: 'spent', holdings, total };
}

/** What exists afterwards: created here and not consumed here. */
export const remaining = ({ created, consumed }: Scene): readonly Create[] =>
  [...created.values()].filter(({ contractId }) => !consumed.has(contractId));

/** A holding of a template that an input's template may turn into, whatever the package version. */
export const likeAnInput = ({ family, create }: PreparedHolding, { holdings }: Spent): boolean =>
  holdings.some((input) => input.family === family && input.create.packageName === create.packageName);
