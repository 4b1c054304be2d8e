import type { DbMillis } from '../core/ids.js';
import type { FreshClaim } from '../core/row.js';
import type { FactoryCache } from '../transfer/factory.js';
import type { Breaker } from './breaker.js';
import type { Participant } from './participant.js';
import type { Lease } from './renew.js';

export interface Submission {
  readonly claim: FreshClaim;
  readonly lease: Lease;
  /** The database's time at the claim, and the elapsed time before the claim was sent. */
  readonly now: DbMillis;
  readonly at: number;
}

export interface SubmitDeps {
  readonly participant: Participant;
  readonly breaker: Breaker;
  readonly factories: FactoryCache;
  /** Set: nothing new leaves any more. */
  readonly stopping: AbortSignal;
}
