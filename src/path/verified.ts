import type { Offset } from '../core/ids.js';
import type { Pinned } from '../ports/store.js';

/** What this instance checked itself against, and may claim under. */
export interface Verified {
  readonly pinned: Pinned;
  readonly participantId: string;
  /** The token may ask for the participant id; else the operator's word stands for it. */
  readonly mayAskId: boolean;
  /** It can be asked for an acceptance by its hash (from 3.6 on). */
  readonly looksUpHashes: boolean;
  /** Active contracts tell of those in the middle of a reassignment (before 3.7). */
  readonly tellsReassignments: boolean;
  /** How long a look waits for the ledger's word. */
  readonly patienceMs: number;
  /** The ledger end when all this was checked. */
  readonly end: Offset;
}
