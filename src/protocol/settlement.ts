import type { ClaimToken, DbMillis, Offset, RowId, TxHash } from '../core/ids.js';
import type { ClaimedRow } from './record.js';

/** What becomes of a claimed row. Every one of them is written under the fence id + token + pending (I2). */
export type Verdict =
  /** `note` goes to `last_error`: what people should know of it, such as that it is an offer. */
  | {
      readonly kind: 'completed';
      readonly updateId: string;
      readonly offset: Offset;
      readonly note: string | null;
    }
  /** `message` is what a wallet's user reads; `detail` goes to `last_error`. */
  | { readonly kind: 'failed'; readonly message: string; readonly detail: string }
  | PendingVerdict;

/** Back to pending: a retry, a release, a park. */
export interface PendingVerdict {
  readonly kind: 'pending';
  /** `clear` only after a certain refusal, a proven death, or where nothing was sent; else `keep` (I4). */
  readonly record: 'clear' | 'keep';
  /** `now`: `available_at` stays as it is; a number: ms from the database's now; `parked`: until a person replays it. */
  readonly wait: 'now' | 'parked' | number;
  /** Added to `attempts`: -1 gives back what the claim counted, +1 counts a look that must not go on for ever. */
  readonly attempts: -1 | 0 | 1;
  /** Why, for people: `CODE: detail`. Null leaves `last_error` alone. */
  readonly lastError: string | null;
}

export interface Settlement {
  readonly id: RowId;
  readonly txHash: TxHash;
  readonly token: ClaimToken;
  readonly verdict: Verdict;
  /**
   * What a death, or `failed`, was concluded under: it is not written where the table was halted, its generation raised,
   * or the row's bound moved since (I4, I5).
   */
  readonly under: {
    readonly generation: bigint;
    /** Of the record that was looked up; null: nothing was, so clearing the record is no death. */
    readonly bound: DbMillis | 'infinity' | null;
  };
}

export const settlementOf = (claim: ClaimedRow, verdict: Verdict): Settlement => ({
  id: claim.row.id,
  txHash: claim.row.txHash,
  token: claim.token,
  verdict,
  under: {
    generation: claim.generation,
    bound: claim.kind === 'undecided' ? (claim.record.sentUntil ?? 'infinity') : null,
  },
});

/** What the database did with one settlement. Nobody may ignore it: `fenced` is counted and logged. */
export type SettleResult =
  | 'settled'
  /** The statement had returned nothing, yet the row shows our write: its acknowledgement was lost (P16). */
  | 'settled-before'
  /** Another claim holds the row, or it is final by another hand: nothing was changed. */
  | 'fenced'
  /** Somebody keeps the row locked: nothing is lost, and it is tried again (I9). */
  | 'locked'
  /** The database refuses this row's values (P17), or what the verdict rests on has changed; its batch went on without it. */
  | { readonly refused: string };

export interface Settled {
  readonly result: SettleResult;
  /** Another pending row of the same sender is there: whoever settled claims next at once. */
  readonly laneWaits: boolean;
}
