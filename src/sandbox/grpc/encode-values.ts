// Daml values to the wire: payloads of contracts, the arguments and the result of the transfer choice.
import {
  Record as DamlRecord,
  Identifier,
  List,
  Optional,
  RecordField,
  TextMap,
  TextMapEntry,
  Value,
  Variant,
} from '#proto/com/daml/ledger/api/v2/value.js';
import type { Micros } from '../clock.js';
import type { Holding, InstrumentId, Payload } from '../daml/contracts.js';
import { type InterfaceKind, interfaces, packageId, type TemplateKind, templates } from '../daml/packages.js';
import type { TransferChoice } from '../daml/transfer.js';
import { formatDecimal } from '../model/decimal.js';

/** Labels are sent to those only who asked for verbose events. */
export class ValueEncoder {
  constructor(private readonly verbose: boolean) {}

  record(fields: Readonly<Record<string, Value>>): DamlRecord {
    return new DamlRecord({
      fields: Object.entries(fields).map(
        ([label, value]) => new RecordField(this.verbose ? { label, value } : { value }),
      ),
    });
  }

  nested(fields: Readonly<Record<string, Value>>): Value {
    return new Value({ record: this.record(fields) });
  }

  payload(payload: Payload): DamlRecord {
    switch (payload.kind) {
      case 'holding':
        return this.record({
          issuer: party(payload.issuer),
          owner: party(payload.owner),
          amount: numeric(payload.amount),
          instrumentId: this.instrument(payload.instrumentId),
          lock: optional(payload.lock && this.#lock(payload.lock)),
          meta: this.meta(payload.meta),
        });
      case 'factory':
        return this.record({
          admin: party(payload.admin),
          auditObservers: list(payload.auditObservers.map(party)),
        });
      case 'transferEvent':
        return this.record({
          issuer: party(payload.issuer),
          fromParty: optional(payload.fromParty === undefined ? undefined : party(payload.fromParty)),
          toParty: optional(payload.toParty === undefined ? undefined : party(payload.toParty)),
          amount: numeric(payload.amount),
          instrumentId: this.instrument(payload.instrumentId),
          timestamp: timestamp(payload.timestamp),
          meta: optional(undefined),
          auditObservers: list(payload.auditObservers.map(party)),
        });
    }
  }

  /** The interface's view of a contract. */
  view(kind: InterfaceKind, payload: Payload): DamlRecord | undefined {
    if (kind === 'Holding' && payload.kind === 'holding') return this.#holdingView(payload);
    if (kind === 'TransferFactory' && payload.kind === 'factory') {
      return this.record({ admin: party(payload.admin), meta: this.meta({}) });
    }
    return undefined;
  }

  #holdingView(holding: Holding): DamlRecord {
    return this.record({
      owner: party(holding.owner),
      instrumentId: this.instrument(holding.instrumentId),
      amount: numeric(holding.amount),
      lock: optional(holding.lock && this.#lock(holding.lock)),
      meta: this.meta(holding.meta),
    });
  }

  instrument(id: InstrumentId): Value {
    return this.nested({ admin: party(id.admin), id: text(id.id) });
  }

  meta(values: Readonly<Record<string, string>>): Value {
    const entries = Object.entries(values).map(
      ([key, value]) => new TextMapEntry({ key, value: text(value) }),
    );
    return this.nested({ values: new Value({ textMap: new TextMap({ entries }) }) });
  }

  #lock(holders: readonly string[]): Value {
    return this.nested({
      holders: list(holders.map(party)),
      expiresAt: optional(undefined),
      expiresAfter: optional(undefined),
      context: optional(undefined),
    });
  }

  transferArgument(choice: TransferChoice): Value {
    const { transfer } = choice;
    return this.nested({
      expectedAdmin: party(choice.expectedAdmin),
      transfer: this.nested({
        sender: party(transfer.sender),
        receiver: party(transfer.receiver),
        amount: numeric(transfer.amount),
        instrumentId: this.instrument(transfer.instrumentId),
        requestedAt: timestamp(transfer.requestedAt),
        executeBefore: timestamp(transfer.executeBefore),
        inputHoldingCids: list(transfer.inputHoldingCids.map(contractId)),
        meta: this.meta({}),
      }),
      extraArgs: this.nested({ context: this.meta({}), meta: this.meta({}) }),
    });
  }

  transferResult(receiverCids: readonly string[], changeCids: readonly string[]): Value {
    return this.nested({
      output: new Value({
        variant: new Variant({
          constructorName: 'TransferInstructionResult_Completed',
          value: this.nested({ receiverHoldingCids: list(receiverCids.map(contractId)) }),
        }),
      }),
      senderChangeCids: list(changeCids.map(contractId)),
      meta: this.meta({}),
    });
  }
}

export function templateIdentifier(kind: TemplateKind): Identifier {
  const { packageName, module, entity } = templates[kind];
  return new Identifier({ packageId: packageId(packageName), moduleName: module, entityName: entity });
}

export function interfaceIdentifier(kind: InterfaceKind): Identifier {
  const { packageName, module, entity } = interfaces[kind];
  return new Identifier({ packageId: packageId(packageName), moduleName: module, entityName: entity });
}

const party = (name: string) => new Value({ party: name });
const text = (content: string) => new Value({ text: content });
const contractId = (id: string) => new Value({ contractId: id });
const numeric = (units: bigint) => new Value({ numeric: formatDecimal(units) });
const timestamp = (micros: Micros) => new Value({ timestamp: `${micros}` });
const list = (elements: Value[]) => new Value({ list: new List({ elements }) });
const optional = (value: Value | undefined) => new Value({ optional: new Optional(value ? { value } : {}) });
