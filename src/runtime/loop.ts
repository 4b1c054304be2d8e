/**
 * A loop that loses no wake-up: at most one round at a time, and a signal that arrives during a round causes exactly
 * one more. A round that throws does not end the loop; it is reported, and the next signal starts the next round.
 */
export interface Loop<Reason> {
  signal(reason: Reason): void;
  /** No further round begins; resolves when the running one has ended. */
  stop(): Promise<void>;
}

export function createLoop<Reason>(
  round: (reason: Reason) => Promise<void>,
  /** `signal`: the loop's own, for a next round after the failed one. */
  onError: (error: unknown, signal: Loop<Reason>['signal']) => void,
): Loop<Reason> {
  let next: { readonly reason: Reason } | null = null;
  let running: Promise<void> | null = null;
  let stopped = false;

  const drain = async (): Promise<void> => {
    while (next !== null && !stopped) {
      const { reason } = next;
      // Cleared before the round begins: what arrives during the round causes another one.
      next = null;
      try {
        await round(reason);
      } catch (error) {
        onError(error, signal);
      }
    }
    running = null;
  };

  const signal = (reason: Reason): void => {
    if (stopped) return;
    next ??= { reason };
    running ??= drain();
  };

  return {
    signal,
    async stop() {
      stopped = true;
      await running;
    },
  };
}
