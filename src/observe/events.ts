import type { BlockerPart } from '../core/blockers.js';
import type { DbMillis, RowId, TxHash } from '../core/ids.js';
import type { DeliveryAttempt, TransferOutcome } from '../ports/outbox.js';
import type { PausedPart } from '../ports/store.js';
import type { Outcome } from '../protocol/outcome.js';
import type { SettleResult } from '../protocol/settlement.js';
import type { Verdict } from '../protocol/verdict.js';

/** Which signal woke the claim loop. */
export type WakeReason =
  | 'bell'
  | 'handoff'
  | 'poll'
  | 'slot'
  | 'lane'
  | 'retry'
  | 'listen'
  | 'trailing'
  | 'start';

interface OfRow {
  readonly id: RowId;
  readonly txHash: TxHash;
}

/** Why this instance claims nothing right now and, where a person has to act, what to do. */
export interface NotReady {
  readonly part: BlockerPart;
  readonly reason: string;
}

/**
 * Everything that happens on the way of a row, as one union: log, metrics, health and tests subscribe to it, and
 * nothing in `path/` calls a logger. Durations are milliseconds.
 */
export type SubmitterEvent =
  | { readonly kind: 'started'; readonly instance: string }
  | { readonly kind: 'woken'; readonly by: WakeReason }
  | {
      readonly kind: 'claimed';
      readonly rows: number;
      readonly asked: number;
      readonly by: WakeReason;
      readonly tookMs: number;
      readonly look: boolean;
    }
  /** `waitedMs`: from the row's arrival (or the end of its backoff) to its claim, both on the database's clock. */
  | ({
      readonly kind: 'taken';
      readonly attempts: number;
      readonly waitedMs: number;
      readonly look: boolean;
      readonly sender: string;
      /** Another row of the sender waits with the same nonce. */
      readonly nonceShared: boolean;
      readonly at: DbMillis;
    } & OfRow)
  /** The participant has prepared the transfer, which was inspected and signed. `signMs`: how much of it these two took. */
  | ({
      readonly kind: 'prepared';
      readonly tookMs: number;
      readonly signMs: number;
      /** In bytes of traffic, where the participant says. */
      readonly estimatedTraffic: bigint | null;
    } & OfRow)
  /** The hashing scheme of external senders' transfers from now on. V3 covers their bound too. */
  | { readonly kind: 'hashing-scheme'; readonly scheme: 2 | 3 }
  /** The request leaves now. */
  | ({ readonly kind: 'sent'; readonly submissionId: string } & OfRow)
  | ({ readonly kind: 'answered'; readonly outcome: Outcome; readonly tookMs: number } & OfRow)
  /** What a look at the completion stream said. */
  | ({
      readonly kind: 'looked';
      readonly found: 'accepted' | 'dead' | 'undecided' | 'foreign' | 'lost' | 'pruned';
      readonly tookMs: number;
    } & OfRow)
  | ({
      readonly kind: 'settled';
      readonly verdict: Verdict;
      readonly result: SettleResult;
      readonly tookMs: number;
    } & OfRow)
  | ({ readonly kind: 'parked'; readonly reason: string } & OfRow)
  | ({ readonly kind: 'fenced'; readonly during: 'settle' | 'renew' | 'write-ahead' } & OfRow)
  | { readonly kind: 'rescued'; readonly rows: number }
  | {
      readonly kind: 'breaker';
      readonly state: 'open' | 'probing' | 'closed';
      readonly key: string | null;
      readonly reason: string;
    }
  /** How many rows this process may have in flight now; `reason`: the refusal that cut it. */
  | {
      readonly kind: 'congestion';
      readonly limit: number;
      readonly ceiling: number;
      readonly reason: string | null;
    }
  /** What a submission cost, in bytes of traffic, as a completion says that was read anyway. */
  | {
      readonly kind: 'traffic';
      readonly paid: bigint;
      readonly accepted: boolean;
      /** The row that a look read it for; null: a sample. */
      readonly txHash: TxHash | null;
    }
  | {
      readonly kind: 'listener';
      readonly state: 'connected' | 'lost' | 'recreated' | 'deaf';
      readonly detail: string;
    }
  /** A submission's record time lay before its sending or after its answer; `fine`: not any more. */
  | { readonly kind: 'clocks'; readonly state: 'fine' | 'apart' | 'too-far'; readonly aheadMs: number }
  /** No mark can be shown any more, and the participant id may not be asked: undecided rows have to wait. */
  | { readonly kind: 'mark'; readonly state: 'unprovable' | 'provable' }
  | { readonly kind: 'canary'; readonly tookMs: number | null }
  | { readonly kind: 'not-ready'; readonly blockers: readonly NotReady[] }
  | { readonly kind: 'ready' }
  | { readonly kind: 'database'; readonly state: 'lost' | 'back'; readonly detail: string }
  /** What people have paused, whenever that changes; empty: nothing is. */
  | { readonly kind: 'paused'; readonly parts: readonly PausedPart[] }
  /** It may be intended, or a mistake in the settings: `doctor` says the same. */
  | { readonly kind: 'warning'; readonly what: string }
  /** The oldest snapshot that somebody else holds; `ageMs` null: this role may not see it. */
  | {
      readonly kind: 'snapshot';
      readonly ageMs: number | null;
      readonly transactions: number;
      readonly holder: string;
    }
  /** One attempt to deliver an outcome by webhook. `ageMs`: of the outcome, when the attempt was over. */
  | {
      readonly kind: 'webhook';
      readonly txHash: TxHash;
      readonly outcome: TransferOutcome['kind'];
      readonly attempt: DeliveryAttempt;
      readonly attempts: number;
      readonly tookMs: number;
      readonly ageMs: number;
    }
  /** Given up: `webhooks replay` delivers it after all. */
  | { readonly kind: 'webhook-dead'; readonly txHash: TxHash; readonly reason: string }
  /** The receiver takes nothing from anybody, or takes something again. */
  | { readonly kind: 'receiver'; readonly state: 'down' | 'back'; readonly detail: string }
  /** A person must look at this: a foreign acceptance, a lost duplicate, another participant. */
  | { readonly kind: 'alarm'; readonly what: string; readonly txHash: TxHash | null }
  | { readonly kind: 'fault'; readonly where: string; readonly error: unknown }
  | { readonly kind: 'stopping'; readonly inFlight: number }
  | { readonly kind: 'stopped'; readonly clean: boolean };
