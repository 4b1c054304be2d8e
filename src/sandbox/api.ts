// The sandbox's interface for code.
import type { AuditLog } from './audit.js';
import type { Control, PartySpec } from './fault-schema.js';
import type { FaultBook } from './faults.js';
import type { TokenSpec } from './tokens.js';

/** An external party, which signs for itself. */
export interface ExternalParty {
  readonly party: string;
  /** The fingerprint of its key on the ledger, which is also the party's namespace. */
  readonly fingerprint: string;
  /** X.509 SubjectPublicKeyInfo in DER, as hex. */
  readonly publicKey: string;
  /** 32 bytes as hex; null if the caller supplied the key. The sandbox keeps no private keys. */
  readonly privateKey: string | null;
}

export interface Sandbox {
  /** `host:port` of the Ledger API. */
  readonly url: string;
  /** Base URL of audit, faults and parties. */
  readonly httpUrl: string;
  /** Every variable a submitter needs to run against this sandbox, except its database. */
  readonly env: Readonly<Record<string, string>>;
  readonly issuer: string;
  /** The other admin, whose tokens have a registry. */
  readonly registrar: string;
  readonly synchronizerId: string;
  /** The participant that answers now. */
  readonly participantId: string;
  readonly tokens: readonly TokenSpec[];
  readonly audit: AuditLog;
  readonly faults: FaultBook;
  /** Changes the participant as a whole; resolves once it has happened. */
  control(control: Control): Promise<Readonly<Record<string, unknown>>>;
  /** Allocates parties with holdings, hosted unless told otherwise; returns their ids, in order. */
  createParties(specs: readonly PartySpec[]): string[];
  /** Allocates external parties with holdings; returns them with their keys, in order. */
  createExternalParties(specs: readonly PartySpec[]): ExternalParty[];
  parties(): string[];
  /** What a party holds now, by instrument id. */
  balances(party: string): Record<string, { amount: string; holdings: number; locked: number }>;
  ledgerEnd(): number;
  /** Stops serving and removes the files written for this process; the state file stays. */
  close(): Promise<void>;
}
