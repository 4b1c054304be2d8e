// From the samples of all instances to what the page plots: equal steps, the fleet added up.
import type { QueueCounts, QueueState } from '../protocol/row-state.js';
import { addCounts, type Durations, quantile, type Sample } from './sample.js';

/** Times in ms on the database's clock. */
export interface TakenSample {
  /** When it ended. */
  readonly at: number;
  readonly sample: Sample;
}

export interface TakenQueue {
  readonly at: number;
  readonly queue: QueueCounts;
}

/** One array per line of a plot, all of the same length; null: nothing is known of that step. */
export interface History {
  readonly stepMs: number;
  /** The end of each step, in seconds. */
  readonly times: readonly number[];
  readonly rows: Readonly<Record<QueueState, readonly (number | null)[]>>;
  /** Age of the oldest waiting row, in seconds. */
  readonly oldest: readonly (number | null)[];
  /** Rows a second. */
  readonly completed: readonly (number | null)[];
  readonly failed: readonly (number | null)[];
  /** Milliseconds: median, and what 19 of 20 stay below. */
  readonly wait: { readonly p50: readonly (number | null)[]; readonly p95: readonly (number | null)[] };
  readonly call: { readonly p50: readonly (number | null)[]; readonly p95: readonly (number | null)[] };
  /** Over all of it, the most frequent first. */
  readonly retries: readonly { readonly code: string; readonly times: number }[];
  readonly totals: {
    readonly completed: number;
    readonly failed: number;
    readonly parked: number;
    readonly calls: number;
  };
}

export const STEP_MS = 20_000;
export const HOUR_MS = 3_600_000;
const STATES: readonly QueueState[] = ['waiting', 'in-flight', 'undecided', 'backoff', 'parked'];

interface PlotStep {
  /** Whether any instance told of it. */
  told: boolean;
  completed: number;
  failed: number;
  wait: Durations;
  call: Durations;
  queue: QueueCounts | null;
}

/** `now`: on the database's clock. The step that it lies in is not over, and left out. */
export function historyOf(
  samples: readonly TakenSample[],
  queues: readonly TakenQueue[],
  now: number,
): History {
  const last = Math.floor(now / STEP_MS);
  const first = last - HOUR_MS / STEP_MS;
  const steps: PlotStep[] = Array.from({ length: last - first }, () => ({
    told: false,
    completed: 0,
    failed: 0,
    wait: {},
    call: {},
    queue: null,
  }));
  const stepAt = (ms: number): PlotStep | undefined => steps[Math.floor(ms / STEP_MS) - first];

  let retries: Record<string, number> = {};
  const totals = { completed: 0, failed: 0, parked: 0, calls: 0 };
  for (const { at, sample } of samples) {
    if (at <= now - HOUR_MS) continue;
    spread(at, sample, stepAt);
    retries = addCounts(retries, sample.retries);
    for (const name of ['completed', 'failed', 'parked', 'calls'] as const) totals[name] += sample[name];
  }
  for (const { at, queue } of queues) {
    const step = stepAt(at);
    if (step !== undefined) step.queue = queue;
  }

  const line = (value: (step: PlotStep) => number | null): (number | null)[] => steps.map(value);
  const rows = Object.fromEntries(
    STATES.map((state) => [state, line(({ queue }) => queue?.[state].rows ?? null)]),
  ) as Record<QueueState, (number | null)[]>;
  const rate = (rows: number): number => round(rows / (STEP_MS / 1_000));
  const latency = (of: 'wait' | 'call') => ({
    p50: line((step) => rounded(quantile(step[of], 0.5))),
    p95: line((step) => rounded(quantile(step[of], 0.95))),
  });
  return {
    stepMs: STEP_MS,
    times: steps.map((_, index) => ((first + index + 1) * STEP_MS) / 1_000),
    rows,
    oldest: line(({ queue }) => {
      if (queue === null) return null;
      return Math.round((queue.waiting.oldestMs ?? 0) / 100) / 10;
    }),
    completed: line(({ told, completed }) => (told ? rate(completed) : null)),
    failed: line(({ told, failed }) => (told ? rate(failed) : null)),
    wait: latency('wait'),
    call: latency('call'),
    retries: Object.entries(retries)
      .map(([code, times]) => ({ code, times }))
      .sort((a, b) => b.times - a.times),
    totals,
  };
}

/** A sample that covers several steps counts in each by its share of the time. */
function spread(at: number, sample: Sample, stepAt: (ms: number) => PlotStep | undefined): void {
  const ms = Math.max(sample.ms, 1);
  for (let from = at - ms; from < at; ) {
    const until = Math.min(at, (Math.floor(from / STEP_MS) + 1) * STEP_MS);
    const step = stepAt(from);
    if (step !== undefined) {
      const share = (until - from) / ms;
      step.told = true;
      step.completed += sample.completed * share;
      step.failed += sample.failed * share;
    }
    from = until;
  }
  // Durations belong to when they ended, which for a sample of some seconds is its end.
  const step = stepAt(at - 1);
  if (step === undefined) return;
  step.wait = addCounts(step.wait, sample.wait);
  step.call = addCounts(step.call, sample.call);
}

const round = (value: number): number => Math.round(value * 100) / 100;
const rounded = (value: number | null): number | null =>
  value === null ? null : Math.round(value * 10) / 10;
