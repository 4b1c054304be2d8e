import type { Micros } from './ids.js';

/** A holding of a CIP-56 token, as the token standard's own view describes it, whatever its template. */
export interface Holding {
  readonly contractId: string;
  readonly owner: string;
  /** Has signed the contract; without that signature it would not be a holding of the instrument. */
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
  /** On the ledger's clock. Null: it has no end, or one that only its holders can compute (`expiresAfter`). */
  readonly expiresAt: Micros | null;
}

/** Where a holding is, seen from the synchronizer that transfers are submitted to. */
export type Place =
  | { readonly kind: 'here' }
  | { readonly kind: 'elsewhere'; readonly synchronizerId: string }
  /** In the middle of a reassignment: usable nowhere until it arrives. */
  | { readonly kind: 'moving'; readonly to: string };

/** The participant could not tell its amount, or told it in a form that is not known here. */
export interface UnreadableHolding {
  readonly contractId: string;
  /** `Module:Entity`. */
  readonly template: string;
  /** Null: not even these are known. */
  readonly signatories: readonly string[] | null;
  readonly why: string;
}

/** Everything that a party has at one ledger end. */
export interface Holdings {
  readonly holdings: readonly Holding[];
  /** Their owner and instrument are not known; the admin may be any of the signatories. */
  readonly unreadable: readonly UnreadableHolding[];
}
