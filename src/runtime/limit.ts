/**
 * Runs `work` under a signal that aborts with any of these, or after `ms`. It does not use `AbortSignal.any`, which holds
 * its sources weakly: a time-out among them may be collected before it fires (nodejs/node#57736), and a wait that never
 * ends would hold a lease for ever.
 */
export async function limited<T>(
  signals: readonly AbortSignal[],
  ms: number | null,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = ms === null ? undefined : setTimeout(abort, ms);
  for (const signal of signals) {
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  }
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener('abort', abort);
  }
}
