// The sandbox's three clocks. All show wall time in microseconds, because a submitter compares them with its
// database's.

/** Microseconds since the epoch; exact in a double until the year 2255. */
export type Micros = number;

/** Wall time in fractional milliseconds, finer than Date.now(). */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

/** The ledger's clocks can be wrong, and differ from each other: a submitter's bounds have to survive that. */
export interface LedgerClock {
  /** How far the ledger's clocks are off from the machine's. */
  skewMs: number;
  /** How far the participant's clock is off from the synchronizer's. */
  participantSkewMs: number;
  /** Gives a submission its ledger effective time, and the deduplication window its start. */
  participant(): Micros;
  /** Gives whatever is sequenced its record time. */
  synchronizer(): Micros;
}

export function createLedgerClock(skewMs: number, participantSkewMs: number): LedgerClock {
  return {
    skewMs,
    participantSkewMs,
    participant() {
      return Math.floor((wallMs() + this.skewMs + this.participantSkewMs) * 1000);
    },
    synchronizer() {
      return Math.floor((wallMs() + this.skewMs) * 1000);
    },
  };
}
