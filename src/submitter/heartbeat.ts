// Says every few seconds how this instance is (`mempool_instances_v1`), and hears what is paused.
import type { Config } from '../config.js';
import { StoreUnavailable } from '../core/errors.js';
import type { SubmitterEvent } from '../observe/events.js';
import type { Health } from '../observe/health.js';
import type { InstanceState } from '../observe/instance.js';
import { PROTOCOL } from '../protocol/version.js';
import { monotonic } from '../runtime/clock.js';
import { every } from '../runtime/timers.js';
import { packageVersion } from '../runtime/version.js';
import { type Beat, beat, forgetInstances } from '../store/instances.js';
import type { Database } from '../store/pool.js';

export interface Heartbeat {
  /** Resolves when it has said so for the first time, or has tried to. */
  start(): Promise<void>;
  /** The last one says that it has stopped. */
  stop(): Promise<void>;
}

interface Sources {
  readonly database: Database;
  readonly health: () => Health;
  readonly state: () => InstanceState;
  readonly emit: (event: SubmitterEvent) => void;
}

/** Often enough that a dead instance is known to be dead when its leases have run out. */
const BEAT_MS = 3_000;
const BEATS_PER_LEASE = 3;
const MINUTE_MS = 60_000;
const JITTER = 0.1;

export function createHeartbeat(config: Config, { database, health, state, emit }: Sources): Heartbeat {
  const beatMs = Math.min(BEAT_MS, config.leaseMs / BEATS_PER_LEASE);
  const lastMinute = createLastMinute();
  let paused = '[]';
  let beating: { stop(): Promise<void> } | null = null;

  const told = (stopped: boolean): Beat => {
    const { ready, blockers } = health();
    const { inFlight, oldestHeldAt, sinceStart } = state();
    return {
      instance: config.instanceId,
      version: packageVersion(),
      protocol: PROTOCOL,
      leaseMs: config.leaseMs,
      beatMs,
      settings: {
        concurrency: config.concurrency,
        lanes: config.lanes,
        leaseMs: config.leaseMs,
        pollMs: config.pollMs,
        windowMs: config.windowMs,
        maxAttempts: config.retry.maxAttempts,
        storiesKeptDays: config.storiesKeptDays,
      },
      stopped,
      ready: ready && !stopped,
      blockers,
      ...inFlight,
      oldestHeldAt,
      endedLastMinute: lastMinute(sinceStart.completed + sinceStart.failed),
      counters: sinceStart,
    };
  };

  const tick = async (): Promise<void> => {
    const parts = await beat(database, config.holder, told(false));
    const now = JSON.stringify(parts);
    if (now === paused) return;
    paused = now;
    emit({ kind: 'paused', parts });
  };

  const report = (error: unknown): void => {
    // An outage is told by those whose work it stops.
    if (!(error instanceof StoreUnavailable)) emit({ kind: 'fault', where: 'heartbeat', error });
  };

  return {
    async start() {
      if (beating !== null) return;
      beating = every(beatMs, JITTER, tick, report);
      await tick()
        .then(() => forgetInstances(database))
        .catch(report);
    },
    async stop() {
      if (beating === null) return;
      await beating.stop();
      await beat(database, config.holder, told(true)).catch(report);
    },
  };
}

/** By how much a count has grown within the last minute, as far as it was told. */
export function createLastMinute(elapsed: () => number = monotonic.elapsed): (count: number) => number {
  let samples: { readonly at: number; readonly count: number }[] = [{ at: elapsed(), count: 0 }];
  return (count) => {
    const now = elapsed();
    // The newest of those that are a minute old is where the minute begins.
    const begin = samples.findLastIndex(({ at }) => now - at >= MINUTE_MS);
    samples = [...samples.slice(Math.max(begin, 0)), { at: now, count }];
    return count - (samples[0]?.count ?? 0);
  };
}
