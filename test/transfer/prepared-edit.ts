// Ways into a prepared transaction, for who wants to change one.
import type { Create, PreparedTransaction, Value } from '@canton-network/core-ledger-proto';
import { type NodeType, nodeOf, type Step } from './prepared.js';
import { type Contract, create, NOW } from './prepared-contracts.js';

/** The root's exercise. */
export const rootOf = (message: PreparedTransaction) => exerciseOf(message, 0);

export function exerciseOf(message: PreparedTransaction, index: number) {
  const node = typeOf(message, index);
  if (node.oneofKind !== 'exercise') throw new Error(`node ${index} is not an exercise`);
  return node.exercise;
}

export function createdBy(message: PreparedTransaction, index: number): Create {
  const node = typeOf(message, index);
  if (node.oneofKind !== 'create') throw new Error(`node ${index} creates nothing`);
  return node.create;
}

function typeOf(message: PreparedTransaction, index: number): NodeType {
  const node = message.transaction?.nodes.at(index)?.versionedNode;
  if (node?.oneofKind !== 'v1') throw new Error(`no node ${index}`);
  return node.v1.nodeType;
}

export function metadataOf(message: PreparedTransaction) {
  if (message.metadata === undefined) throw new Error('no metadata');
  return message.metadata;
}

export function inputOf(message: PreparedTransaction, index: number): Create {
  const contract = metadataOf(message).inputContracts[index]?.contract;
  if (contract?.oneofKind !== 'v1') throw new Error(`no input contract ${index}`);
  return contract.v1;
}

/** Sets a field of a record, by its path of labels. */
export function setField(record: Value | undefined, path: string, value: Value): void {
  const [label, ...rest] = path.split('.');
  const field =
    record?.sum.oneofKind === 'record'
      ? record.sum.record.fields.find((one) => one.label === label)
      : undefined;
  if (field === undefined) throw new Error(`no field ${path}`);
  if (rest.length > 0) setField(field.value, rest.join('.'), value);
  else field.value = value;
}

/** One more node below the root, as a participant would number and seed it. */
export function addNode(message: PreparedTransaction, step: Step, parent = 0): void {
  const { transaction } = message;
  if (transaction === undefined) throw new Error('no transaction');
  const id = transaction.nodes.length;
  const nodeType = nodeOf(step);
  transaction.nodes.push({ nodeId: `${id}`, versionedNode: { oneofKind: 'v1', v1: { nodeType } } });
  if (nodeType.oneofKind !== 'fetch') {
    transaction.nodeSeeds.push({ nodeId: id, seed: Buffer.alloc(32, id + 1) });
  }
  exerciseOf(message, parent).children.push(`${id}`);
}

export function addInput(message: PreparedTransaction, contract: Contract): void {
  metadataOf(message).inputContracts.push({
    contract: { oneofKind: 'v1', v1: create(contract) },
    createdAt: NOW,
    eventBlob: Buffer.from('blob'),
  });
}
