import type { Micros, Party, TxHash } from './ids.js';

/** A value in a registry's choice context, as CIP-56 defines it (all of `AnyValue`): a tag and its content. */
export type AnyValue =
  | {
      readonly tag: 'AV_Text' | 'AV_Party' | 'AV_ContractId' | 'AV_Decimal' | 'AV_Int';
      readonly value: string;
    }
  | { readonly tag: 'AV_Bool'; readonly value: boolean }
  /** In days since 1970. */
  | { readonly tag: 'AV_Date'; readonly value: number }
  /** A point in time, and a span. */
  | { readonly tag: 'AV_Time' | 'AV_RelTime'; readonly value: Micros }
  | { readonly tag: 'AV_List'; readonly value: readonly AnyValue[] }
  | { readonly tag: 'AV_Map'; readonly value: ReadonlyMap<string, AnyValue> };

/** A contract that the submitting party cannot see, disclosed by somebody who can (a registry). */
export interface Disclosure {
  readonly contractId: string;
  readonly templateId: {
    readonly packageId: string;
    readonly moduleName: string;
    readonly entityName: string;
  };
  readonly createdEventBlob: Uint8Array;
  readonly synchronizerId: string;
}

/** The contract whose choice moves a token. */
export type TransferFactory =
  /** Our own issuer's, read from the ledger as the issuer. */
  | { readonly kind: 'own'; readonly contractId: string }
  /** Another admin's, named by its registry for exactly this transfer. */
  | {
      readonly kind: 'registry';
      readonly contractId: string;
      readonly context: ReadonlyMap<string, AnyValue>;
      readonly disclosed: readonly Disclosure[];
      /** `direct` and `self` move the money at once, `offer` waits for its receiver; null where the registry does not say. */
      readonly transferKind: 'direct' | 'self' | 'offer' | null;
    };

/** What the choice is asked to do: everything but the factory. */
export interface TransferTerms {
  readonly sender: Party;
  readonly receiver: Party;
  readonly admin: string;
  readonly instrumentId: string;
  /** In units of 10^-10, Daml's Decimal. */
  readonly amount: bigint;
  /** Contract ids of the holdings to spend. */
  readonly holdings: readonly string[];
  readonly requestedAt: Micros;
  readonly executeBefore: Micros;
}

/** One `TransferFactory_Transfer`, for either way to submit. */
export interface Transfer extends TransferTerms {
  readonly commandId: TxHash;
  readonly factory: TransferFactory;
}

/** A transfer under its submission id: what `SubmitAndWait` takes. */
export interface HostedSubmission extends Transfer {
  readonly submissionId: string;
}

/** What the participant made of a transfer, to be inspected, signed and executed. */
export interface Prepared {
  /** The `PreparedTransaction`, byte for byte as it came: a field that we do not know must not get lost. */
  readonly transaction: Uint8Array;
  /** Its hash, as the participant says; never signed unless we compute the same one. */
  readonly hash: Uint8Array;
  /** `HashingSchemeVersion` on the wire, 2 or 3: the one used, and the one asked for. */
  readonly scheme: number;
  readonly askedScheme: number;
}

/** With an estimate of its cost in traffic, where the participant gives one. For metrics alone. */
export interface Priced extends Prepared {
  readonly estimatedTraffic: bigint | null;
}

/** A prepared transaction with its party's signature: what `ExecuteSubmissionAndWait` takes. */
export interface SignedSubmission {
  readonly prepared: Prepared;
  readonly submissionId: string;
  readonly party: Party;
  readonly signature: Signature;
}

export interface Signature {
  /** ASN.1 DER of (r, s), low s, by ECDSA with SHA-256 on secp256k1. */
  readonly der: Uint8Array;
  /** The public key's, as the ledger knows it: `1220` and 64 hex digits. */
  readonly fingerprint: string;
}
