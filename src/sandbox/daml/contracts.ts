// The templates as data: what a contract contains, who signs it, who sees it. CIP-56's own; those of a utility
// registry and of amulets, as real networks record them; and deposits, which only their own registry knows.
import type { Micros } from '../clock.js';
import type { TextMap } from './any-value.js';

export interface InstrumentId {
  readonly admin: string;
  readonly id: string;
}

/** A locked amulet has a template of its own. */
export type HoldingKind = 'holding' | 'utilityHolding' | 'amulet' | 'lockedAmulet' | 'deposit';

/** From the token standard, both in microseconds: since 1970, and a duration. */
export interface Lock {
  readonly holders: readonly string[];
  readonly expiresAt?: Micros;
  readonly expiresAfter?: Micros;
  readonly context?: string;
  /** In a utility registry: who sees the holding while it is locked. Its locks have no end. */
  readonly observers?: readonly string[];
}

/** The kinds of end that its templates have a field for. */
export const lockEnds: Readonly<Record<HoldingKind, 'both' | 'at' | 'none'>> = {
  holding: 'both',
  utilityHolding: 'none',
  amulet: 'at',
  lockedAmulet: 'at',
  deposit: 'both',
};

export interface Holding {
  /** Whose template it is; all contain the same. */
  readonly kind: HoldingKind;
  /** Called registrar in a utility registry, dso for an amulet. */
  readonly issuer: string;
  readonly owner: string;
  readonly amount: bigint;
  readonly instrumentId: InstrumentId;
  readonly lock?: Lock;
  /** A utility registry has none. */
  readonly meta: Readonly<Record<string, string>>;
}

export interface TransferFactory {
  readonly kind: 'factory' | 'utilityFactory' | 'amuletFactory' | 'depositFactory';
  readonly admin: string;
  /** A utility registry has none. */
  readonly auditObservers: readonly string[];
}

export interface TransferEvent {
  readonly kind: 'transferEvent';
  readonly issuer: string;
  /** Absent: minted. */
  readonly fromParty?: string;
  /** Absent: burned. */
  readonly toParty?: string;
  readonly amount: bigint;
  readonly instrumentId: InstrumentId;
  readonly timestamp: Micros;
  readonly auditObservers: readonly string[];
}

/**
 * What comes of a transfer: it moves the money directly, makes an offer that the receiver has to accept, or commits with
 * nothing moved, as the token standard allows (`TransferInstructionResult_Failed`).
 */
export const registryTransfers = ['direct', 'offer', 'fails'] as const;
export type RegistryTransfers = (typeof registryTransfers)[number];

/** How a registry's instrument is transferred; only the registrar sees it. */
export interface InstrumentRules {
  readonly kind: 'utilityRules';
  readonly registrar: string;
  readonly instrumentId: InstrumentId;
  readonly transfers: RegistryTransfers;
}

export interface Transfer {
  readonly sender: string;
  readonly receiver: string;
  readonly amount: bigint;
  readonly instrumentId: InstrumentId;
  readonly requestedAt: Micros;
  readonly executeBefore: Micros;
  readonly inputHoldingCids: readonly string[];
  readonly meta: TextMap<string>;
}

/**
 * Waits for its receiver. The offered holding stays locked meanwhile, and is the one input of the transfer that it
 * describes.
 */
export interface TransferOffer {
  /** From a utility registry, an amulet, or a deposit. */
  readonly kind: 'transferOffer' | 'amuletInstruction' | 'depositOffer';
  readonly registrar: string;
  readonly transfer: Transfer;
}

export type Payload = Holding | TransferFactory | TransferEvent | InstrumentRules | TransferOffer;

export const holdingKinds = Object.keys(lockEnds) as readonly HoldingKind[];

export function isHolding(payload: Payload): payload is Holding {
  return holdingKinds.some((kind) => kind === payload.kind);
}

const factoryKinds: readonly string[] = [
  'factory',
  'utilityFactory',
  'amuletFactory',
  'depositFactory',
] satisfies TransferFactory['kind'][];

export function isFactory(payload: Payload): payload is TransferFactory {
  return factoryKinds.includes(payload.kind);
}

const offerKinds: readonly string[] = [
  'transferOffer',
  'amuletInstruction',
  'depositOffer',
] satisfies TransferOffer['kind'][];

export function isOffer(payload: Payload): payload is TransferOffer {
  return offerKinds.includes(payload.kind);
}

/** For whatever is derived from such a holding. */
export const offerKind = ({ kind }: Holding): TransferOffer['kind'] => {
  if (kind === 'deposit') return 'depositOffer';
  return kind === 'amulet' ? 'amuletInstruction' : 'transferOffer';
};

/** The two parties that a utility registry's contracts name besides its registrar. */
export const operatorOf = (registrar: string): string => `utility-operator::${namespace(registrar)}`;
export const providerOf = (registrar: string): string => `utility-provider::${namespace(registrar)}`;
const namespace = (party: string): string => party.split('::')[1] ?? '';

/** The same money, locked or not. */
export function withLock({ lock: _, ...holding }: Holding, lock?: Lock): Holding {
  const amulet = holding.kind === 'amulet' || holding.kind === 'lockedAmulet';
  const kind = amulet ? (lock ? 'lockedAmulet' : 'amulet') : holding.kind;
  return { ...holding, kind, ...(lock ? { lock } : {}) };
}

export function signatory(payload: Payload): string {
  if ('admin' in payload) return payload.admin;
  return 'issuer' in payload ? payload.issuer : payload.registrar;
}

/**
 * As recorded on real networks: an owner also signs a registry's holdings, and a sender its offers; whoever locks an
 * amulet signs it. The admin comes first.
 */
export function signatories(payload: Payload): string[] {
  const parties = [signatory(payload)];
  if (isHolding(payload) && payload.kind !== 'holding') addParty(parties, payload.owner);
  if (payload.kind === 'lockedAmulet')
    for (const holder of payload.lock?.holders ?? []) addParty(parties, holder);
  if (payload.kind === 'transferOffer') addParty(parties, providerOf(payload.registrar));
  if (isOffer(payload)) addParty(parties, payload.transfer.sender);
  return parties;
}

export function observers(payload: Payload): string[] {
  const signing = signatories(payload);
  return stakeholders(payload).filter((party) => !signing.includes(party));
}

/** Signatories first. */
export function stakeholders(payload: Payload): string[] {
  const parties = signatories(payload);
  switch (payload.kind) {
    case 'utilityHolding':
      addParty(parties, operatorOf(payload.issuer));
      addParty(parties, providerOf(payload.issuer));
      for (const observer of payload.lock?.observers ?? []) addParty(parties, observer);
      break;
    case 'holding':
    case 'amulet':
    case 'lockedAmulet':
    case 'deposit':
      addParty(parties, payload.owner);
      break;
    case 'factory':
    case 'utilityFactory':
    case 'amuletFactory':
    case 'depositFactory':
      for (const observer of payload.auditObservers) addParty(parties, observer);
      break;
    case 'transferEvent':
      addParty(parties, payload.fromParty);
      addParty(parties, payload.toParty);
      for (const observer of payload.auditObservers) addParty(parties, observer);
      break;
    case 'utilityRules':
      break;
    case 'transferOffer':
      addParty(parties, operatorOf(payload.registrar));
      addParty(parties, payload.transfer.receiver);
      break;
    case 'amuletInstruction':
    case 'depositOffer':
      addParty(parties, payload.transfer.receiver);
  }
  return parties;
}

function addParty(parties: string[], party: string | undefined): void {
  if (party !== undefined && !parties.includes(party)) parties.push(party);
}
