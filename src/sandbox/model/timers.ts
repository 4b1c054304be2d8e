// All of the ledger's waiting goes through here, so that a closed sandbox leaves nothing running.

export class Timers {
  readonly #pending = new Set<NodeJS.Timeout>();
  #closed = false;

  /** Zero milliseconds means now: a ledger without latency is as fast as its code. */
  after(ms: number, act: () => void): void {
    if (this.#closed) return;
    if (ms <= 0) {
      act();
      return;
    }
    // Node fires up to a fraction of a millisecond early, and treats more than 2^31 as 1.
    const timer = setTimeout(
      () => {
        this.#pending.delete(timer);
        act();
      },
      Math.min(Math.ceil(ms), 2_147_483_647),
    );
    this.#pending.add(timer);
  }

  every(ms: number, act: () => void): void {
    if (this.#closed) return;
    const timer = setInterval(act, Math.max(1, ms));
    this.#pending.add(timer);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#pending) clearTimeout(timer);
    this.#pending.clear();
  }
}
