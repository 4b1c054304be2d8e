import test from 'ava';
import { Subject } from 'rxjs';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { cached, type QueueSnapshot } from '../../src/observe/queue.js';
import { PROTOCOL } from '../../src/protocol/version.js';
import {
  accepted,
  answered,
  claimed,
  completed,
  failed,
  fenced,
  parked,
  pending,
  refused,
  settled,
  taken,
} from './samples.js';

const EMPTY: QueueSnapshot = {
  now: 0,
  queue: {},
  due: { claimable: 0, oldestMs: null, paused: 0 },
  pauses: [],
};

function setup(snapshot: () => Promise<QueueSnapshot> = async () => EMPTY) {
  const events$ = new Subject<SubmitterEvent>();
  let now = 0;
  const metrics = createMetrics({
    events$,
    queue: snapshot,
    clock: { elapsed: () => now },
    version: '1.2.3',
  });
  return {
    emit: (...events: SubmitterEvent[]) => {
      for (const event of events) events$.next(event);
    },
    elapse: (ms: number) => {
      now += ms;
    },
    /** The value of one series, by its name and labels as they are written. */
    async value(series: string): Promise<number | undefined> {
      const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
    text: () => metrics.text(),
  };
}

test('a row is counted once at each step of its way', async (t) => {
  const { emit, value, elapse } = setup();
  emit({ kind: 'woken', by: 'bell' }, claimed(1), taken(1), {
    kind: 'sent',
    id: '1',
    txHash: '0x',
    submissionId: 's',
  } as SubmitterEvent);
  t.is(await value('canton_submitter_in_flight{kind="submission"}'), 1);
  elapse(7_000);
  emit(answered(1, accepted), settled(1, completed));
  t.is(await value('canton_submitter_wakeups_total{reason="bell"}'), 1);
  t.is(await value('canton_submitter_claimed_rows_total{kind="fresh",reason="bell"}'), 1);
  t.is(await value('canton_submitter_insert_to_claim_seconds_count'), 1);
  t.is(await value('canton_submitter_submissions_total'), 1);
  t.is(await value('canton_submitter_outcomes_total{outcome="accepted",error_id=""}'), 1);
  t.is(await value('canton_submitter_call_duration_seconds_sum{outcome="accepted"}'), 7);
  t.is(
    await value('canton_submitter_settle_duration_seconds_count{verdict="completed",result="settled"}'),
    1,
  );
  t.is(await value('canton_submitter_in_flight{kind="submission"}'), 0);
  // The old submitter's names, for the dashboards that know them.
  t.is(await value('api_server_ethrpc_submitter_entries_fetched_count'), 1);
  t.is(await value('api_server_ethrpc_submitter_entries_processed_total{outcome="completed"}'), 1);
  t.is(await value('api_server_ethrpc_submitter_entry_process_duration_seconds_sum{outcome="completed"}'), 7);
  t.is(await value('api_server_ethrpc_submitter_canton_transfer_duration_seconds_count{outcome="ok"}'), 1);
});

test('what did not go well is told apart', async (t) => {
  const { emit, value } = setup();
  emit(
    taken(1),
    answered(1, refused('CONTRACT_NOT_FOUND')),
    settled(1, pending()),
    taken(2),
    settled(2, pending({ attempts: -1 })),
    taken(3),
    answered(3, { kind: 'unknown', detail: 'no answer' }),
    settled(3, pending({ record: 'keep', wait: 'now' })),
    taken(4),
    settled(4, pending({ wait: 'parked' })),
    parked(4, 'UNKNOWN_TOKEN: 0x is not in TOKENS_FILE'),
    taken(5),
    settled(5, completed, 'fenced'),
    fenced(5, 'settle'),
    taken(6),
    settled(6, failed, { refused: 'invalid byte' }),
    claimed(2, 'poll'),
    claimed(3, 'poll', true),
    { kind: 'rescued', rows: 4 },
  );
  const verdict = (name: string, result = 'settled'): Promise<number | undefined> =>
    value(`canton_submitter_settle_duration_seconds_count{verdict="${name}",result="${result}"}`);
  t.deepEqual(
    await Promise.all([
      verdict('retry'),
      verdict('released'),
      verdict('undecided'),
      verdict('parked'),
      verdict('completed', 'fenced'),
      verdict('failed', 'refused'),
    ]),
    [1, 1, 1, 1, 1, 1],
  );
  t.is(await value('canton_submitter_outcomes_total{outcome="refused",error_id="CONTRACT_NOT_FOUND"}'), 1);
  t.is(await value('canton_submitter_parked_total{code="UNKNOWN_TOKEN"}'), 1);
  t.is(await value('canton_submitter_fenced_total{during="settle"}'), 1);
  t.is(await value('canton_submitter_fenced_total{during="renew"}'), 0);
  t.is(await value('canton_submitter_rows_found_by_poll_total'), 2, 'looks are the poll’s own business');
  t.is(await value('canton_submitter_rescued_rows_total'), 4);
  t.is(await value('canton_submitter_in_flight{kind="submission"}'), 0);
  t.is(await value('api_server_ethrpc_submitter_entries_processed_total{outcome="transient_retry"}'), 3);
  t.is(await value('api_server_ethrpc_submitter_entries_processed_total{outcome="completed"}'), 0);
  t.is(await value('api_server_ethrpc_submitter_canton_transfer_errors_total{category="timeout"}'), 1);
  t.is(await value('api_server_ethrpc_submitter_db_write_errors_total{kind="fail"}'), 1);
});

test('the state of the process shows in gauges', async (t) => {
  const { emit, value } = setup();
  t.is(
    await value(
      `canton_submitter_build_info{version="1.2.3",protocol="${PROTOCOL}",node="${process.version}"}`,
    ),
    1,
  );
  t.is(await value('canton_submitter_ready'), 0);
  emit({ kind: 'ready' }, { kind: 'canary', tookMs: 4 });
  t.is(await value('canton_submitter_ready'), 1);
  t.is(await value('canton_submitter_listener_proven'), 1);
  emit(
    { kind: 'not-ready', blockers: [{ part: 'pins', reason: 'x' }] },
    { kind: 'canary', tookMs: null },
    { kind: 'breaker', state: 'open', key: null, reason: 'r' },
    { kind: 'breaker', state: 'open', key: 'sender:a', reason: 'r' },
    { kind: 'fault', where: 'renew', error: new Error('x') },
    { kind: 'alarm', what: 'x', txHash: null },
  );
  t.is(await value('canton_submitter_ready'), 0);
  t.is(await value('canton_submitter_blocked{part="pins"}'), 1);
  t.is(await value('canton_submitter_listener_proven'), 0);
  t.is(await value('canton_submitter_canaries_missed_total'), 1);
  t.is(await value('canton_submitter_breaker_state{state="open"}'), 1);
  t.is(await value('canton_submitter_breaker_state{state="closed"}'), 0);
  t.is(await value('canton_submitter_breaker_open_keys'), 1);
  t.is(await value('canton_submitter_database_write_errors_total{during="renew"}'), 1);
  t.is(await value('canton_submitter_alarms_total'), 1);
});

test('a pause is a part of its own, which leaves the instance ready', async (t) => {
  const { emit, value } = setup();
  const paused = 'canton_submitter_blocked{part="paused"}';
  emit({ kind: 'ready' });
  t.is(await value(paused), 0);
  emit({ kind: 'paused', parts: [{ scope: 'all', address: '', reason: 'upgrade' }] });
  t.is(await value(paused), 1);
  t.is(await value('canton_submitter_ready'), 1);
  emit({ kind: 'paused', parts: [] });
  t.is(await value(paused), 0);
});

test('an outage is not counted as a fault, but where the statement is tried again', async (t) => {
  const { emit, value } = setup();
  emit({ kind: 'fault', where: 'claim', error: new StoreUnavailable('away') });
  t.is(await value('canton_submitter_faults_total{where="claim"}'), undefined);
  t.is(await value('canton_submitter_database_write_errors_total{during="claim"}'), 1);
  emit({ kind: 'fault', where: 'claim', error: new Error('a bug') });
  t.is(await value('canton_submitter_faults_total{where="claim"}'), 1);
});

test('error ids come from another machine and cannot fill the memory', async (t) => {
  const { emit, text } = setup();
  for (let i = 0; i < 500; i++)
    emit(answered(i, refused(`MADE_UP_${i}`)), answered(i, refused(`{"<script>${i}`)));
  const series = (await text())
    .split('\n')
    .filter((line) => line.startsWith('canton_submitter_outcomes_total{outcome="refused"'));
  t.true(series.length <= 102);
  t.true(series.some((line) => line.includes('error_id="other"') && line.endsWith(' 900')));
});

test('the queue is what the database says at the scrape; an unreadable one shows no figures of before', async (t) => {
  let broken = false;
  const { text } = setup(async () => {
    if (broken) throw new Error('away');
    return {
      now: 10_000,
      queue: { waiting: { rows: 3, oldestMs: 1_500 }, parked: { rows: 1, oldestMs: null } },
      due: { claimable: 1, oldestMs: 500, paused: 2 },
      pauses: [{ since: 4_000 }, { since: 9_000 }],
    };
  });
  // Each within one scrape: what it shows must not be what the one before has asked for.
  const scrape = async () => {
    const lines = (await text()).split('\n');
    return (name: string): number | undefined => {
      const line = lines.find((one) => one.startsWith(`${name} `));
      return line === undefined ? undefined : Number(line.slice(name.length + 1));
    };
  };
  let scraped = await scrape();
  t.is(scraped('canton_submitter_queue_readable'), 1);
  t.is(scraped('canton_submitter_rows{state="waiting"}'), 3);
  t.is(scraped('canton_submitter_oldest_seconds{state="waiting"}'), 1.5);
  t.is(scraped('api_server_ethrpc_submitter_pending_backlog'), 4);
  t.is(scraped('canton_submitter_claimable_rows'), 1);
  t.is(scraped('canton_submitter_claimable_oldest_seconds'), 0.5);
  t.is(scraped('canton_submitter_paused_rows'), 2);
  t.is(scraped('canton_submitter_paused_seconds'), 6);
  broken = true;
  scraped = await scrape();
  t.is(scraped('canton_submitter_rows{state="waiting"}'), undefined);
  t.is(scraped('canton_submitter_claimable_oldest_seconds'), undefined);
  t.is(scraped('canton_submitter_paused_seconds'), undefined);
  t.is(scraped('api_server_ethrpc_submitter_pending_backlog'), undefined);
  t.is(scraped('canton_submitter_queue_readable'), 0);
});

test('however many scrape, the database is asked once a second', async (t) => {
  let now = 0;
  let asked = 0;
  let fails = false;
  const source = cached(
    async () => {
      asked += 1;
      if (fails) throw new Error('away');
      return EMPTY;
    },
    { elapsed: () => now },
  );
  await Promise.all([source(), source(), source()]);
  now = 999;
  await source();
  t.is(asked, 1);
  now = 1_000;
  fails = true;
  await t.throwsAsync(source());
  fails = false;
  await source();
  t.is(asked, 3, 'a failure is not kept');
});

test('two submitters in one process keep their figures apart', async (t) => {
  const [a, b] = [setup(), setup()];
  a.emit({ kind: 'rescued', rows: 2 });
  t.is(await a.value('canton_submitter_rescued_rows_total'), 2);
  t.is(await b.value('canton_submitter_rescued_rows_total'), 0);
});

test('rows that share their nonce are counted once, and those set aside for it by their reason', async (t) => {
  const { emit, value } = setup();
  const shares = (attempts: number): SubmitterEvent =>
    ({ ...taken(1, { attempts }), nonceShared: true }) as SubmitterEvent;
  emit(shares(1), shares(2), taken(2), parked(3, 'SAME_NONCE: used'));
  t.is(await value('canton_submitter_same_nonce_total'), 1);
  t.is(await value('canton_submitter_parked_total{code="SAME_NONCE"}'), 1);
});
