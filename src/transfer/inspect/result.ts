// What TransferFactory_Transfer says it did: completed, or made an offer, and what was burned on the way.
import { parseDecimal } from '../../core/decimal.js';
import { isEntity } from '../../core/entity.js';
import type { TransferTerms } from '../../core/transfer.js';
import type { Create } from '../prepared/transaction.js';
import type { Spent } from './holdings.js';
import { fieldAt } from './layouts.js';
import { difference, first, type Shape } from './shape.js';
import type { Exercised } from './tree.js';
import { as, textIn } from './values.js';

const PENDING = 'TransferInstructionResult_Pending';

/**
 * Finds the contract that the choice's result names as its TransferInstruction. Null if there is none to wait for; a
 * reason if it is not created here, or offers something other than what was asked for.
 */
export function offerIn(
  { exercise }: Exercised,
  others: readonly Create[],
  terms: TransferTerms,
): Create | null | string {
  const output = as(fieldAt(exercise.exerciseResult, 'output'), 'variant');
  if (output?.constructorName !== PENDING) return null;
  const id = as(fieldAt(output.value, 'transferInstructionCid'), 'contractId');
  const offer = others.find(({ contractId }) => contractId === id);
  if (offer === undefined) return `offer: ${id ?? 'no contract'} is not made here`;
  return offeredFault(offer, terms) ?? offer;
}

/** As both known templates store it: the Utility registry's TransferOffer and Splice's AmuletTransferInstruction. */
function offeredFault(offer: Create, terms: TransferTerms): string | null {
  const asked: Readonly<Record<string, Shape>> = {
    sender: { kind: 'party', is: terms.sender },
    receiver: { kind: 'party', is: terms.receiver },
    amount: { kind: 'numeric', is: terms.amount },
    'instrumentId.admin': { kind: 'party', is: terms.admin },
    'instrumentId.id': { kind: 'text', is: terms.instrumentId },
    executeBefore: { kind: 'timestamp', is: terms.executeBefore },
  };
  return first(
    Object.entries(asked).map(
      ([path, shape]) =>
        () =>
          difference(`offer.${path}`, fieldAt(offer.argument, `transfer.${path}`), shape),
    ),
  );
}

/** Where Splice's rules say what they burned. The key contains a dot, so it is not a path. */
const BURNED = 'splice.lfdecentralizedtrust.org/burned';

/**
 * Canton Coin charges its sender a fee, by rules that its admin has signed, so this much is missing in the end, as
 * the result says. Null for any other factory, whose word on it would be worth nothing.
 */
export function feeOf({ exercise }: Exercised, { holdings }: Spent, { admin }: TransferTerms): bigint | null {
  const charges =
    holdings.every(({ family }) => family === 'amulet') &&
    isEntity(exercise.templateId, 'Splice.ExternalPartyAmuletRules', 'ExternalPartyAmuletRules') &&
    exercise.signatories.includes(admin);
  if (!charges) return null;
  const entries = as(fieldAt(exercise.exerciseResult, 'meta.values'), 'textMap')?.entries ?? [];
  const burned = parseDecimal(textIn(entries.find(({ key }) => key === BURNED)?.value) ?? '0');
  return burned !== null && burned > 0n ? burned : 0n;
}
