// The database's clock against the ledger's (I7). Every bound is a time of the one that the other has to keep, so how far
// they lie apart is measured on our own submissions.
import { type DbMillis, type Micros, microsOf } from './ids.js';

/** A submission of our own: when it was sent and answered on the database's clock, and its record time. */
export interface ClockSample {
  readonly sentAt: DbMillis;
  readonly answeredAt: DbMillis;
  readonly recordTime: Micros;
}

export type ClockState =
  | { readonly kind: 'fine' }
  /** Ms that the ledger's clock is ahead of the database's (negative: behind), as far as a sample can show. */
  | { readonly kind: 'apart' | 'too-far'; readonly ledgerAheadMs: number };

/** From here on an instance warns. */
const WARN_MS = 5_000;
/** Half of what the bounds allow for: past it nothing more is sent but measurements. */
const STOP_SHARE = 1 / 2;

/** A record time lies between sending and answer; what it lies outside by is the least that the clocks differ. */
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
