// What a transfer of a registry's token does, whose factory and rules are templates that nobody here knows: every
// holding in it is accounted for, and beyond its inputs nothing of the sender's is touched.
import type { Create } from '@canton-network/core-ledger-proto';
import { formatDecimal } from '../../core/decimal.js';
import type { TransferFactory, TransferTerms } from '../../core/transfer.js';
import {
  holdingIn,
  instrumentFault,
  likeAnInput,
  nameOf,
  ownerFault,
  remaining,
  type SeenHolding,
  type Spent,
} from './holdings.js';
import type { Scene } from './scene.js';

type Kind = Extract<TransferFactory, { kind: 'registry' }>['transferKind'];

export function registryFault(scene: Scene, spent: Spent, terms: TransferTerms, kind: Kind): string | null {
  const left = remaining(scene).map((create) => ({ create, holding: holdingIn(create) }));
  const holdings = left.flatMap(({ holding }) => holding ?? []);
  const others = left.flatMap(({ create, holding }) => (holding === null ? [create] : []));
  const odd = others.find((create) => likeAnInput(create, spent));
  if (odd !== undefined) return `extra node: a holding that cannot be read, ${odd.contractId}`;
  return (
    touchedFault(scene, terms) ??
    foreignFault(holdings, spent, terms) ??
    sumFault(holdings, others.length > 0, spent, terms, kind) ??
    sharedFault(others, scene, terms)
  );
}

/** The sender's authority reaches everything below the root: no choice may use it on another of its contracts. */
function touchedFault({ tree, created }: Scene, { sender, holdings }: TransferTerms): string | null {
  for (const node of tree.below) {
    if (node.kind !== 'exercise') continue;
    const { contractId, choiceId, stakeholders } = node.exercise;
    if (!stakeholders.includes(sender) || created.has(contractId) || holdings.includes(contractId)) continue;
    return `extra node: ${choiceId} on ${nameOf(node.exercise)} ${contractId}, in which the sender has a stake`;
  }
  return null;
}

function foreignFault(holdings: readonly SeenHolding[], spent: Spent, terms: TransferTerms): string | null {
  for (const holding of holdings) {
    const wrong = ownerFault(holding, terms) ?? instrumentFault(holding, terms);
    if (wrong !== null) return wrong;
    if (!likeAnInput(holding.create, spent)) return `extra node: a holding as ${nameOf(holding.create)}`;
  }
  return null;
}

/**
 * Nothing is lost, and nothing goes elsewhere. At once: the amount to the receiver, the rest back. An offer: the rest
 * back, and the amount locked with the sender, or kept in the offer itself.
 */
function sumFault(
  holdings: readonly SeenHolding[],
  offered: boolean,
  { total }: Spent,
  { sender, receiver, amount }: TransferTerms,
  kind: Kind,
): string | null {
  const sum = (of: (holding: SeenHolding) => boolean): bigint =>
    holdings.filter(of).reduce((all, one) => all + one.amount, 0n);
  const free = sum(({ owner, locked }) => owner === sender && !locked);
  const locked = sum(({ owner, locked }) => owner === sender && locked);
  if (sender === receiver) {
    return free + locked === total
      ? null
      : `amount: ${formatDecimal(free + locked)} of ${formatDecimal(total)} stay`;
  }
  const received = sum(({ owner }) => owner === receiver);
  const usable = sum(({ owner, locked }) => owner === receiver && !locked);
  const change = free === total - amount;
  const atOnce = change && locked === 0n && received === amount && usable === amount;
  const later = change && received === 0n && (locked === amount || (locked === 0n && offered));
  if (atOnce || (later && (kind === 'offer' || kind === null))) return null;
  const what = `${formatDecimal(received)} for the receiver, ${formatDecimal(free)} for the sender`;
  return later
    ? `receiver: an offer, where a transfer at once was due`
    : `amount: ${what}, of ${formatDecimal(total)}`;
}

/** A contract that the sender signs is a promise: only to those who had a part in the transfer before. */
function sharedFault(others: readonly Create[], { inputs }: Scene, terms: TransferTerms): string | null {
  const known = new Set([terms.sender, terms.receiver, terms.admin]);
  for (const { stakeholders } of inputs.values()) for (const party of stakeholders) known.add(party);
  for (const create of others) {
    const stranger = create.stakeholders.find((party) => !known.has(party));
    if (stranger !== undefined && create.signatories.includes(terms.sender)) {
      return `extra node: a ${nameOf(create)} that the sender signs and ${stranger} sees`;
    }
  }
  return null;
}
