import type { Offset } from '../core/ids.js';

/** What a refusal means for the row, read from Canton's error id (`ledger/classify.ts`). */
export type RefusalKind =
  /** A Daml rule judged exactly this transfer and said no: `failed`. No other answer of a ledger fails a row (I5). */
  | 'for-good'
  /** Contention, stale inputs, time bounds: the same row may pass later. */
  | 'try-again'
  /** It may be the row's own trouble: its receiver, its sender's hosting, an odd value. Counts unless others have it too. */
  | 'suspect'
  /** The network did not confirm it in time: everybody's trouble, unless the others are served meanwhile. */
  | 'unconfirmed'
  /** More than the participant or the sequencer can take now: fewer rows are kept in flight. */
  | 'overload'
  /** Not the row's trouble: traffic, packages, rights, tokens, connections. Feeds the breaker. */
  | 'not-the-row';

/** Whom a refusal can be blamed on: one party or token, or nobody in particular. Used for `suspect` and `not-the-row`. */
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
  /** Sent, without a certain answer. */
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
      /** What it cost in traffic, where the participant says so. For metrics alone. */
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
      /** A refused confirmation costs traffic too. */
      readonly paidTraffic: bigint | null;
    }
  | { readonly kind: 'checkpoint'; readonly offset: Offset; readonly times: readonly SynchronizerTime[] };

export interface SynchronizerTime {
  readonly synchronizerId: string;
  /** Record time in microseconds since the epoch, on the ledger's clock. */
  readonly recordTime: bigint;
}
