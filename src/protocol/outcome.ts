import type { Offset } from '../core/ids.js';

/** What makes one refusal different from another for the row, read from Canton's error id (`ledger/classify.ts`). */
export type RefusalKind =
  /** A Daml rule judged this very transfer, and said no: `failed`. Nothing else that a ledger says is (I5). */
  | 'for-good'
  /** Contention, stale inputs, time bounds: the same row may well pass later. */
  | 'try-again'
  /** Perhaps the row's own: its receiver, where its sender is hosted, an odd value. It counts unless it is everybody's. */
  | 'suspect'
  /** The network did not confirm it in time: everybody's, unless the others are served all the while. */
  | 'unconfirmed'
  /** More than the participant or the sequencer takes now: what is in flight shrinks. */
  | 'overload'
  /** Nothing of the row's: traffic, packages, rights, tokens, connections. Feeds the breaker. */
  | 'not-the-row';

/** Whom a refusal can be blamed on: one party or token, or nobody in particular. Counts for `suspect` and `not-the-row`. */
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
      /** What it cost in traffic, where the participant says. For metrics alone. */
      readonly paidTraffic: bigint | null;
    }
  | {
      readonly kind: 'rejected';
      readonly commandId: string;
      readonly submissionId: string;
      readonly offset: Offset;
      /** `DUPLICATE_COMMAND` and its like read as `duplicate`, or `unknown`. */
      readonly outcome: Exclude<Outcome, { kind: 'accepted' | 'not-sent' }>;
      readonly time: SynchronizerTime | null;
      /** A refused confirmation costs too. */
      readonly paidTraffic: bigint | null;
    }
  | { readonly kind: 'checkpoint'; readonly offset: Offset; readonly times: readonly SynchronizerTime[] };

export interface SynchronizerTime {
  readonly synchronizerId: string;
  /** Record time in microseconds since the epoch, on the ledger's clock. */
  readonly recordTime: bigint;
}
