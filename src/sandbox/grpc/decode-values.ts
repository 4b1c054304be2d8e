// From the wire to typed Daml values: the argument of the transfer choice, and contract payloads.
import type { Value } from '#proto/com/daml/ledger/api/v2/value.js';
import type { AnyValue } from '../daml/any-value.js';
import { type Payload, type RegistryTransfers, registryTransfers, type Transfer } from '../daml/contracts.js';
import type { TemplateKind } from '../daml/packages.js';
import type { TransferChoice } from '../daml/transfer.js';
import { formatDecimal } from '../model/decimal.js';
import { readHolding, readOffer, utilityInstrument } from './read-holdings.js';
import {
  contractId,
  date,
  decimal,
  expect,
  fields,
  instrumentId,
  list,
  microseconds,
  mistyped,
  optional,
  party,
  text,
  textMap,
  timestamp,
  valuesOf,
} from './value-readers.js';

/** The argument of TransferFactory_Transfer. */
export function readTransferChoice(factoryId: string, argument: Value | undefined): TransferChoice {
  const [expectedAdmin, transfer, extraArgs] = fields(argument, ['expectedAdmin', 'transfer', 'extraArgs']);
  const [context, meta] = fields(extraArgs, ['context', 'meta']);
  return {
    factoryId,
    expectedAdmin: party(expectedAdmin),
    transfer: readTransfer(transfer),
    context: valuesOf(context, anyValue),
    meta: valuesOf(meta, text),
  };
}

/** In the order of the Daml declaration, which unlabelled fields follow. */
const transferLabels = [
  'sender',
  'receiver',
  'amount',
  'instrumentId',
  'requestedAt',
  'executeBefore',
  'inputHoldingCids',
  'meta',
] as const;

function readTransfer(value: Value | undefined): Transfer {
  const [sender, receiver, amount, instrument, requestedAt, executeBefore, inputs, meta] = fields(
    value,
    transferLabels,
  );
  return {
    sender: party(sender),
    receiver: party(receiver),
    amount: decimal(amount),
    instrumentId: instrumentId(instrument),
    requestedAt: timestamp(requestedAt),
    executeBefore: timestamp(executeBefore),
    inputHoldingCids: list(inputs, contractId),
    meta: valuesOf(meta, text),
  };
}

function anyValue(value: Value | undefined): AnyValue {
  const variant = expect(value, 'variant').variant;
  const content = variant?.value;
  const tag = variant?.constructorName ?? '';
  switch (tag) {
    case 'AV_Text':
      return { tag, value: text(content) };
    case 'AV_Party':
      return { tag, value: party(content) };
    case 'AV_ContractId':
      return { tag, value: contractId(content) };
    case 'AV_Decimal':
      return { tag, value: formatDecimal(decimal(content)) };
    case 'AV_Int':
      return { tag, value: expect(content, 'int64').int64 };
    case 'AV_Time':
      return { tag, value: `${timestamp(content)}` };
    case 'AV_Date':
      return { tag, value: `${date(content)}` };
    case 'AV_RelTime':
      return { tag, value: microseconds(content) };
    case 'AV_Bool':
      return { tag, value: expect(content, 'bool').bool };
    case 'AV_List':
      return { tag, value: list(content, anyValue) };
    case 'AV_Map':
      return { tag, value: textMap(content, anyValue) };
    default:
      return mistyped(`AnyValue has no constructor ${tag}`);
  }
}

export function readPayload(kind: TemplateKind, argument: Value | undefined): Payload {
  switch (kind) {
    case 'holding':
    case 'utilityHolding':
    case 'amulet':
    case 'lockedAmulet':
    case 'deposit':
      return readHolding(kind, argument);
    case 'factory': {
      const [admin, auditObservers] = fields(argument, ['admin', 'auditObservers']);
      return { kind, admin: party(admin), auditObservers: list(auditObservers, party) };
    }
    case 'transferEvent': {
      const labels = [
        'issuer',
        'fromParty',
        'toParty',
        'amount',
        'instrumentId',
        'timestamp',
        'meta',
        'auditObservers',
      ];
      const [issuer, from, to, amount, instrument, at, , auditObservers] = fields(argument, labels);
      const [fromParty, toParty] = [optional(from, party), optional(to, party)];
      return {
        kind,
        issuer: party(issuer),
        ...(fromParty === undefined ? {} : { fromParty }),
        ...(toParty === undefined ? {} : { toParty }),
        amount: decimal(amount),
        instrumentId: instrumentId(instrument),
        timestamp: timestamp(at),
        auditObservers: list(auditObservers, party),
      };
    }
    case 'amuletFactory':
    case 'utilityFactory':
    case 'depositFactory': {
      const [admin] = fields(argument, [ADMIN[kind]]);
      return { kind, admin: party(admin), auditObservers: [] };
    }
    case 'utilityRules': {
      const [registrar, instrument, transfers] = fields(argument, ['registrar', 'instrument', 'transfers']);
      return {
        kind,
        registrar: party(registrar),
        instrumentId: utilityInstrument(instrument),
        transfers: registryTransfer(transfers),
      };
    }
    case 'transferOffer':
    case 'amuletInstruction':
    case 'depositOffer':
      return readOffer(kind, argument, readTransfer);
  }
}

function registryTransfer(value: Value | undefined): RegistryTransfers {
  const said = text(value);
  return registryTransfers.find((one) => one === said) ?? mistyped(`no way to transfer: ${said}`);
}

/** What registries call themselves in their factories. */
export const ADMIN = {
  amuletFactory: 'dso',
  utilityFactory: 'registrar',
  depositFactory: 'custodian',
} as const;
