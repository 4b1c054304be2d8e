import type { DbMillis } from '../core/ids.js';
import type { Refusal } from '../protocol/outcome.js';
import type { Mark } from '../protocol/proof.js';
import type { UndecidedClaim } from '../protocol/record.js';
import type { Verdict } from '../protocol/verdict.js';
import type { PathContext } from './context.js';
import type { KnownTimes } from './known-times.js';
import type { Participant } from './participant.js';
import type { Lease } from './renew.js';
import type { Verified } from './verified.js';

/** An undecided row in this process's hands. */
export interface Looking {
  readonly claim: UndecidedClaim;
  readonly lease: Lease;
}

export interface LookBatch {
  readonly rows: readonly Looking[];
  /** The database's time when they were claimed, and the elapsed time then. */
  readonly now: DbMillis;
  readonly at: number;
}

/** What a look says of a row. */
export type FoundKind = 'accepted' | 'dead' | 'undecided' | 'foreign' | 'lost' | 'pruned';

/** Rows that will never be accepted, once the stream has proven itself; and what their submission was refused with. */
export type Dead = Map<Looking, Refusal | null>;

/** One read of the completion stream, for a batch of rows. */
export interface Reading {
  readonly path: PathContext;
  readonly participant: Participant;
  readonly verified: Verified;
  readonly open: Set<Looking>;
  readonly close: (row: Looking, found: FoundKind, verdict: Verdict) => Promise<void>;
  readonly stop: AbortSignal;
  readonly times: KnownTimes;
  /** What may prove the participant, the first of them first; none left: the participant id has to. */
  readonly marks: readonly Mark[];
  /** Whose completions, where not our own user's: no mark is among them. */
  readonly userId: string | null;
  /** Rows read from the pruned offset on: the first time the stream tells must be before they were accepted. */
  readonly unsure: Set<Looking>;
  /** By party: why its completions cannot be read, for people. */
  readonly trouble: Map<string, string>;
}
