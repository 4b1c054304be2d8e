// What every step of the path is given, and the one way in which a step stops.
import { type DbMillis, dbMillis, type Party } from '../../core/ids.js';
import type { Token } from '../../core/token.js';
import type { SubmitterEvent } from '../../observe/events.js';
import type { Clock } from '../../ports/clock.js';
import type { Ledger } from '../../ports/ledger.js';
import type { Store } from '../../ports/store.js';
import type { RetryPolicy } from '../../protocol/backoff.js';
import type { ClaimedRow, FreshClaim } from '../../protocol/record.js';
import type { Tries, Verdict } from '../../protocol/verdict.js';
import type { CheckedRow } from '../../transfer/check.js';
import type { FactoryCache } from '../../transfer/factory.js';
import type { Signer } from '../../transfer/signer.js';
import type { Breaker, Clocks, Conclude, Lease, Leases, Participant, Wakeups } from './parts.js';

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
  readonly lanes: 'sender' | 'off';
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

/** The one set of dependencies that all steps share. */
export interface Path extends PathContext {
  readonly wakeups: Wakeups;
  readonly leases: Leases;
  readonly participant: Participant;
  readonly breaker: Breaker;
  readonly clocks: Clocks;
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
export const databaseNow = ({ clock }: Pick<PathContext, 'clock'>, { now, at }: ClaimedAt): DbMillis =>
  dbMillis(now + (clock.elapsed() - at));

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
