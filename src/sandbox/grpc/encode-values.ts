// Daml values on the wire: contract payloads, and the argument and result of the transfer choice.
import { Record as DamlRecord, RecordField, Value, Variant } from '#proto/com/daml/ledger/api/v2/value.js';
import { Empty } from '#proto/google/protobuf/empty.js';
import type { AnyValue, TextMap as Entries } from '../daml/any-value.js';
import {
  type Holding,
  type InstrumentId,
  isFactory,
  isHolding,
  isOffer,
  type Lock,
  type Payload,
  type Transfer,
  type TransferOffer,
} from '../daml/contracts.js';
import {
  type DataType,
  type Definition,
  dataTypes,
  type InterfaceKind,
  templates,
} from '../daml/packages.js';
import type { TransferResult } from '../daml/result.js';
import type { TransferChoice } from '../daml/transfer.js';
import { ADMIN } from './decode-values.js';
import {
  amuletFields,
  depositFields,
  type Fields,
  lockedAmuletFields,
  offerFields,
  utilityHoldingFields,
  utilityInstrument,
  viewMeta,
} from './holding-fields.js';
import {
  contractId,
  identifierOf,
  isNone,
  list,
  numeric,
  optional,
  party,
  relTime,
  text,
  textMap,
  timestamp,
} from './plain-values.js';

/**
 * `labels` are sent only if verbose events were asked for; `types` (the ids of records and variants) are also in
 * prepared transactions.
 */
export type Detail = 'bare' | 'labels' | 'types';

export class ValueEncoder {
  /** `trailingNones`: whether a record includes a None at its end. */
  constructor(
    private readonly detail: Detail,
    private readonly trailingNones: 'told' | 'leftOut' = 'told',
  ) {}

  #record(type: Definition | undefined, fields: Fields): DamlRecord {
    const labelled = this.detail !== 'bare';
    const all = Object.entries(fields);
    const last = all.findLastIndex(([, value]) => !isNone(value));
    const told = this.trailingNones === 'told' ? all : all.slice(0, last + 1);
    return new DamlRecord({
      ...(type && this.detail === 'types' ? { recordId: identifierOf(type) } : {}),
      fields: told.map(([label, value]) => new RecordField(labelled ? { label, value } : { value })),
    });
  }

  /** Without a type, if its id is not known here. */
  #nested(type: DataType | undefined, fields: Fields): Value {
    return new Value({ record: this.#record(type && dataTypes[type], fields) });
  }

  readonly #nest = (type: DataType | undefined, fields: Fields): Value => this.#nested(type, fields);

  #variant(type: DataType, constructorName: string, value: Value): Value {
    const typed = this.detail === 'types' ? { variantId: identifierOf(dataTypes[type]) } : {};
    return new Value({ variant: new Variant({ ...typed, constructorName, value }) });
  }

  payload(payload: Payload): DamlRecord {
    return this.#record(templates[payload.kind], this.#payloadFields(payload));
  }

  #payloadFields(payload: Payload): Fields {
    switch (payload.kind) {
      case 'holding':
        return {
          issuer: party(payload.issuer),
          owner: party(payload.owner),
          amount: numeric(payload.amount),
          instrumentId: this.#instrument(payload.instrumentId),
          lock: optional(payload.lock && this.#lock(payload.lock)),
          meta: this.#meta(Object.entries(payload.meta)),
        };
      case 'factory':
        return {
          admin: party(payload.admin),
          auditObservers: list(payload.auditObservers.map(party)),
        };
      case 'transferEvent':
        return {
          issuer: party(payload.issuer),
          fromParty: optional(payload.fromParty === undefined ? undefined : party(payload.fromParty)),
          toParty: optional(payload.toParty === undefined ? undefined : party(payload.toParty)),
          amount: numeric(payload.amount),
          instrumentId: this.#instrument(payload.instrumentId),
          timestamp: timestamp(payload.timestamp),
          meta: optional(undefined),
          auditObservers: list(payload.auditObservers.map(party)),
        };
      case 'utilityHolding':
        return utilityHoldingFields(payload, this.#nest);
      case 'amulet':
        return amuletFields(payload, this.#nest);
      case 'lockedAmulet':
        return lockedAmuletFields(payload, this.#nest);
      case 'deposit':
        return depositFields(payload, optional(payload.lock && this.#lock(payload.lock)), this.#nest);
      case 'utilityFactory':
      case 'amuletFactory':
      case 'depositFactory':
        return { [ADMIN[payload.kind]]: party(payload.admin) };
      case 'utilityRules':
        return {
          registrar: party(payload.registrar),
          instrument: utilityInstrument(payload.instrumentId, this.#nest),
          transfers: new Value({ text: payload.transfers }),
        };
      case 'transferOffer':
      case 'amuletInstruction':
      case 'depositOffer':
        return offerFields(payload, this.#transfer(payload.transfer));
    }
  }

  /** The interface's view of a contract. */
  view(kind: InterfaceKind, payload: Payload): DamlRecord | undefined {
    if (kind === 'Holding' && isHolding(payload)) return this.#holdingView(payload);
    if (kind === 'TransferFactory' && isFactory(payload)) {
      return this.#record(undefined, { admin: party(payload.admin), meta: this.#meta([]) });
    }
    return kind === 'TransferInstruction' && isOffer(payload) ? this.#instructionView(payload) : undefined;
  }

  #instructionView({ transfer }: TransferOffer): DamlRecord {
    return this.#record(undefined, {
      originalInstructionCid: optional(undefined),
      transfer: this.#transfer(transfer),
      status: this.#variant('Status', 'TransferPendingReceiverAcceptance', new Value({ unit: new Empty() })),
      meta: this.#meta([]),
    });
  }

  #holdingView(holding: Holding): DamlRecord {
    return this.#record(undefined, {
      owner: party(holding.owner),
      instrumentId: this.#instrument(holding.instrumentId),
      amount: numeric(holding.amount),
      lock: optional(holding.lock && this.#lock(holding.lock)),
      meta: this.#meta(viewMeta(holding)),
    });
  }

  #instrument(id: InstrumentId): Value {
    return this.#nested('InstrumentId', { admin: party(id.admin), id: text(id.id) });
  }

  #meta(values: Entries<string>): Value {
    return this.#nested('Metadata', { values: textMap(values, text) });
  }

  #lock({ holders, expiresAt, expiresAfter, context }: Lock): Value {
    return this.#nested('Lock', {
      holders: list(holders.map(party)),
      expiresAt: optional(expiresAt === undefined ? undefined : timestamp(expiresAt)),
      expiresAfter: optional(expiresAfter === undefined ? undefined : relTime(expiresAfter)),
      context: optional(context === undefined ? undefined : text(context)),
    });
  }

  transferArgument(choice: TransferChoice): Value {
    return this.#nested('TransferChoice', {
      expectedAdmin: party(choice.expectedAdmin),
      transfer: this.#transfer(choice.transfer),
      extraArgs: this.#nested('ExtraArgs', {
        context: this.#nested('ChoiceContext', {
          values: textMap(choice.context, (value) => this.#anyValue(value)),
        }),
        meta: this.#meta(choice.meta),
      }),
    });
  }

  #transfer(transfer: Transfer): Value {
    return this.#nested('Transfer', {
      sender: party(transfer.sender),
      receiver: party(transfer.receiver),
      amount: numeric(transfer.amount),
      instrumentId: this.#instrument(transfer.instrumentId),
      requestedAt: timestamp(transfer.requestedAt),
      executeBefore: timestamp(transfer.executeBefore),
      inputHoldingCids: list(transfer.inputHoldingCids.map(contractId)),
      meta: this.#meta(transfer.meta),
    });
  }

  archiveArgument(): Value {
    return this.#nested('Archive', {});
  }

  #anyValue(any: AnyValue): Value {
    return this.#variant('AnyValue', any.tag, this.#contentOf(any));
  }

  #contentOf(any: AnyValue): Value {
    switch (any.tag) {
      case 'AV_Text':
        return text(any.value);
      case 'AV_Party':
        return party(any.value);
      case 'AV_ContractId':
        return contractId(any.value);
      case 'AV_Decimal':
        return new Value({ numeric: any.value });
      case 'AV_Int':
        return new Value({ int64: any.value });
      case 'AV_Time':
        return new Value({ timestamp: any.value });
      case 'AV_Date':
        return new Value({ date: Number(any.value) });
      case 'AV_RelTime':
        return relTime(any.value);
      case 'AV_Bool':
        return new Value({ bool: any.value });
      case 'AV_List':
        return list(any.value.map((item) => this.#anyValue(item)));
      case 'AV_Map':
        return textMap(any.value, (item) => this.#anyValue(item));
    }
  }

  transferResult(result: TransferResult): Value {
    return this.#nested('Result', {
      output: this.#output(result),
      senderChangeCids: list(result.change.map(contractId)),
      meta: this.#meta([]),
    });
  }

  #output(result: TransferResult): Value {
    if (result.kind === 'pending') {
      const content = this.#nested('Pending', { transferInstructionCid: contractId(result.instruction) });
      return this.#variant('Output', 'TransferInstructionResult_Pending', content);
    }
    if (result.kind === 'failed') {
      return this.#variant('Output', 'TransferInstructionResult_Failed', new Value({ unit: new Empty() }));
    }
    const receiverHoldingCids = list(result.receiver.map(contractId));
    const content = this.#nested('Completed', { receiverHoldingCids });
    return this.#variant('Output', 'TransferInstructionResult_Completed', content);
  }
}
