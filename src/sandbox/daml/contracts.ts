// The CIP-56 templates as data: what a contract holds, who signs it, who sees it.
import type { Micros } from '../clock.js';
import type { TemplateKind } from './packages.js';

export interface InstrumentId {
  readonly admin: string;
  readonly id: string;
}

export interface Holding {
  readonly kind: 'holding';
  readonly issuer: string;
  readonly owner: string;
  readonly amount: bigint;
  readonly instrumentId: InstrumentId;
  /** Holders of the lock; absent is unlocked. */
  readonly lock?: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
}

export interface TransferFactory {
  readonly kind: 'factory';
  readonly admin: string;
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

export type Payload = Holding | TransferFactory | TransferEvent;
export type PayloadOf<K extends TemplateKind> = Extract<Payload, { kind: K }>;

export function signatory(payload: Payload): string {
  return payload.kind === 'factory' ? payload.admin : payload.issuer;
}

export function observers(payload: Payload): string[] {
  const signing = signatory(payload);
  return stakeholders(payload).filter((party) => party !== signing);
}

/** The signatory first. */
export function stakeholders(payload: Payload): string[] {
  const parties = [signatory(payload)];
  switch (payload.kind) {
    case 'holding':
      addParty(parties, payload.owner);
      break;
    case 'factory':
      for (const observer of payload.auditObservers) addParty(parties, observer);
      break;
    case 'transferEvent':
      addParty(parties, payload.fromParty);
      addParty(parties, payload.toParty);
      for (const observer of payload.auditObservers) addParty(parties, observer);
  }
  return parties;
}

function addParty(parties: string[], party: string | undefined): void {
  if (party !== undefined && !parties.includes(party)) parties.push(party);
}
