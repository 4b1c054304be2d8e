// An interpreted transaction as the PreparedTransaction that its party signs, in the official protobuf types.
import {
  type Create,
  type DamlTransaction_Node,
  type Metadata_InputContract,
  type PreparedTransaction,
  Value,
} from '@canton-network/core-ledger-proto';
import { Value as WireValue } from '#proto/com/daml/ledger/api/v2/value.js';
import type { Micros } from '../clock.js';
import { type Payload, signatory, stakeholders } from '../daml/contracts.js';
import { type IdentifierText, templates } from '../daml/packages.js';
import { type Created, resultOf } from '../daml/result.js';
import { blobOf } from '../grpc/blob.js';
import { ValueEncoder } from '../grpc/encode-values.js';
import { interfaceIdentifier, templateIdentifier } from '../grpc/plain-values.js';
import type { Contract, Node } from '../model/records.js';
import type { LedgerTimeBounds } from '../model/submission.js';
import { sha256Hex } from '../random.js';

export interface Draft {
  readonly actAs: readonly string[];
  readonly commandId: string;
  readonly synchronizerId: string;
  readonly uuid: string;
  readonly preparedAt: Micros;
  readonly bounds: LedgerTimeBounds;
  readonly maxRecordTime?: Micros;
  readonly nodes: readonly Node[];
  /** What the nodes use of what is on the ledger. */
  readonly contracts: ReadonlyMap<string, Contract>;
}

const LF_VERSION = '2.1';
const encoder = new ValueEncoder('types');
const TRANSFER_FACTORY = plain(interfaceIdentifier('TransferFactory'));

type Exercise = Extract<Node, { kind: 'exercise' }>;

export function encodePrepared(draft: Draft): PreparedTransaction {
  const { nodes, uuid, bounds, maxRecordTime } = draft;
  const exercises = nodes.filter((node): node is Exercise => node.kind === 'exercise');
  const isChild = (node: Node) =>
    exercises.some(({ nodeId, lastNodeId }) => nodeId < node.nodeId && node.nodeId <= lastNodeId);
  return {
    transaction: {
      version: LF_VERSION,
      roots: nodes.filter((node) => !isChild(node)).map(({ nodeId }) => `${nodeId}`),
      nodes: nodes.map((node) => encodeNode(node, draft)),
      nodeSeeds: nodes
        .filter((node) => node.kind !== 'fetch')
        .map(({ nodeId }) => ({ nodeId, seed: Buffer.from(sha256Hex(`seed/${uuid}/${nodeId}`), 'hex') })),
    },
    metadata: {
      submitterInfo: { actAs: [...draft.actAs].sort(), commandId: draft.commandId },
      synchronizerId: draft.synchronizerId,
      mediatorGroup: 0,
      transactionUuid: uuid,
      preparationTime: BigInt(draft.preparedAt),
      // The hash goes by the order, which is that of the ids.
      inputContracts: [...draft.contracts.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map(inputContract),
      globalKeyMapping: [],
      ...(bounds.min === undefined ? {} : { minLedgerEffectiveTime: BigInt(bounds.min) }),
      ...(bounds.max === undefined ? {} : { maxLedgerEffectiveTime: BigInt(bounds.max) }),
      ...(maxRecordTime === undefined ? {} : { maxRecordTime: BigInt(maxRecordTime) }),
    },
  };
}

function inputContract(contract: Contract): Metadata_InputContract {
  return {
    contract: { oneofKind: 'v1', v1: createOf(contract.id, contract.payload) },
    createdAt: BigInt(contract.createdAt),
    eventBlob: blobOf(contract.id),
  };
}

function encodeNode(node: Node, draft: Draft): DamlTransaction_Node {
  return {
    nodeId: `${node.nodeId}`,
    versionedNode: { oneofKind: 'v1', v1: { nodeType: nodeType(node, draft) } },
  };
}

type NodeType = Extract<DamlTransaction_Node['versionedNode'], { oneofKind: 'v1' }>['v1']['nodeType'];

function nodeType(node: Node, draft: Draft): NodeType {
  if (node.kind === 'create') return { oneofKind: 'create', create: createOf(node.contractId, node.payload) };
  const contract = draft.contracts.get(node.kind === 'exercise' ? node.choice.factoryId : node.contractId);
  if (!contract) throw new Error(`node ${node.nodeId} is of a contract that is not there`);
  const common = { ...contractFields(contract.id, contract.payload), lfVersion: LF_VERSION };
  switch (node.kind) {
    case 'fetch':
      return { oneofKind: 'fetch', fetch: { ...common, actingParties: fetchers(contract.payload, draft) } };
    case 'archive':
      return {
        oneofKind: 'exercise',
        exercise: {
          ...common,
          actingParties: [signatory(contract.payload)],
          choiceId: 'Archive',
          chosenValue: official(encoder.archiveArgument()),
          consuming: true,
          children: [],
          exerciseResult: { sum: { oneofKind: 'unit', unit: {} } },
          choiceObservers: [],
        },
      };
    case 'exercise':
      return {
        oneofKind: 'exercise',
        exercise: {
          ...common,
          interfaceId: TRANSFER_FACTORY,
          actingParties: [node.choice.transfer.sender],
          choiceId: 'TransferFactory_Transfer',
          chosenValue: official(encoder.transferArgument(node.choice)),
          consuming: false,
          children: childrenOf(node, draft).map(({ nodeId }) => `${nodeId}`),
          exerciseResult: official(encoder.transferResult(resultOf(createdBy(node, draft)))),
          choiceObservers: [],
        },
      };
  }
}

function createOf(contractId: string, payload: Payload): Create {
  const argument = official(new WireValue({ record: encoder.payload(payload) }));
  return { ...contractFields(contractId, payload), lfVersion: LF_VERSION, argument };
}

/** Sets of parties are sorted: the hash goes by their order. */
function contractFields(contractId: string, payload: Payload) {
  return {
    contractId,
    packageName: templates[payload.kind].packageName,
    templateId: plain(templateIdentifier(payload.kind)),
    signatories: [signatory(payload)],
    stakeholders: stakeholders(payload).sort(),
  };
}

/** Who authorizes the choice and has a stake in the contract: the choice's signatory and its controller. */
function fetchers(payload: Payload, { nodes, contracts }: Draft): string[] {
  const authorizers = new Set<string>();
  for (const node of nodes) {
    if (node.kind !== 'exercise') continue;
    authorizers.add(node.choice.transfer.sender);
    const factory = contracts.get(node.choice.factoryId);
    if (factory) authorizers.add(signatory(factory.payload));
  }
  return stakeholders(payload)
    .filter((party) => authorizers.has(party))
    .sort();
}

function childrenOf(exercise: Exercise, { nodes }: Draft): Node[] {
  return nodes.filter(({ nodeId }) => exercise.nodeId < nodeId && nodeId <= exercise.lastNodeId);
}

function createdBy(exercise: Exercise, draft: Draft): Created[] {
  return childrenOf(exercise, draft).flatMap((node) => (node.kind === 'create' ? [node] : []));
}

/** The same bytes, in the types of the official bindings. */
function official(value: WireValue): Value {
  return Value.fromBinary(value.serialize());
}

function plain({ packageId, moduleName, entityName }: IdentifierText): IdentifierText {
  return { packageId, moduleName, entityName };
}
