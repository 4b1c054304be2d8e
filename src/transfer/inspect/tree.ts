// The nodes of a prepared transaction as the single tree they have to be. Checked before anything walks or hashes
// them: on a cycle, or a node with two parents, the hash would never end.
import type {
  Create,
  DamlTransaction,
  Exercise,
  Fetch,
  QueryByKey,
  TransactionNode,
} from '../prepared/transaction.js';

export type Created = { readonly kind: 'create'; readonly create: Create };
export type Exercised = { readonly kind: 'exercise'; readonly exercise: Exercise };
export type Fetched = { readonly kind: 'fetch'; readonly fetch: Fetch };
/** Looks up contracts by their key and does nothing to them. */
export type Queried = { readonly kind: 'query'; readonly query: QueryByKey };
export type Node = Created | Exercised | Fetched | Queried;

export interface Tree {
  readonly kind: 'tree';
  readonly root: Exercised;
  /** In execution order, without the root. */
  readonly below: readonly Node[];
}
export interface Fault {
  readonly kind: 'fault';
  readonly reason: string;
}
export const fault = (reason: string): Fault => ({ kind: 'fault', reason });

/**
 * The ledger limits neither inputs nor nodes, so these numbers do not limit a transfer: an input makes a handful of
 * nodes, its rules some more. Anything far beyond that is not a transfer, and not worth walking and hashing.
 */
const NODES_AT_ALL = 5_000;
const NODES_AN_INPUT = 50;
const SEED_BYTES = 32;
const NODE_ID = /^(0|[1-9]\d{0,8})$/;
/**
 * As the ledger writes them. The hash reads any text as hex digits, so other spellings could stand for the same
 * bytes.
 */
const CONTRACT_ID = /^([0-9a-f]{2})+$/;
export const isContractId = (text: string): boolean => CONTRACT_ID.test(text);

/**
 * One root, every node reachable from it exactly once, no rollbacks, no unknown kinds of node. `inputs`: how many
 * holdings were chosen.
 */
export function treeOf(transaction: DamlTransaction, inputs: number): Tree | Fault {
  const { roots, nodes, nodeSeeds } = transaction;
  if (nodes.length > NODES_AT_ALL + inputs * NODES_AN_INPUT)
    return fault(`extra node: ${nodes.length} nodes`);
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  if (byId.size !== nodes.length) return fault('extra node: two have the same id');
  const seeds = new Map(nodeSeeds.map(({ nodeId, seed }) => [String(nodeId), seed]));
  if (seeds.size !== nodeSeeds.length) return fault('seed: a node has two');

  const [rootId, ...others] = roots;
  if (rootId === undefined || others.length > 0) return fault(`root: there are ${roots.length}`);
  const visited: Node[] = [];
  const waiting = [rootId];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const node = byId.get(id);
    if (node === undefined) return fault(`extra node: ${id} is not there, or has two parents`);
    byId.delete(id);
    const seen = nodeOf(node);
    if (typeof seen === 'string') return fault(seen);
    if (!isSeed(seeds.get(id), seen)) return fault(`seed: of node ${id}`);
    seeds.delete(id);
    visited.push(seen);
    if (seen.kind === 'exercise') waiting.push(...seen.exercise.children.toReversed());
  }
  const [unreached] = byId.keys();
  if (unreached !== undefined) return fault(`extra node: ${unreached} is not below the root`);
  if (seeds.size > 0) return fault('seed: of a node that is not there');
  const [root, ...below] = visited;
  return root?.kind === 'exercise' ? { kind: 'tree', root, below } : fault('root: it is not an exercise');
}

/**
 * A node that creates contracts has a seed of 32 bytes. The seed is hashed without its length, so with another
 * length, what follows it could be read in two ways, and one signature would cover both.
 */
const isSeed = (seed: Uint8Array | undefined, { kind }: Node): boolean =>
  kind === 'fetch' || kind === 'query' ? seed === undefined : seed?.length === SEED_BYTES;

function nodeOf({ nodeId, v1 }: TransactionNode): Node | string {
  if (!NODE_ID.test(nodeId)) return `extra node: ${nodeId} is not an id`;
  switch (v1?.kind) {
    case 'create':
      return withId({ kind: 'create', create: v1.value }, v1.value.contractId);
    case 'exercise':
      return withId({ kind: 'exercise', exercise: v1.value }, v1.value.contractId);
    case 'fetch':
      return withId({ kind: 'fetch', fetch: v1.value }, v1.value.contractId);
    case 'queryByKey':
      return { kind: 'query', query: v1.value };
    default:
      return `extra node: ${nodeId} is of a kind that no transfer has`;
  }
}

const withId = (node: Node, contractId: string): Node | string =>
  isContractId(contractId) ? node : `contract id: ${contractId}`;
