// What a running sandbox offers to code.
import type { AuditLog } from './audit.js';
import type { Control, PartySpec } from './fault-schema.js';
import type { FaultBook } from './faults.js';
import type { TokenSpec } from './tokens.js';

/** A party that signs for itself. */
export interface ExternalParty {
  readonly party: string;
  /** Of its key, as the ledger knows it; the party's namespace. */
  readonly fingerprint: string;
  /** X.509 SubjectPublicKeyInfo in DER, as hex. */
  readonly publicKey: string;
  /** 32 bytes as hex; null where the key was given, and is elsewhere. The sandbox keeps none. */
  readonly privateKey: string | null;
}

export interface Sandbox {
  /** `host:port` of the Ledger API. */
  readonly url: string;
  /** Base URL of audit, faults and parties. */
  readonly httpUrl: string;
  /** Every variable that a submitter needs to run against this sandbox, but for its database. */
  readonly env: Readonly<Record<string, string>>;
  readonly issuer: string;
  /** The other admin, of tokens with a registry. */
  readonly registrar: string;
  readonly synchronizerId: string;
  /** Of the participant that answers now. */
  readonly participantId: string;
  readonly tokens: readonly TokenSpec[];
  readonly audit: AuditLog;
  readonly faults: FaultBook;
  /** What befalls the participant as a whole; the promise is kept when it has happened. */
  control(control: Control): Promise<Readonly<Record<string, unknown>>>;
  /** Allocates parties, hosted ones unless told otherwise, with holdings; returns their ids in order. */
  createParties(specs: readonly PartySpec[]): string[];
  /** Allocates external parties, with holdings; returns them with their keys, in order. */
  createExternalParties(specs: readonly PartySpec[]): ExternalParty[];
  parties(): string[];
  /** What a party holds now, by instrument id. */
  balances(party: string): Record<string, { amount: string; holdings: number; locked: number }>;
  ledgerEnd(): number;
  /** Stops serving and removes what was written for this process; the state file stays. */
  close(): Promise<void>;
}
