// Encodes an interpreted transaction as the PreparedTransaction that its party signs.
import {
  GlobalKey,
  GlobalKeyWithMaintainers,
} from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_common_data.js';
import {
  DamlTransaction,
  DamlTransactionNode,
  DamlTransactionNodeSeed,
  Metadata,
  MetadataInputContract,
  MetadataSubmitterInfo,
  PreparedTransaction,
} from '#proto/com/daml/ledger/api/v2/interactive/prepared_transaction.js';
import {
  Create,
  Exercise as ExerciseNode,
  Fetch,
  Node as NodeType,
} from '#proto/com/daml/ledger/api/v2/interactive/transaction/v1/interactive_submission_data.js';
import { Value } from '#proto/com/daml/ledger/api/v2/value.js';
import { Empty } from '#proto/google/protobuf/empty.js';
import type { Micros } from '../clock.js';
import { isOffer, type Payload, signatories, stakeholders } from '../daml/contracts.js';
import { templates } from '../daml/packages.js';
import { type Created, resultOf } from '../daml/result.js';
import { blobOf } from '../grpc/blob.js';
import { ValueEncoder } from '../grpc/encode-values.js';
import { interfaceIdentifier, templateIdentifier } from '../grpc/plain-values.js';
import type { Contract, Node } from '../model/records.js';
import type { LedgerTimeBounds } from '../model/submission.js';
import { sha256Hex } from '../random.js';
import { withoutTrailingNones } from './trailing.js';

export interface Draft {
  readonly actAs: readonly string[];
  readonly commandId: string;
  readonly synchronizerId: string;
  readonly uuid: string;
  readonly preparedAt: Micros;
  readonly bounds: LedgerTimeBounds;
  readonly maxRecordTime?: Micros;
  readonly nodes: readonly Node[];
  /** The contracts on the ledger that the nodes use. */
  readonly contracts: ReadonlyMap<string, Contract>;
  /** Optional fields at the end of a record are left out if they are None. */
  readonly leavesOutNones: boolean;
  /** The factory is found by a contract key, in a version of Daml-LF that has them. */
  readonly keyed?: boolean;
}

const LF_VERSION = '2.1';
/** With contract keys. */
const LF_KEYS = '2.3';
const encoder = new ValueEncoder('types');
const TRANSFER_FACTORY = interfaceIdentifier('TransferFactory');

type Exercise = Extract<Node, { kind: 'exercise' }>;

export function encodePrepared(draft: Draft): PreparedTransaction {
  const { nodes, uuid, bounds, maxRecordTime } = draft;
  const exercises = nodes.filter((node): node is Exercise => node.kind === 'exercise');
  const isChild = (node: Node) =>
    exercises.some(({ nodeId, lastNodeId }) => nodeId < node.nodeId && node.nodeId <= lastNodeId);
  return new PreparedTransaction({
    transaction: new DamlTransaction({
      version: draft.keyed ? LF_KEYS : LF_VERSION,
      roots: nodes.filter((node) => !isChild(node)).map(({ nodeId }) => `${nodeId}`),
      nodes: nodes.map((node) => encodeNode(node, draft)),
      nodeSeeds: nodes
        .filter((node) => node.kind !== 'fetch')
        .map(({ nodeId }) => {
          const seed = Buffer.from(sha256Hex(`seed/${uuid}/${nodeId}`), 'hex');
          return new DamlTransactionNodeSeed({ nodeId, seed });
        }),
    }),
    metadata: new Metadata({
      submitterInfo: new MetadataSubmitterInfo({
        actAs: [...draft.actAs].sort(),
        commandId: draft.commandId,
      }),
      synchronizerId: draft.synchronizerId,
      mediatorGroup: 0,
      transactionUuid: uuid,
      preparationTime: `${draft.preparedAt}`,
      // The hash depends on the order, which is that of the ids.
      inputContracts: [...draft.contracts.values()]
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .map((contract) => inputContract(contract, draft)),
      ...(bounds.min === undefined ? {} : { minLedgerEffectiveTime: `${bounds.min}` }),
      ...(bounds.max === undefined ? {} : { maxLedgerEffectiveTime: `${bounds.max}` }),
      ...(maxRecordTime === undefined ? {} : { maxRecordTime: `${maxRecordTime}` }),
    }),
  });
}

function inputContract(contract: Contract, draft: Draft): MetadataInputContract {
  return new MetadataInputContract({
    v1: createOf(contract.id, contract.payload, draft),
    createdAt: `${contract.createdAt}`,
    eventBlob: blobOf(contract.id),
  });
}

function encodeNode(node: Node, draft: Draft): DamlTransactionNode {
  return new DamlTransactionNode({ nodeId: `${node.nodeId}`, v1: nodeType(node, draft) });
}

function nodeType(node: Node, draft: Draft): NodeType {
  if (node.kind === 'create') return new NodeType({ create: createOf(node.contractId, node.payload, draft) });
  const contract = draft.contracts.get(node.kind === 'exercise' ? node.choice.factoryId : node.contractId);
  if (!contract) throw new Error(`node ${node.nodeId} is of a contract that is not there`);
  const common = { ...contractFields(contract.id, contract.payload), lfVersion: LF_VERSION };
  const written = (value: Value): Value => (draft.leavesOutNones ? withoutTrailingNones(value) : value);
  switch (node.kind) {
    case 'fetch':
      return new NodeType({
        fetch: new Fetch({ ...common, actingParties: fetchers(contract.payload, draft) }),
      });
    case 'archive':
      return new NodeType({
        exercise: new ExerciseNode({
          ...common,
          actingParties: signatories(contract.payload).sort(),
          choiceId: 'Archive',
          chosenValue: encoder.archiveArgument(),
          consuming: true,
          exerciseResult: new Value({ unit: new Empty() }),
        }),
      });
    case 'exercise':
      return new NodeType({
        exercise: new ExerciseNode({
          ...common,
          ...(draft.keyed ? { lfVersion: LF_KEYS, byKey: true, key: keyOf(contract) } : {}),
          interfaceId: TRANSFER_FACTORY,
          actingParties: [node.choice.transfer.sender],
          choiceId: 'TransferFactory_Transfer',
          chosenValue: written(encoder.transferArgument(node.choice)),
          consuming: false,
          children: childrenOf(node, draft).map(({ nodeId }) => `${nodeId}`),
          exerciseResult: written(encoder.transferResult(resultOf(createdBy(node, draft)))),
        }),
      });
  }
}

function keyOf({ payload }: Contract): GlobalKeyWithMaintainers {
  const maintainers = signatories(payload);
  const key = new GlobalKey({
    templateId: templateIdentifier(payload.kind),
    packageName: templates[payload.kind].packageName,
    key: new Value({ party: maintainers[0] ?? '' }),
    hash: Buffer.from(sha256Hex(`key/${maintainers[0]}`), 'hex'),
  });
  return new GlobalKeyWithMaintainers({ key, maintainers });
}

function createOf(contractId: string, payload: Payload, { leavesOutNones }: Draft): Create {
  const argument = new Value({ record: encoder.payload(payload) });
  return new Create({
    ...contractFields(contractId, payload),
    lfVersion: LF_VERSION,
    argument: leavesOutNones ? withoutTrailingNones(argument) : argument,
  });
}

/** Sets of parties are sorted, because the hash depends on their order. */
function contractFields(contractId: string, payload: Payload) {
  return {
    contractId,
    packageName: templates[payload.kind].packageName,
    templateId: templateIdentifier(payload.kind),
    signatories: signatories(payload).sort(),
    stakeholders: stakeholders(payload).sort(),
  };
}

/** Those who authorize the choice and have a stake in the contract: its signatory and its controller. */
function fetchers(payload: Payload, { nodes, contracts }: Draft): string[] {
  const authorizers = new Set<string>();
  for (const node of nodes) {
    if (node.kind !== 'exercise') continue;
    authorizers.add(node.choice.transfer.sender);
    const factory = contracts.get(node.choice.factoryId);
    if (factory) for (const party of signatories(factory.payload)) authorizers.add(party);
  }
  return stakeholders(payload)
    .filter((party) => authorizers.has(party))
    .sort();
}

function childrenOf(exercise: Exercise, { nodes }: Draft): Node[] {
  return nodes.filter(({ nodeId }) => exercise.nodeId < nodeId && nodeId <= exercise.lastNodeId);
}

/** An offer to somebody else does not belong to this transfer. */
function createdBy(exercise: Exercise, draft: Draft): Created[] {
  const { receiver } = exercise.choice.transfer;
  const isIts = ({ payload }: Created): boolean =>
    !isOffer(payload) || payload.transfer.receiver === receiver;
  return childrenOf(exercise, draft).flatMap((node) => (node.kind === 'create' && isIts(node) ? [node] : []));
}
