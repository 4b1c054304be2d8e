// A participant that prepares something other than what it was asked for. Each kind is complete in itself, and its
// hash matches its content: only inspecting the content reveals it.
import { type Holding, isHolding, type Payload } from '../daml/contracts.js';
import type { TransferChoice } from '../daml/transfer.js';
import type { FaultAction } from '../fault-schema.js';
import { namespaceOf } from '../host.js';
import { spendable } from '../model/others.js';
import type { Participant } from '../model/participant.js';
import type { Contract, Node } from '../model/records.js';
import type { CommandSubmission } from '../model/submission.js';
import type { Draft } from './encode.js';

export type Tampering = Extract<FaultAction, { kind: 'tamper' }>['what'];

const HOUR = 3_600_000_000;

/** Asks for something else, which is then interpreted as usual. */
export function tamperCommands(
  submission: CommandSubmission,
  what: Tampering | undefined,
  participant: Participant,
): CommandSubmission {
  const change = (transfer: Partial<TransferChoice['transfer']>) => ({
    ...submission,
    choices: submission.choices.map((choice) => ({
      ...choice,
      transfer: { ...choice.transfer, ...transfer },
    })),
  });
  const [choice] = submission.choices;
  if (what === 'receiver') return change({ receiver: mallory(participant) });
  if (what === 'amount' && choice) return change({ amount: otherAmount(choice, participant) });
  return submission;
}

/** One unit more if the inputs suffice, otherwise one less. */
function otherAmount({ transfer }: TransferChoice, { state }: Participant): bigint {
  const total = transfer.inputHoldingCids.reduce((sum, id) => {
    const payload = state.contracts.active(id)?.payload;
    return sum + (payload && 'amount' in payload ? payload.amount : 0n);
  }, 0n);
  return total > transfer.amount ? transfer.amount + 1n : transfer.amount - 1n;
}

export function tamperDraft(draft: Draft, what: Tampering | undefined, participant: Participant): Draft {
  switch (what) {
    case 'instrument':
      return { ...draft, nodes: draft.nodes.map(ofOtherInstrument) };
    case 'change':
      return withoutChange(draft, participant);
    case 'extraNode':
      return below(draft, [holdingNode(draft, participant)]);
    case 'extraInput':
      return withInput(draft, participant);
    case 'extraRoot':
      return withRoot(draft, participant);
    case 'promise':
      return below(draft, [promiseNode(draft, participant)]);
    case 'noMaxRecordTime': {
      const { maxRecordTime: _, ...unbound } = draft;
      return unbound;
    }
    case 'lateMaxRecordTime':
      return { ...draft, maxRecordTime: (draft.maxRecordTime ?? draft.preparedAt) + HOUR };
    case 'commandId':
      return { ...draft, commandId: `0x${participant.updateId().slice(4)}` };
    case 'otherParty':
      return { ...draft, actAs: [mallory(participant)] };
    case 'synchronizer':
      return { ...draft, synchronizerId: `other-domain::${namespaceOf('other synchronizer')}` };
    default:
      return draft;
  }
}

/** The money goes to this party. The ledger knows it, so that whoever signs really loses the money. */
function mallory(participant: Participant): string {
  const party = `mallory::${namespaceOf(participant.settings.participantId)}`;
  participant.addParty(party);
  return party;
}

function ofOtherInstrument(node: Node): Node {
  const renamed = <T extends { readonly instrumentId: { readonly admin: string; readonly id: string } }>(
    it: T,
  ) => ({
    ...it,
    instrumentId: { ...it.instrumentId, id: `${it.instrumentId.id}2` },
  });
  if (node.kind === 'exercise')
    return { ...node, choice: { ...node.choice, transfer: renamed(node.choice.transfer) } };
  if (node.kind === 'create' && 'instrumentId' in node.payload)
    return { ...node, payload: renamed(node.payload) };
  return node;
}

function withoutChange(draft: Draft, participant: Participant): Draft {
  const sender = rootOf(draft).choice.transfer.sender;
  const change = draft.nodes.findLast((node) => node.kind === 'create' && isHoldingOf(node.payload, sender));
  if (!change) throw new Error('there is no change to tamper with');
  const owner = mallory(participant);
  return {
    ...draft,
    nodes: draft.nodes.map((node) =>
      node === change && node.kind === 'create'
        ? { ...node, payload: { ...node.payload, owner } as Payload }
        : node,
    ),
  };
}

function isHoldingOf(payload: Payload, owner: string): boolean {
  return isHolding(payload) && payload.owner === owner && payload.lock === undefined;
}

type Unplaced = Extract<Node, { kind: 'fetch' | 'archive' | 'create' }>;

/** Added as the last nodes of the root's choice. */
function below(draft: Draft, extra: readonly Unplaced[], contracts: readonly Contract[] = []): Draft {
  const root = rootOf(draft);
  const lastNodeId = root.lastNodeId + extra.length;
  const placed = extra.map((node, index) => ({ ...node, nodeId: root.lastNodeId + 1 + index }));
  const nodes = draft.nodes.map((node) => (node === root ? { ...root, lastNodeId } : node));
  return { ...draft, nodes: [...nodes, ...placed], contracts: added(draft, contracts) };
}

function added({ contracts }: Draft, more: readonly Contract[]): Map<string, Contract> {
  return new Map([...contracts, ...more.map((contract) => [contract.id, contract] as const)]);
}

function rootOf({ nodes }: Draft) {
  const [root] = nodes;
  if (root?.kind !== 'exercise') throw new Error('there is no root to tamper with');
  return root;
}

/** Created out of nothing. */
function holdingNode(draft: Draft, participant: Participant): Unplaced {
  const { choice } = rootOf(draft);
  const { instrumentId, amount } = choice.transfer;
  const own = draft.contracts.get(choice.factoryId)?.payload.kind === 'factory';
  const payload: Holding = {
    kind: own ? 'holding' : 'utilityHolding',
    issuer: instrumentId.admin,
    owner: mallory(participant),
    amount,
    instrumentId,
    meta: {},
  };
  return { kind: 'create', nodeId: 0, contractId: participant.localContractId(), payload };
}

/** An offer signed by the sender that nobody asked for: to anybody the registry likes. */
function promiseNode(draft: Draft, participant: Participant): Unplaced {
  const { transfer } = rootOf(draft).choice;
  const payload: Payload = {
    kind: 'transferOffer',
    registrar: transfer.instrumentId.admin,
    transfer: { ...transfer, receiver: mallory(participant) },
  };
  return { kind: 'create', nodeId: 0, contractId: participant.localContractId(), payload };
}

/** Another of the sender's holdings is burnt. */
function withInput(draft: Draft, participant: Participant): Draft {
  const other = otherHolding(draft, participant);
  if (!other) throw new Error('the sender has no other holding to tamper with');
  const of = { nodeId: 0, contractId: other.id };
  return below(
    draft,
    [
      { kind: 'fetch', ...of },
      { kind: 'archive', ...of },
    ],
    [other],
  );
}

/** A second transfer, of another of the sender's holdings; if there is none, a holding created out of nothing. */
function withRoot(draft: Draft, participant: Participant): Draft {
  const root = rootOf(draft);
  const other = otherHolding(draft, participant);
  const first = root.lastNodeId + 1;
  if (!other) {
    return { ...draft, nodes: [...draft.nodes, { ...holdingNode(draft, participant), nodeId: first }] };
  }
  const { amount, instrumentId } = other.payload;
  const transfer = {
    ...root.choice.transfer,
    receiver: mallory(participant),
    amount,
    instrumentId,
    inputHoldingCids: [other.id],
  };
  const payload = { ...other.payload, owner: transfer.receiver };
  const contractId = participant.localContractId();
  const nodes: Node[] = [
    { kind: 'exercise', nodeId: first, choice: { ...root.choice, transfer }, lastNodeId: first + 3 },
    { kind: 'fetch', nodeId: first + 1, contractId: other.id },
    { kind: 'archive', nodeId: first + 2, contractId: other.id },
    { kind: 'create', nodeId: first + 3, contractId, payload },
  ];
  return { ...draft, nodes: [...draft.nodes, ...nodes], contracts: added(draft, [other]) };
}

function otherHolding(draft: Draft, participant: Participant) {
  const { sender } = rootOf(draft).choice.transfer;
  return spendable(participant, sender, undefined).find(({ id }) => !draft.contracts.has(id));
}
