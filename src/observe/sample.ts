// What one instance did in some seconds, small enough to be kept for an hour, and such that those of several instances add up.
import type { Observable } from 'rxjs';
import { codeOf } from '../core/advice.js';
import type { Clock } from '../ports/clock.js';
import { verdictName } from '../protocol/verdict.js';
import type { SubmitterEvent } from './events.js';

/** Counts of durations, by exponent: `k` counts those from 2^(k/4) ms to below 2^((k+1)/4) ms. */
export type Durations = Readonly<Record<string, number>>;

export interface Sample {
  /** How long it covers. */
  readonly ms: number;
  readonly completed: number;
  readonly failed: number;
  readonly parked: number;
  /** Submissions that left. */
  readonly calls: number;
  /** Attempts that did not end their row, by code. */
  readonly retries: Readonly<Record<string, number>>;
  /** From a row's insert to its first submission. */
  readonly wait: Durations;
  /** From a submission to its answer. */
  readonly call: Durations;
}

const STEPS = 4;
/** About ten minutes: what takes longer counts as this. */
const LONGEST = 77;
/** Codes come from another machine; the rest are `other`. */
const MOST_CODES = 20;

export const exponentOf = (ms: number): number =>
  Math.min(LONGEST, Math.max(0, Math.floor(STEPS * Math.log2(Math.max(ms, 1)))));

/** The middle of the class in which the quantile lies, in ms; null where nothing was counted. */
export function quantile(durations: Durations, q: number): number | null {
  const classes = Object.entries(durations)
    .map(([k, n]) => [Number(k), n] as const)
    .sort(([a], [b]) => a - b);
  const all = classes.reduce((sum, [, n]) => sum + n, 0);
  let left = q * all;
  for (const [k, n] of classes) {
    left -= n;
    if (left <= 0) return 2 ** ((k + 0.5) / STEPS);
  }
  return null;
}

export const addCounts = (
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Record<string, number> => {
  const sum: Record<string, number> = { ...one };
  for (const [key, n] of Object.entries(other)) sum[key] = (sum[key] ?? 0) + n;
  return sum;
};

export const EMPTY: Sample = {
  ms: 0,
  completed: 0,
  failed: 0,
  parked: 0,
  calls: 0,
  retries: {},
  wait: {},
  call: {},
};

/** For one instance, one after the other: `ms` adds up too. */
export const joined = (one: Sample, other: Sample): Sample => ({
  ms: one.ms + other.ms,
  completed: one.completed + other.completed,
  failed: one.failed + other.failed,
  parked: one.parked + other.parked,
  calls: one.calls + other.calls,
  retries: addCounts(one.retries, other.retries),
  wait: addCounts(one.wait, other.wait),
  call: addCounts(one.call, other.call),
});

/** Returns what has happened since the last time it was asked. */
export function createSampler(events$: Observable<SubmitterEvent>, clock: Clock): () => Sample {
  type Counts = {
    -readonly [K in keyof Omit<Sample, 'ms'>]: Sample[K] extends number ? number : Record<string, number>;
  };
  const fresh = (): Counts => ({
    completed: 0,
    failed: 0,
    parked: 0,
    calls: 0,
    retries: {},
    wait: {},
    call: {},
  });
  let counts = fresh();
  let began = clock.elapsed();
  /** When each fresh row would have been inserted, on this process's clock. */
  const arrived = new Map<string, number>();

  const count = (into: Record<string, number>, key: string | number): void => {
    into[key] = (into[key] ?? 0) + 1;
  };
  const countRetry = (why: string | null): void => {
    const code = codeOf(why ?? '') ?? 'other';
    const known = Object.hasOwn(counts.retries, code) || Object.keys(counts.retries).length < MOST_CODES;
    count(counts.retries, known ? code : 'other');
  };

  events$.subscribe((event) => {
    switch (event.kind) {
      case 'taken':
        // What a later attempt waited for is its backoff.
        if (!event.look && event.attempts === 1)
          arrived.set(event.id, clock.elapsed() - Math.max(0, event.waitedMs));
        return;
      case 'sent': {
        counts.calls += 1;
        const since = arrived.get(event.id);
        if (since !== undefined) count(counts.wait, exponentOf(clock.elapsed() - since));
        arrived.delete(event.id);
        return;
      }
      case 'answered':
        return count(counts.call, exponentOf(event.tookMs));
      case 'fenced':
        arrived.delete(event.id);
        return;
      case 'settled': {
        arrived.delete(event.id);
        if (event.result !== 'settled' && event.result !== 'settled-before') return;
        const name = verdictName(event.verdict);
        if (name === 'completed' || name === 'failed' || name === 'parked') counts[name] += 1;
        else if (event.verdict.kind === 'pending') countRetry(event.verdict.lastError);
        return;
      }
    }
  });

  return () => {
    const now = clock.elapsed();
    const sample: Sample = { ms: Math.round(now - began), ...counts };
    began = now;
    counts = fresh();
    return sample;
  };
}
