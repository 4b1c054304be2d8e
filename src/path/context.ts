import type { Party } from '../core/ids.js';
import type { Token } from '../core/token.js';
import type { SubmitterEvent } from '../observe/events.js';
import type { Clock } from '../ports/clock.js';
import type { Ledger } from '../ports/ledger.js';
import type { Store } from '../ports/store.js';
import type { RetryPolicy } from '../protocol/backoff.js';
import type { Signer } from '../transfer/signer.js';

/** What the steps of the path need to know of the configuration. Durations in ms. */
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
  /** Null: what the participant says of its checkpoints, + 5 s. */
  readonly lookPatienceMs: number | null;
  readonly retry: RetryPolicy;
  readonly lanes: 'sender' | 'off';
  /** Null: not set, so whatever is pinned. */
  readonly sameNonce: 'pay' | 'park' | null;
  /** Look at what the participant prepared before it is signed; off only by the operator's explicit word. */
  readonly verifyPrepared: boolean;
  readonly synchronizerId: string;
  readonly issuerParty: Party;
  /** The operator's word, for a participant whose token may not ask. */
  readonly participantId: string | null;
  /** By lower-case contract address. */
  readonly tokens: ReadonlyMap<string, Token>;
}

/** What every step is given. No step knows Postgres or gRPC: they come as ports. */
export interface PathContext {
  readonly settings: PathSettings;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: (event: SubmitterEvent) => void;
}
