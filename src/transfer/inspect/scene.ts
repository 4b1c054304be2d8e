// The contracts of a prepared transaction: which existed, which it creates and which it consumes. Checks that
// everything it says about each of them agrees.
import type { Create, Metadata } from '../prepared/transaction.js';
import { type Fault, fault, isContractId, type Node, type Tree } from './tree.js';
import { sameSet } from './values.js';

export interface Scene {
  readonly kind: 'scene';
  readonly tree: Tree;
  /** Contracts that existed before, by id. */
  readonly inputs: ReadonlyMap<string, Create>;
  /** Contracts that this transaction creates, by id. */
  readonly created: ReadonlyMap<string, Create>;
  readonly consumed: ReadonlySet<string>;
}

export function sceneOf(tree: Tree, metadata: Metadata): Scene | Fault {
  const inputs = inputsOf(metadata);
  if ('kind' in inputs) return inputs;
  const created = new Map<string, Create>();
  const consumed = new Set<string>();
  const used = new Set<string>();
  for (const node of [tree.root, ...tree.below]) {
    if (node.kind === 'create') {
      const { contractId, signatories, stakeholders } = node.create;
      if (signatories.some((party) => !stakeholders.includes(party))) {
        return fault(`extra node: ${contractId} has a signatory who is not a stakeholder`);
      }
      if (inputs.has(contractId) || created.has(contractId))
        return fault(`extra node: ${contractId} is made twice`);
      created.set(contractId, node.create);
      continue;
    }
    if (node.kind === 'query') {
      for (const id of node.query.result) used.add(id);
      continue;
    }
    const { contractId } = use(node);
    const contract = created.get(contractId) ?? inputs.get(contractId);
    if (contract === undefined) return fault(`input contracts: ${contractId} is used and not among them`);
    if (!agrees(node, contract))
      return fault(`input contracts: ${contractId} is another contract than its use says`);
    used.add(contractId);
    if (node.kind === 'exercise' && node.exercise.consuming) {
      if (consumed.has(contractId)) return fault(`extra node: ${contractId} is consumed twice`);
      consumed.add(contractId);
    }
  }
  const unused = [...inputs.keys()].find((id) => !used.has(id));
  return unused === undefined
    ? { kind: 'scene', tree, inputs, created, consumed }
    : fault(`extra input: ${unused} is among the input contracts, and not used`);
}

function inputsOf({ inputContracts }: Metadata): Map<string, Create> | Fault {
  const inputs = new Map<string, Create>();
  for (const { v1: contract } of inputContracts) {
    if (contract === undefined) return fault('input contracts: one is of a kind that is not known');
    const { contractId } = contract;
    if (!isContractId(contractId)) return fault(`contract id: ${contractId}`);
    if (inputs.has(contractId)) return fault(`extra input: ${contractId} is among the input contracts twice`);
    inputs.set(contractId, contract);
  }
  return inputs;
}

type Use = Exclude<Node, { kind: 'create' | 'query' }>;

const use = (node: Use) => (node.kind === 'exercise' ? node.exercise : node.fetch);

/**
 * Whether both describe one contract. The package may be newer where the contract is used than where it was created.
 */
function agrees(node: Use, contract: Create): boolean {
  const { packageName, templateId, signatories, stakeholders } = use(node);
  return (
    templateId !== undefined &&
    packageName === contract.packageName &&
    templateId.moduleName === contract.templateId?.moduleName &&
    templateId.entityName === contract.templateId.entityName &&
    sameSet(signatories, contract.signatories) &&
    sameSet(stakeholders, contract.stakeholders)
  );
}
