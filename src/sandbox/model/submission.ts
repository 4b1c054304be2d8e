// A submission as the participant sees it, from a validated request to a decision.
import type { Micros } from '../clock.js';
import type { TransferChoice } from '../daml/transfer.js';
import type { LedgerError } from '../errors.js';
import type { DedupPeriod } from './dedup.js';
import type { Node } from './records.js';

/** Who submits what, under which names. */
export interface Attempt {
  readonly userId: string;
  readonly commandId: string;
  readonly submissionId: string;
  readonly workflowId: string;
  readonly actAs: readonly string[];
}

/** What a request asks for, once its fields have passed validation. */
interface Asked extends Attempt {
  readonly choices: readonly TransferChoice[];
  readonly dedup: DedupPeriod;
  /** A lower bound of the ledger effective time. */
  readonly notBefore?: Micros;
}

/** Commands, to be interpreted against the current contracts. */
export interface CommandSubmission extends Asked {
  readonly kind: 'commands';
  readonly readAs: readonly string[];
  readonly disclosed: ReadonlySet<string>;
}

/** A transaction that was interpreted when it was prepared, and signed since then. */
export interface SignedSubmission extends Asked {
  readonly kind: 'signed';
  readonly prepared: Prepared;
  readonly signatures: readonly PartySignatures[];
}

export type Submission = CommandSubmission | SignedSubmission;

/** The content of a prepared transaction, decoded from its bytes. */
export interface Prepared {
  /** Hex, computed from its content. */
  readonly hash: string;
  readonly uuid: string;
  readonly synchronizerId: string;
  readonly nodes: readonly Node[];
  /** The contracts included in it. */
  readonly inputContracts: ReadonlySet<string>;
  readonly bounds: LedgerTimeBounds;
  readonly maxRecordTime?: Micros;
}

/** How the code that ran used the ledger effective time. */
export interface LedgerTimeBounds {
  readonly min?: Micros;
  readonly max?: Micros;
}

export interface PartySignatures {
  readonly party: string;
  readonly signatures: readonly Signature[];
}

export interface Signature {
  readonly format: number;
  readonly algorithm: number;
  readonly signedBy: string;
  readonly bytes: Uint8Array;
}

/** What faults do to one submission after it has been registered. */
export interface Disturbance {
  /** Sequenced, then rejected with this. */
  readonly rejectWith?: LedgerError;
  /** Takes this much longer to reach the sequencer. */
  readonly sequenceLateMs?: number;
  /** Sequenced in time, but its verdict comes this much later. */
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

/** Interpreted: what it would do, and which time it assumes. */
export interface Transaction {
  readonly effectiveAt: Micros;
  /** What it consumes. */
  readonly inputs: readonly string[];
  /** What it only fetches. */
  readonly reads: readonly string[];
  readonly nodes: readonly Node[];
  readonly maxRecordTime?: Micros;
  /** If it was prepared and signed. */
  readonly external?: { readonly hash: string; readonly uuid: string };
}

/** Registered with the participant: from here on every end is a completion, even after a crash. */
export interface Registered {
  readonly flightId: number;
  readonly submission: Attempt;
  readonly transaction: Transaction;
  readonly dedupOffset: number;
  /** Never sequenced after this: ledger effective time plus tolerance, or the maximum record time. */
  readonly maxSequencing: Micros;
}

export interface InFlight extends Registered {
  readonly changeId: string;
  readonly disturbance: Disturbance;
  readonly decided: (decision: Decision) => void;
}
