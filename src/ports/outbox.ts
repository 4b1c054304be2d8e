import type { DbMillis, Offset, TxHash } from '../core/ids.js';

/** What became of a transfer, as others are told: one entry of the outbox. */
export type TransferOutcome = OutcomeOf & (CompletedOutcome | FailedOutcome | ParkedOutcome);

interface OutcomeOf {
  /** The same each time this outcome is told; for webhooks, `webhook-id`. */
  readonly id: string;
  /** Its place in the order that every reader sees. */
  readonly position: bigint;
  /** When it was written, on the database's clock. */
  readonly at: Date;
  readonly txHash: TxHash;
  /** Addresses as the API has them. */
  readonly sender: string;
  readonly recipient: string;
  readonly token: string;
  readonly nonce: bigint;
  /** In the token's smallest unit. */
  readonly amount: bigint;
}

/** The transfer is on the ledger. Final. */
export interface CompletedOutcome {
  readonly kind: 'completed';
  /** Null: not known any more, for a row that came back after its transaction had ended. */
  readonly updateId: string | null;
  readonly offset: Offset | null;
}

/** Nothing of it can ever be on the ledger. Final. */
export interface FailedOutcome {
  readonly kind: 'failed';
  /** As a wallet shows it. */
  readonly message: string;
}

/** It waits for a person, and ends later as one of the others. */
export interface ParkedOutcome {
  readonly kind: 'parked';
  /** `CODE: detail`, for operators. */
  readonly reason: string;
}

/** One sender's next outcomes, which nobody else delivers until the lease is over. */
export interface Delivery {
  readonly lane: string;
  readonly token: string;
  readonly dbNow: DbMillis;
  /** In order; at least one. */
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly entryId: string;
  /** Deliveries tried so far. */
  readonly attempts: number;
  readonly outcome: TransferOutcome;
}

/** What became of a delivery: a few entries delivered, then perhaps one that failed. */
export interface Delivered {
  readonly entryIds: readonly string[];
  readonly failed: { readonly entryId: string; readonly error: string; readonly waitMs: number } | null;
}

/** Entries on their way to the receiver of webhooks. */
export interface Deliveries {
  claim(request: {
    readonly limit: number;
    readonly each: number;
    readonly leaseMs: number;
  }): Promise<readonly Delivery[]>;
  /** `fenced`: the lease had run out, and somebody else has the sender's outcomes. `dead`: given up after `giveUpMs`. */
  release(
    delivery: Delivery,
    delivered: Delivered,
    giveUpMs: number,
  ): Promise<'released' | 'dead' | 'fenced'>;
}

/** Entries read by a consumer of the library. One process at a time reads for it, under a token of its own. */
export interface ConsumerStore {
  /** Whether any outcomes are kept. */
  kept(): Promise<boolean>;
  read(limit: number): Promise<readonly TransferOutcome[] | 'held'>;
  /** False: the lease was lost, and nothing was written. */
  acknowledge(position: bigint): Promise<boolean>;
  renew(): Promise<void>;
  /** Lets another process read at once. */
  leave(): Promise<void>;
}

/** One attempt to hand a message to the receiver of webhooks. `failed`: anything but a 2xx; `status` null: no answer came. */
export type DeliveryAttempt =
  | { readonly kind: 'delivered'; readonly status: number }
  | {
      readonly kind: 'failed';
      readonly status: number | null;
      readonly reason: string;
      readonly retryAfterMs: number | null;
    };
