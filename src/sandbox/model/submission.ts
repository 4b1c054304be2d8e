// A submission's life as the participant knows it, from a validated request to a decision.
import type { Micros } from '../clock.js';
import type { TransferChoice } from '../daml/transfer.js';
import type { LedgerError } from '../errors.js';
import type { DedupPeriod } from './dedup.js';
import type { Node } from './records.js';

/** What a request asks for, once its fields have passed validation. */
export interface Submission {
  readonly userId: string;
  readonly commandId: string;
  readonly submissionId: string;
  readonly workflowId: string;
  readonly actAs: readonly string[];
  readonly readAs: readonly string[];
  readonly choices: readonly TransferChoice[];
  readonly disclosed: ReadonlySet<string>;
  readonly dedup: DedupPeriod;
  /** A lower bound of the ledger effective time. */
  readonly notBefore?: Micros;
}

/** What faults do to one submission after it has been registered. */
export interface Disturbance {
  /** Sequenced, then rejected with this. */
  readonly rejectWith?: LedgerError;
  /** On its way to the sequencer for this much longer. */
  readonly sequenceLateMs?: number;
  /** Sequenced in time, its verdict this much later. */
  readonly decideLateMs?: number;
}

export type Decision =
  | {
      readonly kind: 'accepted';
      readonly updateId: string;
      readonly offset: number;
      readonly recordTime: Micros;
    }
  | {
      readonly kind: 'rejected';
      readonly error: LedgerError;
      readonly offset: number;
      readonly recordTime: Micros;
    };

/** Interpreted: what it would do, and when it thinks it is. */
export interface Transaction {
  readonly effectiveAt: Micros;
  readonly inputs: readonly string[];
  readonly nodes: readonly Node[];
}

/** Registered at the participant: from here on every end of it is a completion, after a crash too. */
export interface Registered {
  readonly flightId: number;
  readonly submission: Attempt;
  readonly transaction: Transaction;
  readonly dedupOffset: number;
  /** Never sequenced after this: ledger effective time plus tolerance. */
  readonly maxSequencing: Micros;
}

/** What is left of a submission once it has been interpreted. */
export type Attempt = Pick<Submission, 'userId' | 'commandId' | 'submissionId' | 'workflowId' | 'actAs'>;

export interface InFlight extends Registered {
  readonly changeId: string;
  readonly disturbance: Disturbance;
  readonly decided: (decision: Decision) => void;
}
