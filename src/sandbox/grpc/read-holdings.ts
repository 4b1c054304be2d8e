// Reads the templates of holdings and offers from the wire.
import type { Value } from '#proto/com/daml/ledger/api/v2/value.js';
import type { Micros } from '../clock.js';
import {
  type Holding,
  type HoldingKind,
  type InstrumentId,
  type Lock,
  operatorOf,
  providerOf,
  type Transfer,
  type TransferOffer,
  withLock,
} from '../daml/contracts.js';
import {
  contractId,
  decimal,
  fields,
  instrumentId,
  list,
  microseconds,
  mistyped,
  optional,
  party,
  partySet,
  text,
  timestamp,
  valuesOf,
} from './value-readers.js';

export function readHolding(kind: HoldingKind, argument: Value | undefined): Holding {
  switch (kind) {
    case 'holding': {
      const labels = ['issuer', 'owner', 'amount', 'instrumentId', 'lock', 'meta'];
      const [issuer, owner, amount, instrument, lock, meta] = fields(argument, labels);
      return withLock(
        {
          kind,
          issuer: party(issuer),
          owner: party(owner),
          amount: decimal(amount),
          instrumentId: instrumentId(instrument),
          meta: Object.fromEntries(valuesOf(meta, text)),
        },
        optional(lock, readLock),
      );
    }
    case 'utilityHolding':
      return readUtilityHolding(argument);
    case 'amulet':
      return readAmulet(argument);
    case 'lockedAmulet': {
      const [amulet, timeLock] = fields(argument, ['amulet', 'lock']);
      const [holders, expiresAt, context] = fields(timeLock, ['holders', 'expiresAt', 'optContext'], 2);
      const ends = { expiresAt: timestamp(expiresAt) };
      return withLock(readAmulet(amulet), lockOf(list(holders, party), ends, optional(context, text)));
    }
    case 'deposit': {
      const [custodian, terms, kept] = fields(argument, ['custodian', 'terms', 'kept'], 2);
      const [holder, units] = fields(terms, ['holder', 'units']);
      const issuer = party(custodian);
      const deposit = { kind, issuer, owner: party(holder), amount: decimal(units), meta: {} };
      return withLock({ ...deposit, instrumentId: { admin: issuer, id: DEPOSIT } }, optional(kept, readLock));
    }
  }
}

/** A template without a field for its instrument has only one instrument. */
const AMULET = 'Amulet';
const DEPOSIT = 'GOLD';

function readUtilityHolding(argument: Value | undefined): Holding {
  const labels = ['operator', 'provider', 'registrar', 'owner', 'instrument', 'label', 'amount', 'lock'];
  const [operator, provider, registrar, owner, instrument, label, amount, lock] = fields(argument, labels, 7);
  const issuer = party(registrar);
  sameRegistry(issuer, operator, provider);
  text(label);
  const holding: Holding = {
    kind: 'utilityHolding',
    issuer,
    owner: party(owner),
    amount: decimal(amount),
    instrumentId: utilityInstrument(instrument),
    meta: {},
  };
  return withLock(holding, optional(lock, readUtilityLock));
}

function readUtilityLock(value: Value | undefined): Lock {
  const [lockers, context, observers] = fields(value, ['lockers', 'context', 'observers'], 2);
  const seen = optional(observers, partySet);
  return { holders: partySet(lockers), context: text(context), ...(seen ? { observers: seen } : {}) };
}

/** Each registrar of the sandbox has one of each. */
function sameRegistry(registrar: string, operator: Value | undefined, provider: Value | undefined): void {
  if (party(operator) !== operatorOf(registrar) || party(provider) !== providerOf(registrar))
    mistyped(`operator and provider of ${registrar} are others`);
}

export function utilityInstrument(value: Value | undefined): InstrumentId {
  const [source, id] = fields(value, ['source', 'id', 'scheme']);
  return { admin: party(source), id: text(id) };
}

function readAmulet(value: Value | undefined): Holding {
  const [dso, owner, expiring] = fields(value, ['dso', 'owner', 'amount']);
  const [initial] = fields(expiring, ['initialAmount', 'createdAt', 'ratePerRound']);
  const issuer = party(dso);
  const instrumentId = { admin: issuer, id: AMULET };
  return { kind: 'amulet', issuer, owner: party(owner), amount: decimal(initial), instrumentId, meta: {} };
}

const OFFERS: Readonly<Record<TransferOffer['kind'], readonly string[]>> = {
  transferOffer: ['operator', 'provider', 'transfer'],
  amuletInstruction: ['lockedAmulet', 'transfer'],
  depositOffer: ['custodian', 'transfer'],
};

export function readOffer(
  kind: TransferOffer['kind'],
  argument: Value | undefined,
  readTransfer: (value: Value | undefined) => Transfer,
): TransferOffer {
  const [first, second, third] = fields(argument, OFFERS[kind]);
  const transfer = readTransfer(kind === 'transferOffer' ? third : second);
  const registrar = transfer.instrumentId.admin;
  if (kind === 'transferOffer') sameRegistry(registrar, first, second);
  else if (kind === 'amuletInstruction') contractId(first);
  else party(first);
  return { kind, registrar, transfer };
}

function readLock(value: Value | undefined): Lock {
  const labels = ['holders', 'expiresAt', 'expiresAfter', 'context'];
  const [holders, expiresAt, expiresAfter, context] = fields(value, labels, 1);
  const ends = {
    expiresAt: optional(expiresAt, timestamp),
    expiresAfter: optional(expiresAfter, (of) => Number(microseconds(of))),
  };
  return lockOf(list(holders, party), ends, optional(context, text));
}

function lockOf(
  holders: readonly string[],
  { expiresAt, expiresAfter }: { expiresAt: Micros | undefined; expiresAfter?: Micros | undefined },
  context: string | undefined,
): Lock {
  return {
    holders,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(expiresAfter === undefined ? {} : { expiresAfter }),
    ...(context === undefined ? {} : { context }),
  };
}
