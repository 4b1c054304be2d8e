// The states of a row. Who writes what in which state is the protocol; the columns that tell states apart are in brackets.

/** Every pending row is in exactly one of these. */
export type QueueState =
  /**
   * May be claimed now, as far as the row itself is concerned; an earlier row of its sender may hold the lane.
   * In: the API's insert, a retry whose time has come, a death, a replay. Out: a claim.
   * Crash: nobody holds it, so nothing happens to it. [no token, no record, `available_at` in the past]
   */
  | 'waiting'
  /**
   * A claim holds it, to send it or to look. In: the claim. Out: the settle of the holder, or a rescue.
   * Crash: the lease runs out and the next poll of any instance takes the token off. Without a record the row is then
   * waiting again; with one it is undecided, and nothing is sent before a look. [token and lease]
   */
  | 'in-flight'
  /**
   * A submission may still commit. In: an answer that says nothing, a rescue of a row with a record, a failover.
   * Out: a look's claim, which ends it completed, waiting (dead), parked, or here again. Crash: as waiting.
   * [no token, a record]
   */
  | 'undecided'
  /**
   * Refused for now. In: the settle of a retry. Out: time alone makes it waiting. Crash: as waiting.
   * [no token, no record, `available_at` in the future]
   */
  | 'backoff'
  /**
   * For a person: its attempts are used up, or something has to be put right first. It may have a record, and then it
   * may still commit. In: a settle, or the claim (SAME_NONCE). Out: a person's `replay`
   * (plain, `--completed` or `--force-new`). Crash: as waiting.
   * [no token, `available_at = 'infinity'`]
   */
  | 'parked';

export interface QueueCount {
  readonly rows: number;
  /** Age of the oldest, since its arrival; null where there is none. */
  readonly oldestMs: number | null;
}

export type QueueCounts = Readonly<Record<QueueState, QueueCount>>;

/** A row that has ended is never claimed again, and the guard in the database lets none of these change back (I5). */
export type EndState =
  /** This transfer was accepted. In: a settle, or `replay --completed`. */
  | 'completed'
  /** Nothing of the row can ever be accepted. In: a settle with nothing undecided (rule 6). */
  | 'failed'
  /** The API's miner has put it into a block. In: the miner, from either of the two. */
  | 'mined';

export type RowState = QueueState | EndState;
