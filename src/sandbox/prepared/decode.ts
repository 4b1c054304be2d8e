// A PreparedTransaction's bytes as what it would do, and its hash computed from that content. Nothing is believed that
// the ledger could not: a node that hangs nowhere, a contract whose blob is another's.
import {
  type DamlTransaction,
  type DamlTransaction_Node,
  type Exercise,
  type Identifier,
  type Metadata,
  PreparedTransaction,
  Value,
} from '@canton-network/core-ledger-proto';
import { Value as WireValue } from '#proto/com/daml/ledger/api/v2/value.js';
import { resolve } from '../daml/packages.js';
import { Refusal } from '../errors.js';
import { contractIdOfBlob } from '../grpc/blob.js';
import { readPayload, readTransferChoice } from '../grpc/decode-values.js';
import { cannotExecute } from '../model/admit.js';
import { suffixed } from '../model/contract-id.js';
import type { Node } from '../model/records.js';
import type { Prepared } from '../model/submission.js';
import { hashOf } from './hash.js';

export interface DecodedTransaction {
  readonly prepared: Prepared;
  readonly actAs: readonly string[];
  readonly commandId: string;
}

/** Throws a Refusal where it is none. */
export async function decodePrepared(bytes: Uint8Array): Promise<DecodedTransaction> {
  if (bytes.length === 0) cannotExecute('Missing prepared transaction');
  const { transaction, metadata } = parse(bytes);
  const hash = await hashed({ transaction, metadata }, bytes);
  const { submitterInfo, minLedgerEffectiveTime: min, maxLedgerEffectiveTime: max } = metadata;
  return {
    actAs: submitterInfo?.actAs ?? cannotExecute('Missing submitter info'),
    commandId: submitterInfo?.commandId || cannotExecute('Missing command id'),
    prepared: {
      hash,
      uuid: metadata.transactionUuid || cannotExecute('Missing transaction uuid'),
      synchronizerId: metadata.synchronizerId,
      nodes: readNodes(transaction),
      inputContracts: inputContracts(metadata),
      bounds: {
        ...(min === undefined ? {} : { min: Number(min) }),
        ...(max === undefined ? {} : { max: Number(max) }),
      },
      ...(metadata.maxRecordTime === undefined ? {} : { maxRecordTime: Number(metadata.maxRecordTime) }),
    },
  };
}

interface Parts {
  readonly transaction: DamlTransaction;
  readonly metadata: Metadata;
}

function parse(bytes: Uint8Array): Parts {
  try {
    const { transaction, metadata } = PreparedTransaction.fromBinary(bytes);
    if (transaction && metadata) return { transaction, metadata };
  } catch {
    // What is no protobuf has no parts either.
  }
  return cannotExecute('Cannot decode the prepared transaction');
}

async function hashed(parts: Parts, bytes: Uint8Array): Promise<string> {
  try {
    return await hashOf(parts, bytes);
  } catch (cause) {
    return cannotExecute(
      `Cannot hash the prepared transaction: ${cause instanceof Error ? cause.message : cause}`,
    );
  }
}

function inputContracts({ inputContracts: given }: Metadata): Set<string> {
  return new Set(
    given.map(({ contract, eventBlob }) => {
      const id = contract.oneofKind === 'v1' ? contract.v1.contractId : undefined;
      if (id === undefined || contractIdOfBlob(eventBlob) !== id)
        cannotExecute('Cannot decode an input contract');
      return id;
    }),
  );
}

function readNodes(transaction: DamlTransaction): Node[] {
  try {
    return nodesOf(transaction);
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    return cannotExecute(thrown.error.cause);
  }
}

/** Depth first, each node once, numbered as it stands. */
function nodesOf({ nodes, roots }: DamlTransaction): Node[] {
  if (roots.length !== 1) cannotExecute('Transaction with multiple root nodes are not supported');
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const found: Node[] = [];
  let last = -1;
  const visit = (id: string): void => {
    const node = byId.get(id) ?? cannotExecute(`Node ${id} is missing`);
    const nodeId = Number(id);
    if (!(nodeId > last)) cannotExecute(`Node ${id} is out of order`);
    last = nodeId;
    const place = found.length;
    const children = childrenOf(node);
    for (const child of children) visit(child);
    found.splice(place, 0, nodeOf(node, nodeId, last));
  };
  for (const root of roots) visit(root);
  if (found.length < nodes.length) cannotExecute('There are nodes that no root leads to');
  return found;
}

function contentOf(node: DamlTransaction_Node) {
  const { versionedNode } = node;
  return versionedNode.oneofKind === 'v1'
    ? versionedNode.v1.nodeType
    : cannotExecute('Cannot decode empty versioned node');
}

function childrenOf(node: DamlTransaction_Node): readonly string[] {
  const content = contentOf(node);
  return content.oneofKind === 'exercise' ? content.exercise.children : [];
}

function nodeOf(node: DamlTransaction_Node, nodeId: number, lastNodeId: number): Node {
  const content = contentOf(node);
  switch (content.oneofKind) {
    case 'create': {
      const { contractId, templateId, argument } = content.create;
      const payload = readPayload(templateOf(templateId), ours(argument));
      return { kind: 'create', nodeId, contractId: suffixed(contractId), payload };
    }
    case 'fetch':
      return { kind: 'fetch', nodeId, contractId: content.fetch.contractId };
    case 'exercise':
      return exerciseOf(content.exercise, nodeId, lastNodeId);
    default:
      return cannotExecute(`The sandbox runs no ${content.oneofKind ?? 'empty'} nodes`);
  }
}

function exerciseOf(exercise: Exercise, nodeId: number, lastNodeId: number): Node {
  const { choiceId, consuming, contractId, chosenValue } = exercise;
  if (choiceId === 'Archive' && consuming && lastNodeId === nodeId)
    return { kind: 'archive', nodeId, contractId };
  if (choiceId !== 'TransferFactory_Transfer' || consuming) cannotExecute(`Unknown choice ${choiceId}`);
  return {
    kind: 'exercise',
    nodeId,
    choice: readTransferChoice(contractId, ours(chosenValue)),
    lastNodeId,
  };
}

function templateOf(id: Identifier | undefined) {
  const found = resolve(id, { field: 'template_id', by: 'command' });
  return found.kind === 'template' ? found.template : cannotExecute('A contract is of a template');
}

function ours(value: Value | undefined): WireValue | undefined {
  return value && WireValue.deserialize(Value.toBinary(value));
}
