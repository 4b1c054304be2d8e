import { type SpanContext, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import test from 'ava';
import { Subject } from 'rxjs';
import { loadConfig } from '../../src/config.js';
import { dbMillis } from '../../src/core/ids.js';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { createTraces } from '../../src/observe/traces.js';
import { createSubmitter } from '../../src/submitter.js';
import { SCALED } from '../support/fleet.js';
import { createWorld, type User, type World } from '../support/world.js';
import {
  accepted,
  answered,
  claimed,
  completed,
  failed,
  hashOf,
  refused,
  settled,
  taken,
} from './samples.js';

const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
);

const spansOf = (hash: string): ReadableSpan[] => {
  const spans = exporter.getFinishedSpans();
  const roots = spans.filter((span) => span.attributes['canton_submitter.tx_hash'] === hash);
  const ids = new Set(roots.map((span) => span.spanContext().spanId));
  return [...roots, ...spans.filter((span) => ids.has(span.parentSpanContext?.spanId ?? ''))];
};
const named = (spans: readonly ReadableSpan[], name: string): ReadableSpan | undefined =>
  spans.find((span) => span.name === name);
const ms = ([seconds, nanos]: readonly [number, number]): number => seconds * 1_000 + nanos / 1e6;
const headerOf = ({ traceId, spanId }: SpanContext): string => `00-${traceId}-${spanId}-01`;

function setup() {
  const events$ = new Subject<SubmitterEvent>();
  let now = 0;
  const traces = createTraces(events$, { elapsed: () => now }, '1.2.3');
  return {
    traces,
    emit: (...events: SubmitterEvent[]) => {
      for (const event of events) events$.next(event);
    },
    elapse: (by: number) => {
      now += by;
    },
    end: () => events$.complete(),
  };
}
const ofRow = (row: number) => {
  const { id, txHash } = answered(row, accepted) as Extract<SubmitterEvent, { kind: 'answered' }>;
  return { id, txHash };
};
const sent = (row: number): SubmitterEvent => ({ kind: 'sent', ...ofRow(row), submissionId: `s${row}` });

test('a span for each step of a row, on the database’s clock; the call carries its own', (t) => {
  const { traces, emit, elapse } = setup();
  t.true(traces.recorded);
  emit(claimed(1), { ...taken(1, { waitedMs: 50 }), at: dbMillis(100_000) } as SubmitterEvent);
  elapse(30);
  emit({ kind: 'prepared', ...ofRow(1), tookMs: 20, signMs: 5, estimatedTraffic: null });
  elapse(4);
  emit(sent(1));
  const header = traces.header('s1');
  elapse(7_000);
  emit(answered(1, accepted));
  elapse(2);
  emit(settled(1, completed));
  t.is(traces.header('s1'), null, 'nothing is kept');

  const spans = spansOf(hashOf(1));
  t.deepEqual(
    spans.map(({ name, startTime, endTime }) => [name, ms(startTime) - 100_000, ms(endTime) - 100_000]),
    [
      ['transfer', -50, 7_036],
      ['wait', -50, -2],
      ['claim', -2, 0],
      ['gather', 0, 10],
      ['prepare', 10, 25],
      ['sign', 25, 30],
      ['write ahead', 30, 34],
      ['execute', 34, 7_034],
      ['settle', 7_034, 7_036],
    ],
  );
  const call = named(spans, 'execute');
  t.is(header, headerOf(call?.spanContext() ?? trace.wrapSpanContext({} as SpanContext).spanContext()));
  t.like(spans[0]?.attributes, { 'canton_submitter.verdict': 'completed', 'canton_submitter.attempt': 1 });
});

test('what fails, what is looked at and what never ends is told; other rows are not mixed in', (t) => {
  const { emit, end } = setup();
  emit(taken(2), sent(2), taken(3, { look: true, attempts: 2 }), taken(4));
  emit(answered(2, refused('BUSY', 'for-good')), settled(2, failed));
  emit({ kind: 'looked', ...ofRow(3), found: 'dead', tookMs: 3 }, settled(3, completed));
  end();
  const failedOne = spansOf(hashOf(2));
  t.is(failedOne[0]?.status.code, SpanStatusCode.ERROR);
  t.is(named(failedOne, 'execute')?.attributes['canton_submitter.error_id'], 'BUSY');
  t.is(spansOf(hashOf(3))[0]?.name, 'look');
  t.is(named(spansOf(hashOf(3)), 'read completions')?.attributes['canton_submitter.found'], 'dead');
  t.is(spansOf(hashOf(4))[0]?.attributes['canton_submitter.verdict'], 'stopped');
});

test('a row goes on in the trace of its insert; where that is not a valid one, a new one begins', (t) => {
  const { traces, emit } = setup();
  const traceId = 'ab'.repeat(16);
  traces.inserted(
    new Map([
      ['5', `00-${traceId}-00f067aa0ba902b7-01`],
      ['6', 'not a trace'],
      ['7', `ff-${traceId}-00f067aa0ba902b7-01`],
    ]),
  );
  for (const row of [5, 6, 7]) emit(taken(row), settled(row, completed));
  const [joined, other, future] = [5, 6, 7].map((row) => spansOf(hashOf(row))[0]);
  t.is(joined?.spanContext().traceId, traceId);
  t.is(joined?.parentSpanContext?.spanId, '00f067aa0ba902b7');
  for (const one of [other, future]) t.is(one?.parentSpanContext, undefined);
});

async function traced(t: { teardown(fn: () => Promise<void>): void }, world: World): Promise<void> {
  const submitter = createSubmitter(
    loadConfig({ ...world.sandbox.env, ...SCALED, DATABASE_URL: world.db.url, TRACES: 'on' }),
  );
  t.teardown(async () => void (await submitter.stop()));
  await submitter.start();
}

test('the participant gets the trace of each transfer, and the trace of the API’s insert goes on', async (t) => {
  const world = await createWorld(t, { timeScale: 0.2, toleranceMs: 1_000_000 });
  await world.db.query('alter table mempool add column traceparent text');
  const parent = `00-${'cd'.repeat(16)}-00f067aa0ba902b7-01`;
  const users: User[] = [await world.user(), await world.user({ parties: 'external' })];
  const receiver = await world.user();
  await traced(t, world);
  const client = await world.db.pool.connect();
  const hashes: string[] = [];
  for (const from of users) {
    await client.query('begin');
    const hash = await world.insert({ from, to: receiver, client });
    await client.query('update mempool set traceparent = $1 where tx_hash = $2', [
      parent,
      Buffer.from(hash.slice(2), 'hex'),
    ]);
    await client.query('commit');
    hashes.push(hash);
  }
  client.release();
  await world.ended(hashes);
  for (const hash of hashes) {
    const [entry] = world.sandbox.audit.of(hash);
    await world.until('its span has ended', () => spansOf(hash).length > 0);
    const spans = spansOf(hash);
    t.is(entry?.traceparent, headerOf(named(spans, 'execute')?.spanContext() ?? ({} as SpanContext)));
    t.is(spans[0]?.spanContext().traceId, 'cd'.repeat(16));
  }
  t.truthy(named(spansOf(hashes[1] ?? ''), 'sign'), 'an external sender’s is prepared and signed');
});
