// Offset checkpoints: everything with a record time up to this one has been published by this offset.
import type { Micros } from '../clock.js';
import type { LedgerState } from './ledger-state.js';
import type { RecordOrder } from './record-order.js';
import type { SubmissionPath } from './submit.js';

export interface Checkpoint {
  readonly offset: number;
  readonly recordTime: Micros;
}

/**
 * `silent`: no checkpoints at all. `stale`: they come, but no time passes between transactions. Both describe a
 * synchronizer on which nobody does anything.
 */
export type Quiet = 'off' | 'silent' | 'stale';

export class Checkpoints {
  quiet: Quiet = 'off';
  readonly #listeners = new Set<(checkpoint: Checkpoint) => void>();

  constructor(
    private readonly state: LedgerState,
    private readonly order: RecordOrder,
    private readonly path: SubmissionPath,
  ) {}

  /** Once per interval. */
  refresh(): void {
    this.path.settleDue();
    if (this.quiet === 'silent') return;
    const recordTime = this.quiet === 'stale' ? this.order.published : this.order.decidedUpTo();
    const checkpoint = { offset: this.state.end, recordTime };
    for (const listener of this.#listeners) listener(checkpoint);
  }

  subscribe(listener: (checkpoint: Checkpoint) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
