// Decodes the bytes of a PreparedTransaction into what it would do, and computes its hash from that content. Refuses
// whatever the ledger could not accept: a node without a parent, a contract with another one's blob.
import {
  type DamlTransaction,
  type DamlTransactionNode,
  type Metadata,
  PreparedTransaction,
} from '#proto/com/daml/ledger/api/v2/interactive/prepared_transaction.js';
import type {
  Exercise,
  Node as NodeType,
} from '#proto/com/daml/ledger/api/v2/interactive/transaction/v1/interactive_submission_data.js';
import type { Identifier } from '#proto/com/daml/ledger/api/v2/value.js';
import { type HashingScheme, preparedHash } from '../../transfer/prepared-hash.js';
import { isOffer, type TransferOffer } from '../daml/contracts.js';
import { resolve } from '../daml/packages.js';
import { CallRefused } from '../errors.js';
import { contractIdOfBlob } from '../grpc/blob.js';
import { readPayload, readTransferChoice } from '../grpc/decode-values.js';
import { cannotExecute } from '../model/admit.js';
import { suffixed } from '../model/contract-id.js';
import type { Node } from '../model/records.js';
import type { Prepared } from '../model/submission.js';

export interface DecodedTransaction {
  readonly prepared: Prepared;
  readonly actAs: readonly string[];
  readonly commandId: string;
}

/** Throws a Refusal if it is not one. */
export function decodePrepared(bytes: Uint8Array, scheme: HashingScheme): DecodedTransaction {
  if (bytes.length === 0) cannotExecute('Missing prepared transaction');
  const { transaction, metadata } = parse(bytes);
  const hash = hashed(bytes, scheme);
  const { submitterInfo } = metadata;
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
        ...(metadata.hasMinLedgerEffectiveTime ? { min: Number(metadata.minLedgerEffectiveTime) } : {}),
        ...(metadata.hasMaxLedgerEffectiveTime ? { max: Number(metadata.maxLedgerEffectiveTime) } : {}),
      },
      ...(metadata.hasMaxRecordTime ? { maxRecordTime: Number(metadata.maxRecordTime) } : {}),
    },
  };
}

interface Parts {
  readonly transaction: DamlTransaction;
  readonly metadata: Metadata;
}

function parse(bytes: Uint8Array): Parts {
  try {
    const { transaction, metadata } = PreparedTransaction.deserialize(bytes);
    if (transaction && metadata) return { transaction, metadata };
  } catch {
    // Bytes that are not protobuf have no parts either.
  }
  return cannotExecute('Cannot decode the prepared transaction');
}

function hashed(bytes: Uint8Array, scheme: HashingScheme): string {
  try {
    return Buffer.from(preparedHash(bytes, scheme)).toString('hex');
  } catch (cause) {
    return cannotExecute(
      `Cannot hash the prepared transaction: ${cause instanceof Error ? cause.message : cause}`,
    );
  }
}

function inputContracts({ inputContracts: given }: Metadata): Set<string> {
  return new Set(
    given.map(({ v1, eventBlob }) => {
      const id = v1?.contractId;
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
    if (!(thrown instanceof CallRefused)) throw thrown;
    return cannotExecute(thrown.error.cause);
  }
}

/** Depth first, each node once, numbered as in the bytes. */
function nodesOf({ nodes, roots }: DamlTransaction): Node[] {
  if (roots.length !== 1) cannotExecute('Transaction with multiple root nodes are not supported');
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const made = new Set(nodes.flatMap(({ v1 }) => v1?.create?.contractId ?? []));
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
    found.splice(place, 0, nodeOf(node, nodeId, last, made));
  };
  for (const root of roots) visit(root);
  if (found.length < nodes.length) cannotExecute('There are nodes that no root leads to');
  return found;
}

function contentOf({ v1 }: DamlTransactionNode): NodeType {
  return v1 ?? cannotExecute('Cannot decode empty versioned node');
}

function childrenOf(node: DamlTransactionNode): readonly string[] {
  return contentOf(node).exercise?.children ?? [];
}

/** `made`: ids of what the transaction creates, none of them with its suffix yet. */
function nodeOf(
  node: DamlTransactionNode,
  nodeId: number,
  lastNodeId: number,
  made: ReadonlySet<string>,
): Node {
  const { create, fetch, exercise, nodeType } = contentOf(node);
  if (create) {
    const { contractId, templateId, argument } = create;
    const payload = readPayload(templateOf(templateId), argument);
    return {
      kind: 'create',
      nodeId,
      contractId: suffixed(contractId),
      payload: isOffer(payload) ? sequenced(payload, made) : payload,
    };
  }
  if (fetch) return { kind: 'fetch', nodeId, contractId: fetch.contractId };
  if (exercise) return exerciseOf(exercise, nodeId, lastNodeId);
  return cannotExecute(`The sandbox runs no ${nodeType} nodes`);
}

function sequenced(offer: TransferOffer, made: ReadonlySet<string>): TransferOffer {
  const ids = offer.transfer.inputHoldingCids.map((id) => (made.has(id) ? suffixed(id) : id));
  return { ...offer, transfer: { ...offer.transfer, inputHoldingCids: ids } };
}

function exerciseOf(exercise: Exercise, nodeId: number, lastNodeId: number): Node {
  const { choiceId, consuming, contractId, chosenValue } = exercise;
  if (choiceId === 'Archive' && consuming && lastNodeId === nodeId)
    return { kind: 'archive', nodeId, contractId };
  if (choiceId !== 'TransferFactory_Transfer' || consuming) cannotExecute(`Unknown choice ${choiceId}`);
  return {
    kind: 'exercise',
    nodeId,
    choice: readTransferChoice(contractId, chosenValue),
    lastNodeId,
  };
}

function templateOf(id: Identifier | undefined) {
  const found = resolve(id, { field: 'template_id', by: 'command' });
  return found.kind === 'template' ? found.template : cannotExecute('A contract is of a template');
}
