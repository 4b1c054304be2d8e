// What a transfer of a registry's token does. Its factory and rules are templates that are not known here, so: every
// holding in it is accounted for, nothing else of the sender's is touched, and nothing is promised.
import { formatDecimal } from '../../core/decimal.js';
import type { TransferFactory, TransferTerms } from '../../core/transfer.js';
import type { Create } from '../prepared/transaction.js';
import { instrumentFault, likeAnInput, ownerFault, remaining, type Spent } from './holdings.js';
import { holdingIn, type Layout, layoutFor, nameOf, type PreparedHolding } from './layouts.js';
import { feeOf, offerIn } from './result.js';
import type { Scene } from './scene.js';
import { first } from './shape.js';

type Kind = Extract<TransferFactory, { kind: 'registry' }>['transferKind'];

export function registryFault(
  scene: Scene,
  spent: Spent,
  terms: TransferTerms,
  kind: Kind,
  layouts: readonly Layout[],
): string | null {
  const left = remaining(scene);
  const odd = left.find((create) => layoutFor(create, layouts) && holdingIn(create, layouts) === null);
  if (odd !== undefined) return `extra node: a holding that cannot be read, ${odd.contractId}`;
  const holdings = left.flatMap((create) => holdingIn(create, layouts) ?? []);
  const others = left.filter((create) => layoutFor(create, layouts) === undefined);
  const offer = offerIn(scene.tree.root, others, terms);
  if (typeof offer === 'string') return offer;
  return first([
    () => touchedFault(scene, terms),
    () => foreignFault(holdings, spent, terms),
    () =>
      sumFault(holdings, spent, terms, {
        kind,
        offered: offer !== null,
        fee: feeOf(scene.tree.root, spent, terms),
      }),
    () => promiseFault(left, others, offer, spent, terms),
  ]);
}

/**
 * The sender's authority reaches everything below the root, so no choice may use it on another of the sender's
 * contracts.
 */
function touchedFault({ tree, created }: Scene, { sender, holdings }: TransferTerms): string | null {
  const inputs = new Set(holdings);
  for (const node of tree.below) {
    if (node.kind !== 'exercise') continue;
    const { contractId, choiceId, stakeholders } = node.exercise;
    if (!stakeholders.includes(sender) || created.has(contractId) || inputs.has(contractId)) continue;
    return `extra node: ${choiceId} on ${nameOf(node.exercise)} ${contractId}, in which the sender has a stake`;
  }
  return null;
}

function foreignFault(
  holdings: readonly PreparedHolding[],
  spent: Spent,
  terms: TransferTerms,
): string | null {
  for (const holding of holdings) {
    const wrong = ownerFault(holding, terms) ?? instrumentFault(holding, terms);
    if (wrong !== null) return wrong;
    if (!likeAnInput(holding, spent)) return `extra node: a holding as ${nameOf(holding.create)}`;
  }
  return null;
}

interface Ending {
  readonly kind: Kind;
  readonly offered: boolean;
  /** What the admin's own rules burn; null: there are no such rules, and nothing may be missing. */
  readonly fee: bigint | null;
}

/**
 * Nothing is lost, and nothing goes elsewhere. Direct: the amount goes to the receiver, the rest back. Offer: the
 * rest goes back, and the amount stays locked with the sender or is kept in the offer itself. If there are fees, the
 * locked amount also has to cover those of the acceptance.
 */
function sumFault(
  holdings: readonly PreparedHolding[],
  { total }: Spent,
  { sender, receiver, amount }: TransferTerms,
  { kind, offered, fee }: Ending,
): string | null {
  const sum = (of: (holding: PreparedHolding) => boolean): bigint =>
    holdings.filter(of).reduce((all, one) => all + one.amount, 0n);
  const free = sum(({ owner, lock }) => owner === sender && lock === null);
  const locked = sum(({ owner, lock }) => owner === sender && lock !== null);
  const rest = total - (fee ?? 0n);
  if (sender === receiver) {
    return free + locked === rest && !offered
      ? null
      : `amount: ${formatDecimal(free + locked)} of ${formatDecimal(total)} stay`;
  }
  const received = sum(({ owner }) => owner === receiver);
  const usable = sum(({ owner, lock }) => owner === receiver && lock === null);
  const covers = fee === null ? locked === amount : locked >= amount;
  const atOnce =
    !offered && locked === 0n && received === amount && usable === amount && free === rest - amount;
  const later =
    offered && received === 0n && (locked === 0n ? free === rest - amount : covers && free === rest - locked);
  if (atOnce || (later && (kind === 'offer' || kind === null))) return null;
  const what = `${formatDecimal(received)} for the receiver, ${formatDecimal(free)} for the sender`;
  return later
    ? `receiver: an offer, where a direct transfer was expected`
    : `amount: ${what}, of ${formatDecimal(total)}`;
}

/**
 * A contract that the sender signs can bind the sender for ever, so only those that a transfer needs may exist:
 * holdings, and the one offer. And no party may appear in them that had no part in the holdings spent: anyone whom
 * the registry brings in through contracts of its own is a stranger.
 */
function promiseFault(
  left: readonly Create[],
  others: readonly Create[],
  offer: Create | null,
  { holdings }: Spent,
  { sender, receiver, admin }: TransferTerms,
): string | null {
  const known = new Set<string>([sender, receiver, admin]);
  for (const { create } of holdings) for (const party of create.stakeholders) known.add(party);
  const noHoldings = new Set(others);
  for (const create of left) {
    if (!create.signatories.includes(sender)) continue;
    if (noHoldings.has(create) && create !== offer)
      return `promise: a ${nameOf(create)} that the sender signs`;
    const stranger = create.stakeholders.find((party) => !known.has(party));
    if (stranger !== undefined)
      return `promise: a ${nameOf(create)} that the sender signs and ${stranger} has a part in`;
  }
  return null;
}
