// Outcomes for a program that embeds the library: in order, at least once, from where this consumer stopped the last time. The
// order is that of the positions, which are given after the commit, so nothing is stepped over.
import { ConfigError, StoreUnavailable } from '../core/errors.js';
import type { ConsumerStore, TransferOutcome } from '../ports/outbox.js';
import { backoffMs } from '../protocol/backoff.js';
import { every, sleep } from '../runtime/timers.js';

export interface ConsumeSettings {
  readonly leaseMs: number;
  /** How often to read when there is nothing new, or another process reads for this consumer. */
  readonly pollMs: number;
}

const BATCH = 100;
const AGAIN = { minMs: 100, maxMs: 5_000 };

/**
 * Asking for the next outcome acknowledges the one before; leaving the loop does not. Another process with the same consumer
 * waits, and goes on from there once this one has ended or has lost its lease. Waits out an outage of the database.
 */
export async function* consume(
  store: ConsumerStore,
  { leaseMs, pollMs }: ConsumeSettings,
  signal: AbortSignal,
): AsyncGenerator<TransferOutcome, void, undefined> {
  /** Null: the wait was ended. */
  const patiently = async <T>(call: () => Promise<T>): Promise<T | null> => {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        await sleep(backoffMs(failures, AGAIN, Math.random), signal);
      }
    }
    return null;
  };
  const kept = await patiently(store.kept);
  if (kept === null) return;
  if (!kept)
    throw new ConfigError(['no outcomes are kept: run `canton-submitter migrate --outcomes consumers`']);
  // However long the program takes over one outcome.
  const renewal = every(leaseMs / 3, 0, store.renew, () => {});
  try {
    while (!signal.aborted) {
      const batch = await patiently(() => store.read(BATCH));
      if (batch === null) return;
      if (batch === 'held' || batch.length === 0) {
        await sleep(pollMs, signal);
        continue;
      }
      for (const outcome of batch) {
        yield outcome;
        const ours = await patiently(() => store.acknowledge(outcome.position));
        if (ours === null) return;
        // Another process has read on meanwhile: what is left of this batch is its.
        if (!ours) break;
        if (signal.aborted) return;
      }
    }
  } finally {
    await renewal.stop();
    await store.leave().catch(() => {});
  }
}
