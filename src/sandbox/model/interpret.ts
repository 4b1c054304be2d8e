// Interprets a submission against the contracts as published now. This comes before deduplication, so a retry whose
// inputs are spent gets CONTRACT_NOT_FOUND, although its first attempt was accepted.
import type { Micros } from '../clock.js';
import { isHolding, isOffer, type Payload, stakeholders } from '../daml/contracts.js';
import { type Effects, interpretTransfer } from '../daml/transfer.js';
import type { LedgerState } from './ledger-state.js';
import type { Node } from './records.js';
import { requireHere, requireHosted, requireKnown } from './routing.js';
import type { CommandSubmission, LedgerTimeBounds, Transaction } from './submission.js';

export interface Interpreted extends Transaction {
  readonly bounds: LedgerTimeBounds;
}

/** Submitted by this participant, so it must be allowed to submit for the parties. */
export function interpretHosted(
  submission: CommandSubmission,
  state: LedgerState,
  now: Micros,
  contractId: () => string,
): Transaction {
  const transaction = interpret(submission, state, now, contractId);
  requireHosted(state, submission.actAs);
  return transaction;
}

export function interpret(
  submission: CommandSubmission,
  state: LedgerState,
  now: Micros,
  contractId: () => string,
): Interpreted {
  const effectiveAt = Math.max(now, submission.notBefore ?? 0);
  const readers = new Set([...submission.actAs, ...submission.readAs]);
  const consumed = new Set<string>();
  const nodes: Node[] = [];
  const informees = new Set<string>();
  const scene = {
    now: effectiveAt,
    actAs: new Set(submission.actAs),
    see: (id: string) => {
      if (consumed.has(id)) return null;
      const payload = state.contracts.active(id)?.payload;
      if (!payload) return undefined;
      const visible =
        submission.disclosed.has(id) || stakeholders(payload).some((party) => readers.has(party));
      return visible ? payload : undefined;
    },
  };
  let bounds: LedgerTimeBounds = {};
  for (const choice of submission.choices) {
    const effects = interpretTransfer(choice, scene);
    for (const id of effects.archived) consumed.add(id);
    nodes.push(...nodesOf(choice, effects, nodes.length, contractId));
    for (const payload of concerned(effects)) for (const party of stakeholders(payload)) informees.add(party);
    bounds = effects.bounds;
  }
  requireKnown(state, submission.actAs, informees);
  const used = usedBy(nodes);
  requireHere(state, [...used.inputs, ...used.reads]);
  return { effectiveAt, ...used, nodes, bounds };
}

function concerned(effects: Effects): Payload[] {
  return [effects.factory, ...effects.created];
}

/** Depth first, a choice before what it did: it fetches each input before it archives it. */
export function nodesOf(
  choice: CommandSubmission['choices'][number],
  { fetched, archived, created }: Effects,
  firstId: number,
  contractId: () => string,
): Node[] {
  const nodes: Node[] = [];
  const place = () => firstId + 1 + nodes.length;
  for (const id of fetched) nodes.push({ kind: 'fetch', nodeId: place(), contractId: id });
  for (const id of archived) {
    nodes.push({ kind: 'fetch', nodeId: place(), contractId: id });
    nodes.push({ kind: 'archive', nodeId: place(), contractId: id });
  }
  let locked: string | undefined;
  for (const payload of created) {
    const id = contractId();
    if (isHolding(payload) && payload.lock) locked = id;
    nodes.push({ kind: 'create', nodeId: place(), contractId: id, payload: offering(payload, locked) });
  }
  return [{ kind: 'exercise', nodeId: firstId, choice, lastNodeId: firstId + nodes.length }, ...nodes];
}

/** An offer names what is locked for it, but not the holdings that was made from. */
function offering(payload: Payload, locked: string | undefined): Payload {
  if (!isOffer(payload) || locked === undefined) return payload;
  return { ...payload, transfer: { ...payload.transfer, inputHoldingCids: [locked] } };
}

/** What has to exist for a transaction to be accepted: what it consumes, and what it only fetches. */
export function usedBy(nodes: readonly Node[]): Pick<Transaction, 'inputs' | 'reads'> {
  const inputs = new Set(nodes.flatMap((node) => (node.kind === 'archive' ? [node.contractId] : [])));
  const seen = nodes.flatMap((node) => {
    if (node.kind === 'exercise') return [node.choice.factoryId];
    return node.kind === 'fetch' && !inputs.has(node.contractId) ? [node.contractId] : [];
  });
  return { inputs: [...inputs], reads: [...new Set(seen)] };
}
