// Contracts and updates on the wire, as the requesting parties may see them.
import {
  ArchivedEvent,
  CreatedEvent,
  Event,
  ExercisedEvent,
  InterfaceView,
} from '#proto/com/daml/ledger/api/v2/event.js';
import { Transaction } from '#proto/com/daml/ledger/api/v2/transaction.js';
import { TransactionShape } from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import { Timestamp } from '#proto/google/protobuf/timestamp.js';
import { Status } from '#proto/google/rpc/status.js';
import type { Micros } from '../clock.js';
import { observers, signatories, signatory, stakeholders } from '../daml/contracts.js';
import { packageId, templates } from '../daml/packages.js';
import { type Created, resultOf } from '../daml/result.js';
import type { Generation } from '../generation.js';
import type { LedgerState } from '../model/ledger-state.js';
import type { Participant } from '../model/participant.js';
import type { Contract, Entry, Node, UpdateRecord } from '../model/records.js';
import { blobOf } from './blob.js';
import { ValueEncoder } from './encode-values.js';
import type { EventFilter, Wanted } from './event-filter.js';
import { interfaceIdentifier, templateIdentifier } from './plain-values.js';

export function timestampOf(micros: Micros): Timestamp {
  const seconds = Math.floor(micros / 1_000_000);
  return new Timestamp({ seconds, nanos: (micros - seconds * 1_000_000) * 1000 });
}

/** How a participant of this version writes records in events, for readers with and without labels. */
export function eventEncoder(verbose: boolean, { leavesOutTrailingNones }: Generation): ValueEncoder {
  return new ValueEncoder(verbose ? 'labels' : 'bare', leavesOutTrailingNones ? 'leftOut' : 'told');
}

export function createdEvent(
  contract: Contract,
  wanted: Wanted,
  encoder: ValueEncoder,
  viewFails: (contractId: string) => boolean = () => false,
): CreatedEvent {
  const { payload } = contract;
  const { packageName } = templates[payload.kind];
  return new CreatedEvent({
    offset: `${contract.createdOffset}`,
    nodeId: contract.nodeId,
    contractId: contract.id,
    templateId: templateIdentifier(payload.kind),
    createArguments: encoder.payload(payload),
    ...(wanted.blob ? { createdEventBlob: blobOf(contract.id) } : {}),
    interfaceViews: wanted.views.map((kind) => {
      const viewValue = viewFails(contract.id) ? undefined : encoder.view(kind, payload);
      return new InterfaceView({
        interfaceId: interfaceIdentifier(kind),
        viewStatus: viewValue ? new Status({ code: 0 }) : noView,
        ...(viewValue ? { viewValue } : {}),
        implementationPackageId: packageId(packageName),
      });
    }),
    witnessParties: [...wanted.witnesses],
    signatories: signatories(payload),
    observers: observers(payload),
    createdAt: timestampOf(contract.createdAt),
    packageName,
    acsDelta: true,
    representativePackageId: packageId(packageName),
  });
}

/** The template's view function threw, or its package is missing: FAILED_PRECONDITION. */
const noView = new Status({
  code: 9,
  message: 'INTERPRETATION_UPGRADE_ERROR(9,0): the view of the contract cannot be computed',
});

/** Undefined if none of the requesting parties sees any of it. */
export function transactionOf(
  entry: Entry,
  { state, settings }: Participant,
  filter: EventFilter,
  shape: TransactionShape,
): Transaction | undefined {
  const { update, offset, recordTime } = entry;
  if (!update) return undefined;
  const view = new TransactionView(
    state,
    filter,
    shape === TransactionShape.TRANSACTION_SHAPE_LEDGER_EFFECTS,
    offset,
    eventEncoder(filter.verbose, settings.generation),
  );
  const events = update.nodes.flatMap((node) => view.event(node) ?? []);
  if (events.length === 0) return undefined;
  const submittedByReader = update.actAs.some((party) => filter.asks(party));
  return new Transaction({
    updateId: update.updateId,
    commandId: submittedByReader ? update.commandId : '',
    workflowId: update.workflowId,
    effectiveAt: timestampOf(update.effectiveAt),
    events,
    offset: `${offset}`,
    synchronizerId: settings.synchronizerId,
    recordTime: timestampOf(recordTime),
    ...hashes(update, settings.generation),
  });
}

/** What its external party signed. */
function hashes({ externalHash }: UpdateRecord, { transactionHash }: Generation) {
  if (externalHash === undefined) return {};
  const hash = Buffer.from(externalHash, 'hex');
  return { externalTransactionHash: hash, ...(transactionHash ? { transactionHash: hash } : {}) };
}

class TransactionView {
  /** Whoever sees the choice sees everything below it: its signatories and its controller. */
  #exercise:
    | { readonly node: Extract<Node, { kind: 'exercise' }>; readonly informees: readonly string[] }
    | undefined;

  constructor(
    private readonly state: LedgerState,
    private readonly filter: EventFilter,
    private readonly effects: boolean,
    private readonly offset: number,
    private readonly encoder: ValueEncoder,
  ) {}

  event(node: Node): Event | undefined {
    switch (node.kind) {
      case 'exercise':
        return this.#exercised(node);
      case 'archive':
        return this.#archived(node);
      case 'create':
        return this.#created(node);
      case 'fetch':
        return undefined;
    }
  }

  #exercised(node: Extract<Node, { kind: 'exercise' }>): Event | undefined {
    const factory = this.state.contracts.get(node.choice.factoryId);
    if (!factory) return undefined;
    const { sender } = node.choice.transfer;
    const informees = [...new Set([signatory(factory.payload), sender])];
    this.#exercise = { node, informees };
    const wanted = this.effects ? this.filter.match(factory.payload.kind, informees) : undefined;
    if (!wanted) return undefined;
    const exercised = new ExercisedEvent({
      ...this.#common(node.nodeId, factory, wanted),
      interfaceId: interfaceIdentifier('TransferFactory'),
      choice: 'TransferFactory_Transfer',
      choiceArgument: this.encoder.transferArgument(node.choice),
      actingParties: [sender],
      consuming: false,
      lastDescendantNodeId: node.lastNodeId,
      exerciseResult: this.encoder.transferResult(resultOf(this.#createdBy(node))),
      implementedInterfaces: [interfaceIdentifier('TransferFactory')],
    });
    return new Event({ exercised });
  }

  #createdBy(exercise: Extract<Node, { kind: 'exercise' }>): Created[] {
    const update = this.state.entryAt(this.offset)?.update;
    return (update?.nodes ?? []).flatMap((node) =>
      node.kind === 'create' && node.nodeId > exercise.nodeId && node.nodeId <= exercise.lastNodeId
        ? [node]
        : [],
    );
  }

  #archived(node: Extract<Node, { kind: 'archive' }>): Event | undefined {
    const contract = this.state.contracts.get(node.contractId);
    if (!contract) return undefined;
    const wanted = this.filter.match(contract.payload.kind, this.#witnesses(node.nodeId, contract));
    if (!wanted) return undefined;
    const common = this.#common(node.nodeId, contract, wanted);
    if (!this.effects) return new Event({ archived: new ArchivedEvent(common) });
    const exercised = new ExercisedEvent({
      ...common,
      choice: 'Archive',
      actingParties: signatories(contract.payload),
      consuming: true,
      lastDescendantNodeId: node.nodeId,
      acsDelta: true,
    });
    return new Event({ exercised });
  }

  #created(node: Extract<Node, { kind: 'create' }>): Event | undefined {
    const contract = this.state.contracts.get(node.contractId);
    if (!contract) return undefined;
    const wanted = this.filter.match(contract.payload.kind, this.#witnesses(node.nodeId, contract));
    return wanted && new Event({ created: createdEvent(contract, wanted, this.encoder) });
  }

  /** An ACS delta shows stakeholders their contracts; ledger effects also show informees what they witnessed. */
  #witnesses(nodeId: number, contract: Contract): string[] {
    const exercise = this.#exercise;
    const below = this.effects && exercise && nodeId <= exercise.node.lastNodeId ? exercise.informees : [];
    return [...new Set([...stakeholders(contract.payload), ...below])];
  }

  #common(nodeId: number, contract: Contract, wanted: Wanted) {
    return {
      offset: `${this.offset}`,
      nodeId,
      contractId: contract.id,
      templateId: templateIdentifier(contract.payload.kind),
      witnessParties: [...wanted.witnesses],
      packageName: templates[contract.payload.kind].packageName,
    };
  }
}
