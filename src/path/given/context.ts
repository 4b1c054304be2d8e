// What every step of the path is given: the settings, the ports, the parts that keep state (each is built once, in `way.ts`),
// and the one way in which a step stops.
import type { Observable } from 'rxjs';
import type { Holdings } from '../../core/holding.js';
import {
  type ClaimToken,
  type DbMillis,
  dbMillis,
  type Micros,
  type Party,
  type TxHash,
} from '../../core/ids.js';
import type { Token } from '../../core/token.js';
import type { SubmitterEvent, WakeReason } from '../../observe/events.js';
import type { Clock } from '../../ports/clock.js';
import type { Ledger, Read, ReadFailure } from '../../ports/ledger.js';
import type { Store } from '../../ports/store.js';
import type { RetryPolicy } from '../../protocol/backoff.js';
import type { Lanes } from '../../protocol/lanes.js';
import type { Refusal } from '../../protocol/outcome.js';
import type { ClaimedRow, FreshClaim, MempoolRow } from '../../protocol/record.js';
import type { Tries, Verdict } from '../../protocol/verdict.js';
import type { CheckedRow } from '../../transfer/check.js';
import type { FactoryCache } from '../../transfer/factory.js';
import type { Signer } from '../../transfer/signer.js';
import type { ClockSample, Participant } from './participant.js';

/** The configuration, as far as the path needs it. Durations in ms. */
export interface PathSettings {
  /** Unique per process start; stands in `claimed_by`. */
  readonly holder: string;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly canaryMs: number;
  readonly callTimeoutMs: number;
  readonly windowMs: number;
  readonly toleranceMs: number;
  /** How long an offer waits for its receiver. */
  readonly offerLifetimeMs: number;
  readonly probeMs: number;
  /** Null: the participant's checkpoint interval + 5 s. */
  readonly lookPatienceMs: number | null;
  readonly retry: RetryPolicy;
  readonly lanes: Lanes;
  /** Null: not set, so whatever is pinned. */
  readonly sameNonce: 'pay' | 'park' | null;
  /** Inspect what the participant prepared before it is signed; off only by the operator's explicit word. */
  readonly verifyPrepared: boolean;
  readonly synchronizerId: string;
  readonly issuerParty: Party;
  /** The operator's word, for a participant whose token may not ask. */
  readonly participantId: string | null;
  /** By lower-case contract address. */
  readonly tokens: ReadonlyMap<string, Token>;
}

/** The world outside. No step knows Postgres or gRPC: they come as ports. No step logs: it emits an event. */
export interface PathContext {
  readonly settings: PathSettings;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: (event: SubmitterEvent) => void;
}

/** What wakes the loops (`wake.ts`). */
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
  /** Wakes again this much later: after a wake-up that drained the queue. */
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
  readonly counts: boolean;
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

/** What people have paused since the row was claimed (`gate/pauses.ts`). */
export interface Pauses {
  /** Why the request must not leave; null: nothing is paused that covers it. */
  against(submission: Submission): Promise<string | null>;
}

/** What senders hold (`balances.ts`). */
export interface Balances {
  /** At a ledger end asked for after this call, in a read that others may share. */
  of(sender: Party, signal: AbortSignal): Promise<Read<Holdings>>;
  /** The same, in a read of its own: nothing rests on whose the participant says that a contract is. */
  ofAlone(sender: Party, signal: AbortSignal): Promise<Read<Holdings>>;
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

/** One completion stream of a look, from its opening to its end. */
export interface StreamLife {
  toldTime(): void;
  /** What to tell people, where streams end like this again and again. Null: our reader ended it. */
  ended(failure: ReadFailure | null): string | null;
}

/** Whether something in between ends completion streams too soon (`look/cuts.ts`). */
export interface Cuts {
  opened(): StreamLife;
}

/** The one set of dependencies that all steps share. */
export interface Path extends PathContext {
  readonly wakeups: Wakeups;
  readonly leases: Leases;
  readonly participant: Participant;
  readonly breaker: Breaker;
  readonly pauses: Pauses;
  readonly clocks: Clocks;
  readonly balances: Balances;
  readonly cuts: Cuts;
  readonly factories: FactoryCache;
  readonly conclude: Conclude;
  /** Aborted: nothing more is claimed, and nothing new leaves. */
  readonly stopping: AbortSignal;
}

/** The database's time at a claim, and the elapsed time before that claim was sent. */
export interface ClaimedAt {
  readonly now: DbMillis;
  readonly at: number;
}

/** A fresh row in this process's hands. */
export interface Submission extends ClaimedAt {
  readonly claim: FreshClaim;
  readonly lease: Lease;
  /** To be called in the tick in which the request leaves: from then on only a certain answer ends it. */
  readonly onSend: () => void;
}

/** With what the row asks for, once it is known to be something that can be asked for. */
export interface JudgedSubmission extends Submission {
  readonly row: CheckedRow;
  readonly sender: Party;
  readonly receiver: Party;
}

/**
 * How long each read before a send may take: the ledger end, the holdings, the factory. A hosted row's window (30 s by
 * default) has begun with its claim, so that a read that takes longer leaves too little of it.
 */
export const READ_BEFORE_SEND_MS = 10_000;

/** How each step of the pipeline ends: go on with this, or stop, and this becomes of the row. */
export type Step<T> =
  | { readonly kind: 'go'; readonly value: T }
  | { readonly kind: 'stop'; readonly verdict: Verdict };

export const go = <T>(value: T): Step<T> => ({ kind: 'go', value });
export const stop = (verdict: Verdict): Step<never> => ({ kind: 'stop', verdict });

/** What decides whether the row may try once more. */
export const triesOf = (
  { settings, random }: Pick<PathContext, 'settings' | 'random'>,
  { attempts }: Pick<ClaimedRow, 'attempts'>,
): Tries => ({ attempts, policy: settings.retry, random });

/** The database's time, as far as this process can tell: what came with the claim, and what has elapsed since (I7). */
export const databaseTime = ({ clock }: Pick<PathContext, 'clock'>, { now, at }: ClaimedAt): DbMillis =>
  dbMillis(now + (clock.elapsed() - at));

/**
 * After this long, what may be everybody's trouble is held against the row all the same, so that neither a dead receiver
 * in an otherwise quiet system nor three of them block their senders' lanes for ever.
 */
const HELD_AFTER_MS = 86_400_000;

export const isOld = (path: Pick<PathContext, 'clock'>, submission: Submission): boolean =>
  databaseTime(path, submission) - submission.claim.row.createdAt >= HELD_AFTER_MS;

/** Tells the world that this process has the row now. */
export function taken({ emit }: Pick<PathContext, 'emit'>, claim: ClaimedRow, now: DbMillis): void {
  const { id, txHash, createdAt, fromAddress } = claim.row;
  emit({
    kind: 'taken',
    id,
    txHash,
    attempts: claim.attempts,
    waitedMs: now - createdAt,
    look: claim.kind === 'undecided',
    sender: fromAddress,
    nonceShared: claim.kind === 'fresh' && claim.nonceShared,
    at: now,
  });
}
