// The database's clock against the ledger's (I7). Every bound of rule 2 is a time of the one that the other has to keep, so
// how far they are apart is measured on our own submissions. Too far, and one row an interval is all that is sent, as the
// next measurement; looks go on, since they only read.
import { type DbMillis, dbMillis, microsOf } from '../../core/ids.js';
import type { SubmitterEvent } from '../../observe/events.js';
import type { Clock } from '../../ports/clock.js';
import type { Clocks } from '../given/context.js';
import type { ClockSample } from '../given/participant.js';

export type ClockState =
  | { readonly kind: 'fine' }
  /** By how many ms the ledger's clock is ahead of the database's (negative: behind), as far as a sample can show. */
  | { readonly kind: 'apart' | 'too-far'; readonly ledgerAheadMs: number };

/** From here on an instance warns. */
const WARN_MS = 5_000;
/** Half of what the bounds allow for: past it nothing is sent but measurements. */
const STOP_SHARE = 1 / 2;

/** A record time lies between sending and answer; by as much as it lies outside, the clocks differ at least. */
export function ledgerAheadMs({ sentAt, answeredAt, recordTime }: ClockSample): number {
  const early = recordTime - microsOf(sentAt);
  if (early < 0n) return Number(early) / 1000;
  const late = recordTime - microsOf(answeredAt);
  return late > 0n ? Number(late) / 1000 : 0;
}

export function clockState(sample: ClockSample, clockSkewMaxMs: number): ClockState {
  const ahead = ledgerAheadMs(sample);
  const off = Math.abs(ahead);
  if (off > 0 && off >= clockSkewMaxMs * STOP_SHARE) return { kind: 'too-far', ledgerAheadMs: ahead };
  return off >= WARN_MS ? { kind: 'apart', ledgerAheadMs: ahead } : { kind: 'fine' };
}

interface ClocksContext {
  readonly settings: { readonly probeMs: number };
  readonly clock: Clock;
  readonly emit: (event: SubmitterEvent) => void;
}

/** `onFine`: what has waited goes at once. */
export function createClocks({ settings, clock, emit }: ClocksContext, onFine: () => void): Clocks {
  let state: ClockState = { kind: 'fine' };
  let probeAt = Number.NEGATIVE_INFINITY;
  /** The database's time at elapsed 0. */
  let origin = Number.NEGATIVE_INFINITY;
  let recorded = 0;
  const probeLater = (): void => {
    probeAt = clock.elapsed() + settings.probeMs;
  };

  return {
    measured(sample, clockSkewMaxMs) {
      const before = state;
      state = clockState(sample, clockSkewMaxMs);
      const aheadMs = state.kind === 'fine' ? 0 : state.ledgerAheadMs;
      if (state.kind !== 'fine' || before.kind !== 'fine')
        emit({ kind: 'clocks', state: state.kind, aheadMs });
      if (before.kind === 'too-far' && state.kind !== 'too-far') onFine();
      if (before.kind !== 'too-far' && state.kind === 'too-far') probeLater();
    },
    allowance() {
      if (state.kind !== 'too-far') return 'any';
      return clock.elapsed() >= probeAt ? 'one' : 'none';
    },
    beginProbe: probeLater,
    tooFar: () => state.kind === 'too-far',
    sawDatabase(now, at) {
      origin = Math.max(origin, now - at);
    },
    sawRecordTime(time) {
      recorded = Math.max(recorded, Math.ceil(Number(time) / 1000));
    },
    latest: (): DbMillis => dbMillis(Math.ceil(Math.max(recorded, origin + clock.elapsed()))),
  };
}
