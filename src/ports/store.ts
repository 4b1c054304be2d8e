import type { ClaimToken, DbMillis, Offset, RowId, TxHash } from '../core/ids.js';
import type { Mark } from '../protocol/proof.js';
import type { ClaimedRow, SubmissionRecord } from '../protocol/record.js';
import type { Settled, Settlement } from '../protocol/settlement.js';

/** What all instances agree on: the pinned row (`mempool_submitter_v1`). */
export interface Pinned {
  readonly generation: bigint;
  readonly protocol: number;
  readonly lanes: 'sender' | 'off';
  readonly toleranceMs: number;
  readonly clockSkewMaxMs: number;
  readonly sameNonce: 'pay' | 'park';
  /** Null until the first instance connects and pins what it was shown. */
  readonly participant: {
    readonly id: string;
    readonly userId: string;
    readonly synchronizerId: string;
  } | null;
  readonly sentOn: number;
  /** The database that was pinned; null where it may not be asked for. */
  readonly database: DatabaseIdentity | null;
  /** The database that answered. Another than pinned: recheck before anything is claimed. */
  readonly databaseNow: DatabaseIdentity | null;
  /** Why nobody may claim: an acceptance later than its bound, say. Null: go on. */
  readonly halted: string | null;
  /** Set for seven days after a recheck: what `failed` has to look for first. */
  readonly recheck: Recheck | null;
  /** Highest ledger end any instance saw. */
  readonly ledgerEnd: Offset | null;
  /** The newest. */
  readonly mark: Mark | null;
  /** Of other parties, the newest first: where the first is pruned, or its party's rights are gone, one of these proves. */
  readonly otherMarks: readonly Mark[];
}

/** Tells a database from a restored, or failed-over, or copied one. */
export interface DatabaseIdentity {
  /** Of the cluster, given at initdb. */
  readonly systemId: string;
  /** Of its write-ahead log: 8 hex digits that every promotion and every point-in-time restore change. */
  readonly timeline: string;
  /** Oid of the database: a dump restored under its name has another. */
  readonly database: string;
  /** Oid of mempool: dropped and made again it has another; 0 after a truncate. */
  readonly table: string;
}

/**
 * A row that was done before a failover may have been lost with it and inserted again: between these two the ledger
 * says so.
 */
export interface Recheck {
  readonly from: Offset;
  /** What was sent before it cannot be accepted after this record time. */
  readonly until: DbMillis;
}

export interface RecheckRequest {
  readonly generation: bigint;
  /** The latest time known here, of the database or of the ledger: no bound may begin before it. */
  readonly notBefore: DbMillis;
  /** Lower-case addresses of tokens whose transfers end in one step: only these have a bound where the sender is hosted. */
  readonly oneStepTokens: readonly string[];
}

export interface RecheckResult {
  /** Pending rows that will be looked up on the ledger before anything is sent for them. */
  readonly rows: number;
}

export interface ClaimRequest {
  readonly holder: string;
  /** 1 to free slots. */
  readonly limit: number;
  readonly leaseMs: number;
  /** The pinned generation this instance checked itself against; another one gets no row. */
  readonly generation: bigint;
}

export type ClaimReply =
  | {
      readonly kind: 'claimed';
      readonly rows: readonly ClaimedRow[];
      /** Set aside instead: another hash of their sender has used their nonce (SAME_NONCE=park). */
      readonly parked?: readonly { readonly id: RowId; readonly txHash: TxHash }[];
      readonly now: DbMillis;
    }
  /** The pinned row is not the one this instance checked: read it again, check again. */
  | { readonly kind: 'stale' };

/** Postgres. Every method may throw `StoreUnavailable`; none ever writes a row outside its fence. */
export interface Store {
  /** Fresh rows. For hosted senders it writes the record too: `sentFrom` and now + window + tolerance. */
  claim(
    request: ClaimRequest & { readonly sentFrom: Offset; readonly windowMs: number },
  ): Promise<ClaimReply>;
  /** Undecided rows (rule 4); does not count an attempt. */
  claimUndecided(request: ClaimRequest): Promise<ClaimReply>;
  /**
   * The record, durable before the request leaves (rule 1). `stale`: the pinned row, or the database itself, is not
   * the one that was checked; nothing was written.
   */
  writeAhead(
    claim: { readonly row: ClaimedRow['row']; readonly token: ClaimToken },
    record: SubmissionRecord,
    generation: bigint,
  ): Promise<'written' | 'fenced' | 'stale'>;
  /**
   * Prolongs leases; of the tokens that still hold their row, what became of that. `locked`: somebody keeps the row
   * locked, so its lease is what it was.
   */
  renew(
    tokens: readonly ClaimToken[],
    leaseMs: number,
  ): Promise<ReadonlyMap<ClaimToken, 'renewed' | 'locked'>>;
  /** Takes the token off claims whose lease ran out; how many. */
  rescue(): Promise<number>;
  /** One result per settlement, in order. `laneWaits` needs one probe of the lane index in the settling statement. */
  settle(batch: readonly Settlement[]): Promise<readonly Settled[]>;
  pinned(): Promise<Pinned | null>;
  /** Pins what the first connected instance was shown; null: another was faster, read again. */
  pinParticipant(generation: bigint, participant: NonNullable<Pinned['participant']>): Promise<Pinned | null>;
  /** Moves the marks, forward only, of the generation that they were proven under. */
  advanceMarks(marks: {
    readonly generation: bigint;
    readonly ledgerEnd: Offset;
    readonly mark: Mark | null;
    /** The one of the pinned marks that was shown beside it; null where there was none yet. */
    readonly oldMark: Mark | null;
  }): Promise<void>;
  /**
   * The database is another, or an earlier self (a new timeline): whatever was written last may be lost. In one
   * transaction every pending row loses its claim and gets an unknown record, and the database as it is now is pinned
   * (P20). Null: the generation is not this one any more, another instance was faster.
   */
  recheck(request: RecheckRequest): Promise<RecheckResult | null>;
  /**
   * Stops every instance's claims until a person has acted; false: they were stopped already. `lateMs`: how far a bound was
   * missed, which a new tolerance has to make up for.
   */
  halt(reason: string, lateMs: number): Promise<boolean>;
  /** Rings the bell for the others: `handoff` says that this instance has no free slot left. */
  ring(kind: 'bell' | 'handoff'): Promise<void>;
}
