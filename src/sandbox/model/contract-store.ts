// Contracts by id, and by stakeholder and template, now and at earlier offsets.
import { type Payload, stakeholders } from '../daml/contracts.js';
import { type TemplateKind, templateKinds } from '../daml/packages.js';
import type { Contract } from './records.js';

interface Shelf {
  readonly active: Map<string, Contract>;
  /** In the order of archival, so that "active at an earlier offset" reads only a few from the end. */
  readonly archived: Contract[];
}

export class ContractStore {
  readonly #byId = new Map<string, Contract>();
  /** A party sees every event of its transfers for ever; one shelf per template keeps reading its holdings cheap. */
  readonly #shelves = new Map<TemplateKind, Map<string, Shelf>>(
    templateKinds.map((kind) => [kind, new Map()]),
  );

  add(contract: Contract): void {
    this.#byId.set(contract.id, contract);
    for (const shelf of this.#shelvesOf(contract.payload)) shelf.active.set(contract.id, contract);
  }

  archive(contractId: string, offset: number): void {
    const contract = this.#byId.get(contractId);
    if (contract?.archivedOffset !== 0) throw new Error(`contract ${contractId} is not active`);
    contract.archivedOffset = offset;
    for (const shelf of this.#shelvesOf(contract.payload)) {
      shelf.active.delete(contractId);
      shelf.archived.push(contract);
    }
  }

  get(contractId: string): Contract | undefined {
    return this.#byId.get(contractId);
  }

  active(contractId: string): Contract | undefined {
    const contract = this.#byId.get(contractId);
    return contract?.archivedOffset === 0 ? contract : undefined;
  }

  *activeAt(party: string, kind: TemplateKind, offset: number): Generator<Contract> {
    const shelf = this.#shelves.get(kind)?.get(party);
    if (!shelf) return;
    for (let index = shelf.archived.length - 1; index >= 0; index--) {
      const contract = shelf.archived[index];
      if (!contract || contract.archivedOffset <= offset) break;
      if (contract.createdOffset <= offset) yield contract;
    }
    for (const contract of shelf.active.values()) {
      if (contract.createdOffset <= offset) yield contract;
    }
  }

  *#shelvesOf(payload: Payload): Generator<Shelf> {
    const shelves = this.#shelves.get(payload.kind);
    for (const party of stakeholders(payload)) {
      let shelf = shelves?.get(party);
      if (!shelf) {
        shelf = { active: new Map(), archived: [] };
        shelves?.set(party, shelf);
      }
      yield shelf;
    }
  }
}
