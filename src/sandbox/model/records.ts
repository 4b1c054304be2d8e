// What the ledger keeps: updates and completions, in one sequence of offsets.
import type { Micros } from '../clock.js';
import type { Payload } from '../daml/contracts.js';
import type { TransferChoice } from '../daml/transfer.js';
import type { LedgerError } from '../errors.js';

/** A node of a transaction, numbered as in Daml: depth first, a choice before what it did. */
export type Node =
  | {
      readonly kind: 'exercise';
      readonly nodeId: number;
      readonly choice: TransferChoice;
      readonly lastNodeId: number;
    }
  | { readonly kind: 'fetch'; readonly nodeId: number; readonly contractId: string }
  | { readonly kind: 'archive'; readonly nodeId: number; readonly contractId: string }
  | {
      readonly kind: 'create';
      readonly nodeId: number;
      readonly contractId: string;
      readonly payload: Payload;
    };

export interface UpdateRecord {
  readonly updateId: string;
  readonly commandId: string;
  readonly workflowId: string;
  readonly actAs: readonly string[];
  readonly effectiveAt: Micros;
  readonly nodes: readonly Node[];
  /** Hex of what its party signed. */
  readonly externalHash?: string;
}

export interface CompletionRecord {
  readonly userId: string;
  readonly actAs: readonly string[];
  readonly commandId: string;
  readonly submissionId: string;
  /** The window that was applied, always given as an offset. */
  readonly dedupOffset: number;
  readonly external?: ExternalCompletion;
  /** Its traffic cost, if it was sequenced. */
  readonly traffic?: number;
  readonly result:
    | { readonly accepted: true; readonly updateId: string }
    | { readonly accepted: false; readonly error: LedgerError };
}

/** For a transaction that was prepared and signed. */
export interface ExternalCompletion {
  readonly hash: string;
  readonly uuid: string;
  /** The mediator has seen it, and accepts no other with this UUID. */
  readonly sequenced: boolean;
}

/**
 * One offset of the ledger: an accepted command has both parts, a rejection or somebody else's transaction has one.
 */
export interface Entry {
  readonly offset: number;
  readonly recordTime: Micros;
  /** On the participant's clock; deduplication by duration counts from it. */
  readonly publishedAt: Micros;
  readonly completion?: CompletionRecord;
  readonly update?: UpdateRecord;
  /** Reassignments: from here on, these contracts are somewhere else. */
  readonly moves?: readonly { readonly contractId: string; readonly place: Place }[];
}

/**
 * Active on the submitters' synchronizer or on another one, or on the way there, with only its leaving or only its
 * arrival known.
 */
export type Place = 'here' | 'away' | 'unassigned' | 'assigned';

export interface Contract {
  readonly id: string;
  readonly payload: Payload;
  readonly createdOffset: number;
  readonly nodeId: number;
  readonly createdAt: Micros;
  /** 0 while active. */
  archivedOffset: number;
  /** In ledger order; if empty, it has always been here. */
  readonly places: { readonly since: number; readonly place: Place }[];
}

export function placeOf({ places }: Contract, offset = Number.POSITIVE_INFINITY): Place {
  return places.findLast(({ since }) => since <= offset)?.place ?? 'here';
}

/** The change ID: user, command id and the set of act_as. Payload, read_as and submission id are not part of it. */
export function changeId(of: { userId: string; commandId: string; actAs: readonly string[] }): string {
  return JSON.stringify([of.userId, of.commandId, ...[...new Set(of.actAs)].sort()]);
}
