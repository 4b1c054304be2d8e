/** Resolves after `ms`, or at once when the signal aborts. Never rejects: callers check the signal. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Runs `tick` again and again, `everyMs` ± `jitter` apart, never twice at once. Errors go to `onError`. */
export function every(
  everyMs: number | (() => number),
  jitter: number,
  tick: () => Promise<void> | void,
  onError: (error: unknown) => void,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const base = typeof everyMs === 'number' ? everyMs : everyMs();
      await sleep(base * (1 + jitter * (2 * Math.random() - 1)), stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        await tick();
      } catch (error) {
        onError(error);
      }
    }
  };
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
