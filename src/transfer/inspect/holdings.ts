// Holdings as two known templates write them, and what becomes of the sender's.
import type { Create, Value } from '@canton-network/core-ledger-proto';
import { formatDecimal } from '../../core/decimal.js';
import type { TransferTerms } from '../../core/transfer.js';
import type { Scene } from './scene.js';
import { amountIn, fieldsOf, partyIn, presentIn, textIn } from './values.js';

export interface SeenHolding {
  readonly owner: string;
  readonly admin: string;
  readonly instrumentId: string;
  readonly amount: bigint;
  readonly locked: boolean;
  readonly create: Create;
}

/** CIP56Holding has instrumentId {admin, id}; a utility registry's holding has instrument {source, id}. */
export function holdingIn(create: Create): SeenHolding | null {
  const fields = fieldsOf(create.argument);
  const instrument =
    instrumentIn(fields?.get('instrumentId'), 'admin') ?? instrumentIn(fields?.get('instrument'), 'source');
  const owner = partyIn(fields?.get('owner'));
  const amount = amountIn(fields?.get('amount'));
  const locked = presentIn(fields?.get('lock'));
  if (instrument === null || owner === null || amount === null || locked === null) return null;
  return { owner, ...instrument, amount, locked, create };
}

export function instrumentIn(
  value: Value | undefined,
  adminLabel = 'admin',
): { readonly admin: string; readonly instrumentId: string } | null {
  const fields = fieldsOf(value);
  const admin = partyIn(fields?.get(adminLabel));
  const instrumentId = textIn(fields?.get('id'));
  return admin === null || instrumentId === null ? null : { admin, instrumentId };
}

/** Of another instrument, or in its name only: anybody can make a contract that looks like a holding. */
export function instrumentFault(
  { admin, instrumentId, create }: SeenHolding,
  terms: TransferTerms,
): string | null {
  if (admin !== terms.admin || instrumentId !== terms.instrumentId) {
    return `instrument: ${instrumentId} of ${admin} in ${create.contractId}`;
  }
  return create.signatories.includes(admin)
    ? null
    : `instrument: its admin did not sign ${create.contractId}`;
}

/** For whom it should be, and seen by them: who is no stakeholder does not find it. */
export function ownerFault(holding: SeenHolding, { sender, receiver }: TransferTerms): string | null {
  const { owner, amount, create } = holding;
  if (owner !== sender && owner !== receiver) {
    return `receiver: ${formatDecimal(amount)} for ${owner}, where ${receiver} was asked for`;
  }
  return create.stakeholders.includes(owner) ? null : `receiver: ${owner} does not see ${create.contractId}`;
}

/** The sender's holdings that are spent, exactly those that were chosen; what they come to. */
export interface Spent {
  readonly kind: 'spent';
  readonly holdings: readonly SeenHolding[];
  readonly total: bigint;
}

/** Whatever the sender has a stake in and this transaction consumes is an input, and every input is consumed. */
export function spentOf(
  scene: Scene,
  terms: TransferTerms,
): Spent | { readonly kind: 'fault'; readonly reason: string } {
  const fault = (reason: string) => ({ kind: 'fault', reason }) as const;
  const chosen = new Set(terms.holdings);
  for (const id of scene.consumed) {
    if (!chosen.has(id) && scene.inputs.get(id)?.stakeholders.includes(terms.sender)) {
      return fault(`extra input: ${id} of the sender is consumed`);
    }
  }
  const holdings: SeenHolding[] = [];
  for (const id of chosen) {
    const contract = scene.inputs.get(id);
    if (contract === undefined || !scene.consumed.has(id))
      return fault(`missing input: ${id} is not consumed`);
    const holding = holdingIn(contract);
    if (holding === null || holding.owner !== terms.sender)
      return fault(`input: ${id} is no holding of the sender`);
    if (holding.locked) return fault(`input: ${id} is locked`);
    const wrong = instrumentFault(holding, terms);
    if (wrong !== null) return fault(wrong);
    holdings.push(holding);
  }
  const total = holdings.reduce((sum, { amount }) => sum + amount, 0n);
  return total < terms.amount
    ? fault(`amount: the inputs come to ${formatDecimal(total)}`)
    : { kind: 'spent', holdings, total };
}

/** What is left in the end: made here, and not consumed here. */
export const remaining = ({ created, consumed }: Scene): readonly Create[] =>
  [...created.values()].filter(({ contractId }) => !consumed.has(contractId));

/** The same template as an input's, whatever its package's version. */
export const likeAnInput = (create: Create, { holdings }: Spent): boolean =>
  holdings.some(
    ({ create: input }) =>
      input.packageName === create.packageName &&
      input.templateId?.moduleName === create.templateId?.moduleName &&
      input.templateId?.entityName === create.templateId?.entityName,
  );

export const nameOf = ({ templateId }: Pick<Create, 'templateId'>): string =>
  `${templateId?.moduleName ?? ''}:${templateId?.entityName ?? ''}`;
