import type { ClaimToken, DbMillis, Offset, Party, RowId, TxHash } from '../core/ids.js';
import type { Lanes, Reservation } from '../protocol/lanes.js';
import type { Mark } from '../protocol/proof.js';
import type { ClaimedRow, SubmissionRecord } from '../protocol/record.js';
import type { Settled, Settlement } from '../protocol/settlement.js';

/** What all instances agree on: the pinned row (`mempool_submitter_v1`). */
export interface Pinned {
  readonly generation: bigint;
  readonly protocol: number;
  readonly lanes: Lanes;
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
  /** The database that was pinned; null where our role may not read its identity. */
  readonly database: DatabaseIdentity | null;
  /** The database that answered. If it is not the pinned one, recheck before anything is claimed. */
  readonly answeringDatabase: DatabaseIdentity | null;
  /** Why nobody may claim, for example an acceptance later than its bound. Null: go on. */
  readonly halted: string | null;
  /** Set for seven days after a recheck: where to look before a row becomes `failed`. */
  readonly recheck: Recheck | null;
  /** The highest ledger end that any instance saw. */
  readonly ledgerEnd: Offset | null;
  /** The newest. */
  readonly mark: Mark | null;
  /** Other parties' marks, newest first: where `mark` is pruned, or its party's rights are gone, one of these proves. */
  readonly otherMarks: readonly Mark[];
}

/** Tells a database from one that was restored, failed over or copied. */
export interface DatabaseIdentity {
  /** The cluster's, given at initdb. */
  readonly systemId: string;
  /** The write-ahead log's: 8 hex digits that change with every promotion and every point-in-time restore. */
  readonly timeline: string;
  /** The database's oid: a dump restored under the same name has another. */
  readonly database: string;
  /** The oid of mempool: a table dropped and created again has another; 0 after a truncate. */
  readonly table: string;
}

/**
 * A row that was completed before a failover may have been lost with it and inserted again. If so, the ledger shows its
 * acceptance between these two.
 */
export interface Recheck {
  readonly from: Offset;
  /** What was sent before the failover cannot be accepted after this record time. */
  readonly until: DbMillis;
}

export interface RecheckRequest {
  readonly generation: bigint;
  /** The latest time known here, the database's or the ledger's: no bound may be computed from an earlier one. */
  readonly notBefore: DbMillis;
  /** Lower-case addresses of one-step tokens: a hosted sender's transfer has a bound only for these. */
  readonly oneStepTokens: readonly string[];
}

export interface RecheckResult {
  /** Pending rows that will be looked up on the ledger before anything is sent for them. */
  readonly rows: number;
}

/** What no instance claims, by a person's decision (`canton-submitter pause`). */
export interface PausedPart {
  readonly scope: 'all' | 'token' | 'sender';
  /** Lower case, without 0x; empty for all. */
  readonly address: string;
  readonly reason: string;
}

export interface ClaimRequest {
  readonly holder: string;
  /** 1 to free slots. */
  readonly limit: number;
  readonly leaseMs: number;
  /** The pinned generation that this instance checked itself against; with any other it gets no row. */
  readonly generation: bigint;
}

export type ClaimReply =
  | {
      readonly kind: 'claimed';
      readonly rows: readonly ClaimedRow[];
      /** Parked instead of claimed: another hash of their sender has used their nonce (SAME_NONCE=park). */
      readonly parked?: readonly { readonly id: RowId; readonly txHash: TxHash }[];
      readonly now: DbMillis;
    }
  /** The pinned row is not the one this instance checked: read it again, check again. */
  | { readonly kind: 'stale' };

/** What a write of one claimed row is fenced by (I2). */
export type RowAndToken = Pick<ClaimedRow, 'row' | 'token'>;

export type Reserved =
  /** `laneWaits`: a later row of this sender may begin now. */
  | { readonly kind: 'written'; readonly laneWaits: boolean }
  /** `earlier`: a lower row of this sender has no record, or none any more, and begins first. */
  | { readonly kind: 'fenced' | 'stale' | 'reserved' | 'earlier' };

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
    claim: RowAndToken,
    record: SubmissionRecord,
    generation: bigint,
  ): Promise<'written' | 'fenced' | 'stale'>;
  /** LANES=holdings: what undecided rows of this party have reserved. */
  reserved(party: Party): Promise<readonly Reservation[]>;
  /**
   * LANES=holdings: the write-ahead, and with it the holdings that the row spends, none of which any other undecided row
   * spends (I6). `reserved`: one of them does, and nothing was written.
   */
  reserve(
    claim: RowAndToken,
    record: SubmissionRecord,
    inputs: readonly string[],
    generation: bigint,
  ): Promise<Reserved>;
  /**
   * LANES=holdings: once it is given back, the row is not claimed before one of these rows has no record any more, or this
   * long has passed.
   */
  awaitRows(claim: RowAndToken, on: readonly RowId[], mostMs: number): Promise<void>;
  /**
   * Prolongs leases, and says what became of each token that still holds its row. `locked`: somebody keeps the row locked,
   * so its lease is unchanged.
   */
  renew(
    tokens: readonly ClaimToken[],
    leaseMs: number,
  ): Promise<ReadonlyMap<ClaimToken, 'renewed' | 'locked'>>;
  /** Takes the token off claims whose lease ran out; returns how many. */
  rescue(): Promise<number>;
  /** One result per settlement, in order. `laneWaits` needs one probe of the lane index in the settling statement. */
  settle(batch: readonly Settlement[]): Promise<readonly Settled[]>;
  pinned(): Promise<Pinned | null>;
  /** Pins what the first connected instance was shown; null: another was faster, read again. */
  pinParticipant(generation: bigint, participant: NonNullable<Pinned['participant']>): Promise<Pinned | null>;
  /** Moves the marks, forward only, under the generation that they were proven under. */
  advanceMarks(marks: {
    readonly generation: bigint;
    readonly ledgerEnd: Offset;
    readonly mark: Mark | null;
    /** The pinned mark that the same stream showed; null where there was none yet. */
    readonly oldMark: Mark | null;
  }): Promise<void>;
  /**
   * The database is another one, or an earlier state of itself (a new timeline): what was written last may be lost. In one
   * transaction every pending row loses its claim and gets an unknown record, and the database as it is now is pinned
   * (P20). Null: the generation has changed, since another instance was faster.
   */
  recheck(request: RecheckRequest): Promise<RecheckResult | null>;
  /**
   * Stops every instance's claims until a person has acted; false: they were stopped already. `lateMs`: by how much a bound
   * was missed, which a new tolerance has to make up for.
   */
  halt(reason: string, lateMs: number): Promise<boolean>;
  /** What is paused now. */
  paused(): Promise<readonly PausedPart[]>;
  /** Rings the bell for the others: `handoff` says that this instance has no free slot left. */
  ring(kind: 'bell' | 'handoff'): Promise<void>;
}
