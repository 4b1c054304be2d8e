// The sandbox's three clocks. All of it is wall time in microseconds: a submitter compares these times with its database's.

/** Microseconds since the epoch; exact in a double until the year 2255. */
export type Micros = number;

/** Wall time in fractional milliseconds, finer than Date.now(). */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

/** The ledger's clocks can be wrong, and differ: that is what a submitter's bounds have to survive. */
export interface LedgerClock {
  /** Everything on the ledger's side is off by this from the machine's clock. */
  skewMs: number;
  /** The participant is off by this from the synchronizer. */
  participantSkewMs: number;
  /** Gives a submission its ledger effective time and the deduplication window its begin. */
  participant(): Micros;
  /** Gives what is sequenced its record time. */
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
