// The templates as data: what a contract holds, who signs it, who sees it. CIP-56's own, and those of a utility
// registry, another admin's way to run tokens.
import type { Micros } from '../clock.js';
import type { TextMap } from './any-value.js';

export interface InstrumentId {
  readonly admin: string;
  readonly id: string;
}

/** An amulet that is locked is of a template of its own. */
export type HoldingKind = 'holding' | 'utilityHolding' | 'amulet' | 'lockedAmulet';

/** Of the token standard. Micros, both: since the epoch, and how long. */
export interface Lock {
  readonly holders: readonly string[];
  readonly expiresAt?: Micros;
  readonly expiresAfter?: Micros;
  readonly context?: string;
}

export interface Holding {
  /** Whose template it is; all hold the same. */
  readonly kind: HoldingKind;
  /** A utility registry's is called registrar, an amulet's dso. */
  readonly issuer: string;
  readonly owner: string;
  readonly amount: bigint;
  readonly instrumentId: InstrumentId;
  readonly lock?: Lock;
  /** A utility registry's has none. */
  readonly meta: Readonly<Record<string, string>>;
}

export interface TransferFactory {
  readonly kind: 'factory' | 'utilityFactory' | 'amuletFactory';
  readonly admin: string;
  /** A utility registry's has none. */
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

/** How a registry's instrument is transferred; nobody but the registrar sees it. */
export interface InstrumentRules {
  readonly kind: 'utilityRules';
  readonly registrar: string;
  readonly instrumentId: InstrumentId;
  /** The receiver has to accept. */
  readonly offers: boolean;
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

/** Waits for its receiver; what is offered is locked meanwhile. */
export interface TransferOffer {
  readonly kind: 'transferOffer';
  readonly registrar: string;
  readonly transfer: Transfer;
}

export type Payload = Holding | TransferFactory | TransferEvent | InstrumentRules | TransferOffer;

export const holdingKinds: readonly HoldingKind[] = ['holding', 'utilityHolding', 'amulet', 'lockedAmulet'];

export function isHolding(payload: Payload): payload is Holding {
  return holdingKinds.some((kind) => kind === payload.kind);
}

export function isFactory(payload: Payload): payload is TransferFactory {
  return payload.kind === 'factory' || payload.kind === 'utilityFactory' || payload.kind === 'amuletFactory';
}

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
 * As recorded on real networks: what an owner holds of a utility registry, and what a sender offers, he signs too. The
 * admin first.
 */
export function signatories(payload: Payload): string[] {
  const parties = [signatory(payload)];
  if (payload.kind === 'utilityHolding') addParty(parties, payload.owner);
  if (payload.kind === 'transferOffer') addParty(parties, payload.transfer.sender);
  return parties;
}

export function observers(payload: Payload): string[] {
  const signing = signatories(payload);
  return stakeholders(payload).filter((party) => !signing.includes(party));
}

/** The signatory first. */
export function stakeholders(payload: Payload): string[] {
  const parties = [signatory(payload)];
  switch (payload.kind) {
    case 'holding':
    case 'utilityHolding':
    case 'amulet':
    case 'lockedAmulet':
      addParty(parties, payload.owner);
      break;
    case 'factory':
    case 'utilityFactory':
    case 'amuletFactory':
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
      addParty(parties, payload.transfer.sender);
      addParty(parties, payload.transfer.receiver);
  }
  return parties;
}

function addParty(parties: string[], party: string | undefined): void {
  if (party !== undefined && !parties.includes(party)) parties.push(party);
}
