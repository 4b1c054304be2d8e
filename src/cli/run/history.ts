// The last hour, kept in memory while somebody looks: only what is new is read again.
import { z } from 'zod';
import {
  type History,
  HOUR_MS,
  historyOf,
  type TakenQueue,
  type TakenSample,
} from '../../observe/history.js';
import type { Sample } from '../../observe/sample.js';
import type { Database } from '../../store/pool.js';
import { readSamples, type StoredSample } from '../../store/samples.js';

const counts = z.record(z.string(), z.number());
/** What another build has written differently is left out. */
const sample: z.ZodType<Sample> = z.object({
  ms: z.number(),
  completed: z.number(),
  failed: z.number(),
  parked: z.number(),
  calls: z.number(),
  retries: counts,
  wait: counts,
  call: counts,
});
const state = z.object({ rows: z.number(), oldestMs: z.number().nullable() });
const queued = z.object({
  queue: z.object({ waiting: state, 'in-flight': state, undecided: state, backoff: state, parked: state }),
});

/** A sample may be committed after one that ended later. */
const OVERLAP_MS = 15_000;

interface Taken {
  readonly samples: readonly TakenSample[];
  readonly queues: readonly TakenQueue[];
}

/** `now`: the database's time. */
export function createHistory(database: Database): (now: number) => Promise<History> {
  let known: Taken = { samples: [], queues: [] };
  let until = Number.NEGATIVE_INFINITY;

  return async (now) => {
    const since = Math.max(now - HOUR_MS, until - OVERLAP_MS);
    const kept = <T extends { readonly at: number }>(all: readonly T[]): readonly T[] =>
      all.filter(({ at }) => at <= since && at > now - HOUR_MS);
    const { instances, queues } = await readSamples(database, since);
    known = {
      samples: [...kept(known.samples), ...instances.flatMap(sampleOf)],
      queues: [...kept(known.queues), ...queues.flatMap(queueOf)],
    };
    until = now;
    return historyOf(known.samples, known.queues, now);
  };
}

function sampleOf({ at, sample: stored }: StoredSample): TakenSample[] {
  const read = sample.safeParse(stored);
  return read.success ? [{ at, sample: read.data }] : [];
}

function queueOf({ at, sample: stored }: StoredSample): TakenQueue[] {
  const read = queued.safeParse(stored);
  return read.success ? [{ at, queue: read.data.queue }] : [];
}
