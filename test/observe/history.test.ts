import test from 'ava';
import { Subject } from 'rxjs';
import type { RowId, TxHash } from '../../src/core/ids.js';
import { dbMillis } from '../../src/core/ids.js';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { HOUR_MS, historyOf, STEP_MS } from '../../src/observe/history.js';
import { createSampler, EMPTY, exponentOf, quantile } from '../../src/observe/sample.js';
import { retry } from '../../src/protocol/verdict.js';

const row = { id: '1' as RowId, txHash: '0x01' as TxHash };

test('a sample counts what has happened since the last one, and waiting from the insert to the call', (t) => {
  const events$ = new Subject<SubmitterEvent>();
  let now = 0;
  const sample = createSampler(events$, { elapsed: () => now });
  const taken = {
    ...row,
    kind: 'taken',
    look: false,
    sender: '0xa',
    nonceShared: false,
    at: dbMillis(0),
  } as const;
  events$.next({ ...taken, attempts: 1, waitedMs: 100 });
  now = 28;
  events$.next({ ...row, kind: 'sent', submissionId: 's' });
  events$.next({ ...row, kind: 'answered', outcome: { kind: 'unknown', detail: '' }, tookMs: 1_000 });
  const tries = { attempts: 1, policy: { minMs: 1, maxMs: 1, maxAttempts: 9 }, random: () => 0 };
  const settled = { ...row, kind: 'settled', result: 'settled', tookMs: 1 } as const;
  events$.next({ ...settled, verdict: retry('CONTENTION: a holding was spent', tries) });
  events$.next({ ...settled, verdict: retry('nobody knows', tries) });
  events$.next({ ...settled, result: 'fenced', verdict: retry('CONTENTION: late', tries) });
  // A second attempt waited for its backoff, which says nothing of us.
  events$.next({ ...taken, attempts: 2, waitedMs: 60_000 });
  events$.next({ ...row, kind: 'sent', submissionId: 's' });
  now = 5_000;
  t.deepEqual(sample(), {
    ...EMPTY,
    ms: 5_000,
    calls: 2,
    retries: { CONTENTION: 1, other: 1 },
    wait: { [exponentOf(128)]: 1 },
    call: { [exponentOf(1_000)]: 1 },
  });
  t.deepEqual(sample(), { ...EMPTY, ms: 0 });
});

test('quantiles are right to within a class, a fifth of the value', (t) => {
  const durations: Record<string, number> = {};
  for (let ms = 1; ms <= 1_000; ms++) durations[exponentOf(ms)] = (durations[exponentOf(ms)] ?? 0) + 1;
  for (const q of [0.1, 0.5, 0.95, 1]) {
    const found = quantile(durations, q) ?? 0;
    t.true(Math.abs(found - q * 1_000) < 0.2 * q * 1_000, `${q}: ${found}`);
  }
  t.is(quantile({}, 0.5), null);
});

test('samples of several instances add up, each spread over the time that it covers', (t) => {
  const now = 100 * HOUR_MS + 1_000;
  const begin = 100 * HOUR_MS - STEP_MS;
  const of = (at: number, ms: number, completed: number) => ({ at, sample: { ...EMPTY, ms, completed } });
  const history = historyOf(
    [of(begin + 10_000, 20_000, 20), of(begin + 20_000, 20_000, 40), of(now - 2 * HOUR_MS, 1_000, 5)],
    [],
    now,
  );
  t.is(history.times.length, HOUR_MS / STEP_MS);
  t.is(history.times.at(-1), (100 * HOUR_MS) / 1_000);
  // 10 of the first and 40 of the second within the last step; the other 10 in the one before.
  t.deepEqual(history.completed.slice(-3), [null, 0.5, 2.5]);
  t.is(history.totals.completed, 60, 'what is older than an hour is left out');
});

test('the queue of a step is its last count, and a step without one is a gap', (t) => {
  const now = 100 * HOUR_MS + 1_000;
  const none = { rows: 0, oldestMs: null };
  const queue = (rows: number) => ({
    waiting: { rows, oldestMs: 1_500 },
    'in-flight': none,
    undecided: none,
    backoff: none,
    parked: none,
  });
  const at = 100 * HOUR_MS - 5_000;
  const history = historyOf(
    [],
    [
      { at, queue: queue(1) },
      { at: at + 2_000, queue: queue(2) },
    ],
    now,
  );
  t.deepEqual(history.rows.waiting.slice(-2), [null, 2]);
  t.deepEqual(history.oldest.slice(-2), [null, 1.5]);
});
