// The parts of the path that keep state, as its steps see them. Each is built once, in `way.ts`.
import type { Observable } from 'rxjs';
import type { ClaimToken, DbMillis, Micros, Offset, Party, TxHash } from '../../core/ids.js';
import type { NotReady, WakeReason } from '../../observe/events.js';
import type { Pinned } from '../../ports/store.js';
import type { Refusal, SynchronizerTime } from '../../protocol/outcome.js';
import type { Mark } from '../../protocol/proof.js';
import type { ClaimedRow, MempoolRow, SubmissionRecord } from '../../protocol/record.js';
import type { Verdict } from '../../protocol/verdict.js';

/** What makes the loops look (`wake.ts`). */
export interface Wakeups {
  /** For the claim of fresh rows. */
  readonly wakeups$: Observable<WakeReason>;
  /** For the claim of undecided rows. */
  readonly looks$: Observable<WakeReason>;
  signal(reason: WakeReason): void;
  /** An undecided row of ours is due for a look. */
  lookAgain(): void;
  /** A row of ours is due again in this many ms. */
  due(inMs: number): void;
  /** Look again this much later: after a wake-up that drained the queue. */
  trail(ms: readonly number[]): void;
  /** A claim that the bell had asked for came back: with rows, or empty because another instance was faster. */
  answered(won: boolean): void;
  /** Another instance is there, so bells may have to be shared. */
  notAlone(): void;
  /** Another instance answers bells. `before`: its name comes before ours, so that of two it is the one. */
  othersAwake(before: boolean): void;
  stop(): void;
}

/** This process's hold on one row (I1; `lease.ts`). */
export interface Lease {
  /** Milliseconds until it must not be relied on any more; negative when it is over. */
  left(): number;
  /** Aborts when the lease is lost or has run out: whatever runs for the row has to end. */
  readonly signal: AbortSignal;
  /** The row is settled, or this process has given it up. */
  end(): void;
}

export interface Leases {
  /** `sentAt`: elapsed time *before* the claim statement was sent, so that ours ends before the database's does. */
  hold(row: MempoolRow, token: ClaimToken, sentAt: number): Lease;
  /** Ends every lease's work: the process is going down. */
  abortAll(reason: string): void;
  stop(): Promise<void>;
}

/** Verdict → database → whoever waits for this row (`settle.ts`). */
export type Conclude = (claim: ClaimedRow, lease: Lease, verdict: Verdict) => Promise<void>;

/** How many rows may be claimed now: the breaker and the clocks each say. `one` is a probe. */
export interface Gate {
  allowance(): 'any' | 'one' | 'none';
  /** The row that probes is being claimed. */
  beginProbe(): void;
}

/** Whom an answer is about. */
export interface Subject {
  readonly row: TxHash;
  readonly sender: Party;
  readonly receiver: Party;
  /** The token's address. */
  readonly token: string;
  /** Elapsed ms, before anything of this attempt began. */
  readonly beganAt: number;
}

/** What a row behind an open key waits for. */
export interface KeyWait {
  readonly ms: number;
  readonly reason: string;
  /** Everything it waits for may be its own trouble, so that waiting counts. */
  readonly held: boolean;
}

/** Whether the ledger is worth asking, how much at a time, and whose trouble a refusal is (`gate/breaker.ts`). */
export interface Breaker extends Gate {
  /** How many more rows may be in flight when this many are. */
  room(inFlight: number): number;
  /** Nothing is claimed but probes. */
  isOpen(): boolean;
  /** The probe learned nothing. */
  endProbe(): void;
  /** Whether the refusal is held against the row: nothing says that others meet the same. */
  refused(of: Subject, refusal: Refusal): boolean;
  served(of: Subject): void;
  /** Null: the row may go. */
  wait(of: Subject): KeyWait | null;
}

/** A submission of ours: when it was sent and answered on the database's clock, and its record time. */
export interface ClockSample {
  readonly sentAt: DbMillis;
  readonly answeredAt: DbMillis;
  readonly recordTime: Micros;
}

/** How far the clocks of database and ledger are apart, and the latest time that either has told (`gate/clocks.ts`). */
export interface Clocks extends Gate {
  measured(sample: ClockSample, clockSkewMaxMs: number): void;
  /** So far apart that next to nothing is claimed. */
  tooFar(): boolean;
  /** The database's time, and the elapsed time before it was asked for. */
  sawDatabase(now: DbMillis, at: number): void;
  sawRecordTime(time: Micros): void;
  /** The latest time this process was told. A restored database may have fallen behind it; what was sent has not. */
  latest(): DbMillis;
}

/** What this instance checked itself against, and may claim under. */
export interface Verified {
  readonly kind: 'verified';
  readonly pinned: Pinned;
  readonly participantId: string;
  /** The token may ask for the participant id; otherwise the operator's word stands for it. */
  readonly mayAskId: boolean;
  /** It can be asked for an acceptance by its hash (from 3.6 on). */
  readonly looksUpHashes: boolean;
  /** Its active contracts include those in reassignment (before 3.7). */
  readonly tellsReassignments: boolean;
  /** How long a look waits for the ledger to decide. */
  readonly patienceMs: number;
  /** The ledger end when all this was checked. */
  readonly end: Offset;
}

/** The check found a difference, or could not be made: this instance claims nothing. */
export interface Unverified {
  readonly kind: 'unverified';
  readonly blocker: NotReady;
}

/** Why nobody may claim, and by how much a bound was missed. */
export interface Halt {
  readonly reason: string;
  readonly lateMs: number;
}

/** What speaks against the participant that was verified. */
export type Doubt =
  /** Not the participant's fault, and nothing for a person to look at. */
  | { readonly kind: 'pins-changed' }
  /** It has no update, or its stream no completion, where the marked one was. */
  | { readonly kind: 'mark-missed'; readonly where: 'update' | 'stream' }
  | { readonly kind: 'another-id'; readonly id: string; readonly verified: string }
  | { readonly kind: 'end-behind'; readonly end: Offset; readonly known: Offset }
  | { readonly kind: 'halted'; readonly why: Halt };

/** A submission that this instance sent and that was answered. Times are the database's. */
export interface OwnSubmission extends Omit<ClockSample, 'recordTime'> {
  readonly record: SubmissionRecord;
  readonly txHash: TxHash;
}

/**
 * The right participant (P8, P27; `participant/participant.ts`): on connect, and whenever something speaks against it,
 * it is compared with the pinned row. Until it has passed, this instance claims nothing and says why.
 */
export interface Participant {
  start(): void;
  stop(): Promise<void>;
  /** Null: claim nothing, send nothing, look at nothing. */
  verified(): Verified | null;
  /**
   * The offset that a submission's completion is certain to lie after: a ledger end read between two proofs. Never that
   * of whoever answered last, who may be another participant and further on than ours.
   */
  sentFrom(): Offset;
  /** The highest ledger end that was answered since the check: nothing may be read before it. */
  ledgerEnd(): Offset;
  sawLedgerEnd(offset: Offset): void;
  /** An acceptance this instance was shown: the next mark, and if it was its own submission, a measurement of the clocks. */
  sawAcceptance(mark: Mark, own?: OwnSubmission): void;
  /** Halts every instance where our own submission was accepted past its bound. */
  checkBound(txHash: TxHash, record: SubmissionRecord, time: SynchronizerTime | null): void;
  /** Is this still the pinned participant, with its history? For verdicts that depend on the ledger's state. */
  prove(signal: AbortSignal): Promise<'proven' | 'unsure' | 'another'>;
  /** Whether undecided rows can be found dead at all: not where the mark is pruned and the id may not be asked. */
  provable(yes: boolean): void;
  /** Check again before anything else is claimed. */
  doubt(why: Doubt): void;
}
