import { type ClockSample, type ClockState, clockState } from '../core/clocks.js';
import type { PathContext } from './context.js';

/**
 * Watches how far the clocks of database and ledger lie apart (I7): every bound of rule 2 rests on it. Too far, and one
 * row an interval is all that is sent, as the next measurement; looks go on, they only read.
 */
export interface ClockWatch {
  measured(sample: ClockSample, clockSkewMaxMs: number): void;
  /** How many rows may be claimed now. */
  allowance(): 'any' | 'one' | 'none';
  /** The row that measures is claimed. */
  beginProbe(): void;
  /** Why next to nothing is claimed, or null. */
  tooFar(): string | null;
}

/** `onFine`: what waited goes at once. */
export function createClockWatch(
  { settings, clock, emit }: Pick<PathContext, 'settings' | 'clock' | 'emit'>,
  onFine: () => void,
): ClockWatch {
  let state: ClockState = { kind: 'fine' };
  let probeAt = Number.NEGATIVE_INFINITY;

  return {
    measured(sample, clockSkewMaxMs) {
      const before = state;
      state = clockState(sample, clockSkewMaxMs);
      const aheadMs = state.kind === 'fine' ? 0 : state.ledgerAheadMs;
      if (state.kind !== 'fine' || before.kind !== 'fine')
        emit({ kind: 'clocks', state: state.kind, aheadMs });
      if (before.kind === 'too-far' && state.kind !== 'too-far') onFine();
      if (before.kind !== 'too-far' && state.kind === 'too-far') probeAt = clock.elapsed() + settings.probeMs;
    },
    allowance() {
      if (state.kind !== 'too-far') return 'any';
      return clock.elapsed() >= probeAt ? 'one' : 'none';
    },
    beginProbe() {
      probeAt = clock.elapsed() + settings.probeMs;
    },
    tooFar: () =>
      state.kind === 'too-far'
        ? `the ledger's clock is ${Math.round(state.ledgerAheadMs)} ms ahead of the database's (negative: behind): put them right`
        : null,
  };
}
