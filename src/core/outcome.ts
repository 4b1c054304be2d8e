import type { Offset } from './ids.js';

/** What makes one refusal different from another for the row, read from Canton's error id (`ledger/classify.ts`). */
export type RefusalKind =
  /** The request itself is wrong and will be for ever: `failed`. */
  | 'for-good'
  /** Refused because of what the ledger holds (unknown party): `failed`, once the participant is proven. */
  | 'for-good-by-state'
  /** Contention, backpressure, stale inputs, time bounds: the same row may well pass later. */
  | 'try-again'
  /** Nothing of the row's: traffic, topology, packages, rights, tokens, connections. Feeds the breaker. */
  | 'not-the-row';

/** Whom a `not-the-row` refusal can be blamed on: one party or token, or nobody in particular. */
export type Blame = 'all' | 'sender' | 'receiver' | 'token';

/** A certain refusal: this submission did not commit and never will. */
export interface Refusal {
  readonly kind: RefusalKind;
  readonly blame: Blame;
  /** Canton's error id, or `GRPC_<CODE>` where the answer had none. */
  readonly errorId: string;
  /** For logs and `last_error`; never for a wallet. */
  readonly detail: string;
  /** What the ledger asked us to wait, in ms. */
  readonly retryAfterMs: number | null;
}

/**
 * What is known of a submission. Only `accepted` and `refused` end it (I5); everything that can mean
 * "may still commit" is `unknown` or `duplicate`, and is resolved by a look.
 */
export type Outcome =
  | { readonly kind: 'accepted'; readonly updateId: string; readonly offset: Offset }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The method was never called: the channel was not ready. */
  | { readonly kind: 'not-sent'; readonly detail: string }
  /** `DUPLICATE_COMMAND`: an acceptance of this command id exists, at this offset if the participant says. */
  | { readonly kind: 'duplicate'; readonly completionOffset: Offset | null; readonly detail: string }
  /** Sent, and no certain answer. */
  | { readonly kind: 'unknown'; readonly detail: string };

/** An event of the participant's completion stream, already parsed. Offsets rise along a stream. */
export type CompletionEvent =
  | {
      readonly kind: 'accepted';
      readonly commandId: string;
      readonly submissionId: string;
      readonly updateId: string;
      readonly offset: Offset;
      readonly parties: readonly string[];
      readonly time: SynchronizerTime | null;
      /** The signed hash (external submissions, participants from 3.5). */
      readonly transactionHash: Uint8Array | null;
    }
  | {
      readonly kind: 'rejected';
      readonly commandId: string;
      readonly submissionId: string;
      readonly offset: Offset;
      /** `DUPLICATE_COMMAND` and its like read as `duplicate`, or `unknown`. */
      readonly outcome: Exclude<Outcome, { kind: 'accepted' | 'not-sent' }>;
      readonly time: SynchronizerTime | null;
    }
  | { readonly kind: 'checkpoint'; readonly offset: Offset; readonly times: readonly SynchronizerTime[] };

export interface SynchronizerTime {
  readonly synchronizerId: string;
  /** Record time in microseconds since the epoch, on the ledger's clock. */
  readonly recordTime: bigint;
}
