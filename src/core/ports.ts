import type { ClaimToken, DbMillis, Offset, Party, TxHash } from './ids.js';
import type { CompletionEvent, Outcome, Refusal } from './outcome.js';
import type { ClaimedRow, SubmissionRecord } from './row.js';
import type { Settled, Settlement } from './settlement.js';

/** What all instances agree on: the pinned row (`mempool_submitter_v1`). */
export interface Pinned {
  readonly generation: bigint;
  readonly protocol: number;
  readonly lanes: 'sender' | 'off';
  readonly toleranceMs: number;
  readonly clockSkewMaxMs: number;
  /** Null until the first instance connects and pins what it was shown. */
  readonly participant: {
    readonly id: string;
    readonly userId: string;
    readonly synchronizerId: string;
  } | null;
  readonly sentOn: number;
  /** Highest ledger end any instance saw. */
  readonly ledgerEnd: Offset | null;
  readonly mark: Mark | null;
}

/** A completion that the pinned participant has shown: what tells it from another one, or from its own yesterday. */
export interface Mark {
  readonly offset: Offset;
  readonly updateId: string;
  readonly party: Party;
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
  | { readonly kind: 'claimed'; readonly rows: readonly ClaimedRow[]; readonly now: DbMillis }
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
   * The record, durable before the request leaves (rule 1). `yield`: a lower nonce of the sender waits, nothing was
   * written. `afterLook` counts the attempt and asks for that; a fresh claim's rewrite does neither.
   */
  writeAhead(
    claim: { readonly row: ClaimedRow['row']; readonly token: ClaimToken },
    record: SubmissionRecord,
    options: { readonly afterLook: boolean; readonly generation: bigint },
  ): Promise<'written' | 'yield' | 'fenced' | 'stale'>;
  /** Prolongs leases; returns the tokens that still hold their row. */
  renew(tokens: readonly ClaimToken[], leaseMs: number): Promise<ReadonlySet<ClaimToken>>;
  /** Takes the token off claims whose lease ran out; how many. */
  rescue(): Promise<number>;
  /** One result per settlement, in order. `laneWaits` needs one probe of the lane index in the settling statement. */
  settle(batch: readonly Settlement[]): Promise<readonly Settled[]>;
  pinned(): Promise<Pinned | null>;
  /** Pins what the first connected instance was shown; null: another was faster, read again. */
  pinParticipant(generation: bigint, participant: NonNullable<Pinned['participant']>): Promise<Pinned | null>;
  /** Moves the marks, forward only. */
  advanceMarks(marks: {
    readonly ledgerEnd: Offset;
    readonly mark: Mark | null;
    readonly oldMark: Mark | null;
  }): Promise<void>;
  /** Rings the bell for the others: `handoff` says that this instance has no free slot left. */
  ring(kind: 'bell' | 'handoff'): Promise<void>;
}

export interface Holding {
  readonly contractId: string;
  readonly owner: string;
  readonly admin: string;
  readonly instrumentId: string;
  /** In units of 10^-10, Daml's Decimal. */
  readonly amount: bigint;
  readonly locked: boolean;
}

/** What an update did, as far as a transfer is concerned. */
export interface TransferEffect {
  readonly updateId: string;
  readonly commandId: string;
  readonly sender: string;
  readonly receiver: string;
  readonly admin: string;
  readonly instrumentId: string;
  readonly amount: bigint;
}

export interface HostedTransfer {
  readonly commandId: TxHash;
  readonly submissionId: string;
  readonly factoryId: string;
  readonly sender: Party;
  readonly receiver: Party;
  readonly admin: string;
  readonly instrumentId: string;
  readonly amount: bigint;
  readonly holdings: readonly string[];
  readonly requestedAt: bigint;
  readonly executeBefore: bigint;
}

/** A call that was no submission failed; nothing changed on the ledger. */
export type ReadFailure = {
  readonly kind: 'failed-read';
  readonly refusal: Refusal;
  readonly pruned: boolean;
};
export type Read<T> = { readonly kind: 'read'; readonly value: T } | ReadFailure;

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** The participant. Reads return failures as values; nothing here throws for what a participant may answer. */
export interface Ledger {
  /** The channel is READY now: a call made in this tick leaves on it. */
  ready(): boolean;
  ledgerEnd(options: CallOptions): Promise<Read<Offset>>;
  /** Unlocked and locked holdings of the party at that ledger end. */
  holdings(party: Party, at: Offset, options: CallOptions): Promise<Read<readonly Holding[]>>;
  /** Contract ids of the instrument admin's transfer factories at that ledger end. */
  transferFactories(admin: string, at: Offset, options: CallOptions): Promise<Read<readonly string[]>>;
  /** `SubmitAndWait`, sent at most once, only on a READY channel. */
  submit(transfer: HostedTransfer, options: CallOptions): Promise<Outcome>;
  /** Ends by `signal`, or with a ReadFailure as its return value. */
  completions(
    request: { readonly parties: readonly Party[]; readonly beginExclusive: Offset },
    signal: AbortSignal,
  ): AsyncGenerator<CompletionEvent, ReadFailure | null>;
  /** The transfer an update did, null where it did none that the parties see, `absent` where there is no such update. */
  transferOf(
    updateId: string,
    parties: readonly Party[],
    options: CallOptions,
  ): Promise<Read<TransferEffect | null | 'absent'>>;
  /** The update at that id, offset included, or null. */
  updateOffset(updateId: string, party: Party, options: CallOptions): Promise<Read<Offset | null>>;
  /** Data up to this offset is pruned; 0: none. */
  prunedUpTo(options: CallOptions): Promise<Read<Offset>>;
  participantId(options: CallOptions): Promise<Read<string>>;
  version(
    options: CallOptions,
  ): Promise<Read<{ readonly version: string; readonly checkpointDelayMs: number | null }>>;
  /** Calls back at every change between READY and not; returns the way to stop that. */
  onReady(listener: (ready: boolean) => void): () => void;
}

/** `other`: the sign of life of another instance on the same database. */
export type NotificationSource = 'bell' | 'handoff' | 'connected' | 'other';

/** LISTEN, kept alive. Payloads are hints (I8). */
export interface Notifications {
  start(onNotification: (source: NotificationSource) => void): Promise<void>;
  stop(): Promise<void>;
  /** Proven by the canary within the last interval. */
  proven(): boolean;
}

/** Elapsed time on this machine, monotonic; never compared with another machine's (I7). */
export interface Clock {
  /** Milliseconds since an arbitrary start. */
  elapsed(): number;
}
