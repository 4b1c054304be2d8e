// The wire to Daml values, typed: the argument of the transfer choice, and payloads of contracts.
import type { Value } from '#proto/com/daml/ledger/api/v2/value.js';
import type { Micros } from '../clock.js';
import type { AnyValue } from '../daml/any-value.js';
import {
  type Holding,
  type InstrumentId,
  type Lock,
  type Payload,
  type Transfer,
  withLock,
} from '../daml/contracts.js';
import type { TemplateKind } from '../daml/packages.js';
import type { TransferChoice } from '../daml/transfer.js';
import { formatDecimal } from '../model/decimal.js';
import {
  contractId,
  date,
  decimal,
  expect,
  fields,
  instrumentId,
  list,
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

/** In the order of the Daml declaration, which unlabelled fields go by. */
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
    case 'holding': {
      const labels = ['issuer', 'owner', 'amount', 'instrumentId', 'lock', 'meta'];
      const [issuer, owner, amount, instrument, optionalLock, meta] = fields(argument, labels);
      const lock = optional(optionalLock, readLock);
      return {
        kind,
        issuer: party(issuer),
        owner: party(owner),
        amount: decimal(amount),
        instrumentId: instrumentId(instrument),
        ...(lock ? { lock } : {}),
        meta: Object.fromEntries(valuesOf(meta, text)),
      };
    }
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
    case 'utilityHolding': {
      const labels = ['registrar', 'owner', 'instrument', 'label', 'amount', 'lock'];
      const [registrar, owner, instrument, , amount, optionalLock] = fields(argument, labels, 5);
      const lock = optional(optionalLock, readLock);
      return {
        kind,
        issuer: party(registrar),
        owner: party(owner),
        amount: decimal(amount),
        instrumentId: utilityInstrument(instrument),
        ...(lock ? { lock } : {}),
        meta: {},
      };
    }
    case 'amulet':
      return readAmulet(argument);
    case 'lockedAmulet': {
      const [amulet, timeLock] = fields(argument, ['amulet', 'lock']);
      const [holders, expiresAt, context] = fields(timeLock, ['holders', 'expiresAt', 'optContext'], 2);
      return withLock(
        readAmulet(amulet),
        lockOf(list(holders, party), timestamp(expiresAt), undefined, context),
      );
    }
    case 'amuletFactory': {
      const [dso] = fields(argument, ['dso']);
      return { kind, admin: party(dso), auditObservers: [] };
    }
    case 'utilityFactory': {
      const [registrar] = fields(argument, ['registrar']);
      return { kind, admin: party(registrar), auditObservers: [] };
    }
    case 'utilityRules': {
      const [registrar, instrument, offers] = fields(argument, ['registrar', 'instrument', 'offers']);
      return {
        kind,
        registrar: party(registrar),
        instrumentId: utilityInstrument(instrument),
        offers: expect(offers, 'bool').bool,
      };
    }
    case 'transferOffer': {
      const [registrar, transfer] = fields(argument, ['registrar', 'transfer']);
      return { kind, registrar: party(registrar), transfer: readTransfer(transfer) };
    }
  }
}

function utilityInstrument(value: Value | undefined): InstrumentId {
  const [source, id] = fields(value, ['source', 'id', 'scheme']);
  return { admin: party(source), id: text(id) };
}

const AMULET = 'Amulet';

function readAmulet(value: Value | undefined): Holding {
  const [dso, owner, expiring] = fields(value, ['dso', 'owner', 'amount']);
  const [initial] = fields(expiring, ['initialAmount', 'createdAt', 'ratePerRound']);
  const issuer = party(dso);
  const instrumentId = { admin: issuer, id: AMULET };
  return { kind: 'amulet', issuer, owner: party(owner), amount: decimal(initial), instrumentId, meta: {} };
}

function readLock(value: Value | undefined): Lock {
  const labels = ['holders', 'expiresAt', 'expiresAfter', 'context'];
  const [holders, expiresAt, expiresAfter, context] = fields(value, labels, 1);
  return lockOf(
    list(holders, party),
    optional(expiresAt, timestamp),
    optional(expiresAfter, relTime),
    context,
  );
}

function lockOf(
  holders: readonly string[],
  expiresAt: Micros | undefined,
  expiresAfter: Micros | undefined,
  optionalContext: Value | undefined,
): Lock {
  const context = optional(optionalContext, text);
  return {
    holders,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(expiresAfter === undefined ? {} : { expiresAfter }),
    ...(context === undefined ? {} : { context }),
  };
}

const relTime = (value: Value | undefined): Micros => Number(microseconds(value));

/** DA.Time.RelTime. */
function microseconds(value: Value | undefined): string {
  const [micros] = fields(value, ['microseconds']);
  return expect(micros, 'int64').int64;
}
