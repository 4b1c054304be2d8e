import type { Micros } from './ids.js';

/** A holding of a CIP-56 token, by the token standard's own view of it, whatever its template. */
export interface Holding {
  readonly contractId: string;
  readonly owner: string;
  /** Has signed the contract: else it is no holding of the instrument. */
  readonly admin: string;
  readonly instrumentId: string;
  /** In units of 10^-10, Daml's Decimal. */
  readonly amount: bigint;
  readonly lock: Lock | null;
  readonly place: Place;
}

export interface Lock {
  /** Who can release it. */
  readonly holders: readonly string[];
  /** On the ledger's clock. Null: no end, or one that only its holders can reckon (`expiresAfter`). */
  readonly expiresAt: Micros | null;
}

/** Where a holding is, seen from the synchronizer that transfers are submitted to. */
export type Place =
  | { readonly kind: 'here' }
  | { readonly kind: 'elsewhere'; readonly synchronizerId: string }
  /** In the middle of a reassignment: usable nowhere until it arrives. */
  | { readonly kind: 'moving'; readonly to: string };

/** The participant could not say what it is worth, or says it in a way that is not known here. */
export interface UnreadableHolding {
  readonly contractId: string;
  /** `Module:Entity`. */
  readonly template: string;
  /** Null: not even these are known. */
  readonly signatories: readonly string[] | null;
  readonly why: string;
}

/** Everything of a party's at one ledger end. */
export interface Holdings {
  readonly holdings: readonly Holding[];
  /** Whose, and of which instrument, is not known: any admin among the signatories may be meant. */
  readonly unreadable: readonly UnreadableHolding[];
}
