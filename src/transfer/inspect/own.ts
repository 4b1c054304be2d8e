// What a transfer of our own issuer's token does, down to the last node: its template is known.

import { formatDecimal } from '../../core/decimal.js';
import { isEntity } from '../../core/entity.js';
import type { TransferTerms } from '../../core/transfer.js';
import type { Create } from '../prepared/transaction.js';
import { instrumentFault, instrumentIn, likeAnInput, ownerFault, type Spent } from './holdings.js';
import { holdingIn, nameOf, OWN } from './layouts.js';
import type { Scene } from './scene.js';
import type { Exercised } from './tree.js';
import { amountIn, fieldsOf, optionalPartyIn, partyIn, sameSet } from './values.js';

const isHolding = (create: Create): boolean => isEntity(create.templateId, 'CIP56.Token', 'CIP56Holding');
const isEvent = (create: Create): boolean =>
  isEntity(create.templateId, 'CIP56.Events', 'TokenTransferEvent');

/**
 * It archives the inputs and creates the receiver's holding, the sender's change if any, and one event. Fetches
 * change nothing and are fine; any other node is one too many.
 */
export function ownFault(scene: Scene, spent: Spent, terms: TransferTerms, issuer: string): string | null {
  const { root, below } = scene.tree;
  if (terms.admin !== issuer) return `instrument: of ${terms.admin}, who is not our issuer`;
  if (!root.exercise.signatories.includes(issuer)) return 'root: the factory is not signed by our issuer';
  for (const { create } of spent.holdings) {
    if (!isHolding(create)) return `input: ${create.contractId} is a ${nameOf(create)}`;
    if (!issuedBy(create, issuer)) return `input: ${create.contractId} is not our issuer's`;
  }
  const inputs = new Set(terms.holdings);
  for (const node of below) {
    if (node.kind === 'exercise' && !archivesInput(node, inputs)) {
      return `extra node: ${node.exercise.choiceId} on ${node.exercise.contractId}`;
    }
  }
  const created = [...scene.created.values()];
  const odd = created.find((create) => !isHolding(create) && !isEvent(create));
  if (odd !== undefined) return `extra node: a ${nameOf(odd)}`;
  return (
    holdingsFault(created.filter(isHolding), spent, terms) ??
    eventFault(created.filter(isEvent), spent, terms)
  );
}

/** Archivals are exercised by the signatories. That each input is consumed once has been checked before. */
const archivesInput = ({ exercise }: Exercised, inputs: ReadonlySet<string>): boolean =>
  exercise.choiceId === 'Archive' &&
  exercise.consuming &&
  exercise.children.length === 0 &&
  sameSet(exercise.actingParties, exercise.signatories) &&
  inputs.has(exercise.contractId);

const issuedBy = (create: Create, issuer: string): boolean =>
  partyIn(fieldsOf(create.argument)?.get('issuer')) === issuer;

function holdingsFault(created: readonly Create[], spent: Spent, terms: TransferTerms): string | null {
  const change = spent.total - terms.amount;
  const due = [{ owner: terms.receiver, amount: terms.amount }];
  if (change > 0n) due.push({ owner: terms.sender, amount: change });
  for (const create of created) {
    const holding = holdingIn(create, [OWN]);
    if (holding === null || !likeAnInput(holding, spent)) return 'extra node: a holding that cannot be read';
    if (!issuedBy(create, terms.admin)) return `instrument: ${create.contractId} is not our issuer's`;
    const wrong = instrumentFault(holding, terms) ?? ownerFault(holding, terms);
    if (wrong !== null) return wrong;
    if (holding.lock !== null) return `extra node: a locked holding of ${holding.owner}`;
    const index = due.findIndex(({ owner, amount }) => owner === holding.owner && amount === holding.amount);
    if (index < 0) {
      const what = `a holding of ${formatDecimal(holding.amount)} for ${holding.owner}`;
      return due.length === 0 ? `extra node: ${what}` : `amount: ${what}`;
    }
    due.splice(index, 1);
  }
  const [missing] = due;
  return missing === undefined
    ? null
    : `amount: no holding of ${formatDecimal(missing.amount)} for ${missing.owner}`;
}

/** A party that sees only the receiver's side learns from this event what was paid. */
function eventFault(events: readonly Create[], { holdings }: Spent, terms: TransferTerms): string | null {
  const [event, ...others] = events;
  if (event === undefined || others.length > 0)
    return `extra node: ${events.length} transfer events, where one is expected`;
  const fields = fieldsOf(event.argument);
  const instrument = instrumentIn(fields?.get('instrumentId'));
  const says =
    event.packageName === holdings[0]?.create.packageName &&
    event.signatories.includes(terms.admin) &&
    issuedBy(event, terms.admin) &&
    optionalPartyIn(fields?.get('fromParty')) === terms.sender &&
    optionalPartyIn(fields?.get('toParty')) === terms.receiver &&
    amountIn(fields?.get('amount')) === terms.amount &&
    instrument?.admin === terms.admin &&
    instrument.instrumentId === terms.instrumentId;
  return says ? null : 'event: it describes another transfer';
}
