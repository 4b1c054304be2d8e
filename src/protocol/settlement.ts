import type { ClaimToken, DbMillis, RowId, TxHash } from '../core/ids.js';
import { boundOf } from './bound.js';
import type { ClaimedRow } from './record.js';
import type { Verdict } from './verdict.js';

export interface Settlement {
  readonly id: RowId;
  readonly txHash: TxHash;
  readonly token: ClaimToken;
  readonly verdict: Verdict;
  /**
   * What a death, or `failed`, was concluded under. It is not written if the table was halted, its generation raised or the
   * row's bound moved since then (I4, I5).
   */
  readonly under: {
    readonly generation: bigint;
    /** The bound of the record that was looked up; null: nothing was looked up, so clearing the record is not a death. */
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
    bound: claim.kind === 'undecided' ? boundOf(claim.record) : null,
  },
});

/** What the database did with one settlement. It must not be ignored: `fenced` is counted and logged. */
export type SettleResult =
  | 'settled'
  /** The statement returned nothing, but the row shows our write: its acknowledgement was lost (P16). */
  | 'settled-before'
  /** Another claim holds the row, or somebody else has ended it: nothing was changed. */
  | 'fenced'
  /** Somebody keeps the row locked: nothing is lost, and it is tried again (I9). */
  | 'locked'
  /** The database refuses this row's values (P17), or what the verdict rests on has changed; its batch went on without it. */
  | { readonly refused: string };

export interface Settled {
  readonly result: SettleResult;
  /** The sender has another pending row: the settler claims again at once. */
  readonly laneWaits: boolean;
}
