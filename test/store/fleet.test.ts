// What instances say of themselves, what `status` makes of it, and what of the queue a claim could take.
import test from 'ava';
import { statusText } from '../../src/cli/status/text.js';
import { blockerAdvice } from '../../src/core/advice.js';
import { dbMillis } from '../../src/core/ids.js';
import { type Beat, beat, forgetInstances } from '../../src/store/instances.js';
import { type Assessed, assess } from '../../src/store/operator/assess.js';
import { createFleetReader, lifeOf, readFleet, type Signs } from '../../src/store/operator/fleet.js';
import { type QueueStatus, readStatus } from '../../src/store/status.js';
import { createLastMinute } from '../../src/submitter/heartbeat.js';
import { pending, prepared } from './support.js';

const told: Beat = {
  instance: 'i1',
  version: '1.2.3',
  protocol: 2,
  leaseMs: 30_000,
  beatMs: 3_000,
  settings: { concurrency: 64 },
  stopped: false,
  ready: true,
  blockers: [],
  submissions: 1,
  looks: 0,
  oldestHeldAt: dbMillis(1_700_000_000_000),
  endedLastMinute: 7,
  counters: { completed: 9 },
};

test('an instance is dead once nothing of its leases can be left, and not before', (t) => {
  const signs: Signs = {
    seenAt: 0,
    stoppedAt: null,
    ready: true,
    beatMs: 3_000,
    leaseMs: 30_000,
    leaseUntil: null,
  };
  t.is(lifeOf(signs, 9_000), 'ready');
  t.is(lifeOf({ ...signs, ready: false }, 9_000), 'not-ready');
  t.is(lifeOf(signs, 9_001), 'silent', 'three heartbeats late');
  t.is(lifeOf(signs, 20_001), 'dead', 'it may have been killed right before a renewal');
  t.is(lifeOf({ ...signs, leaseUntil: 29_000 }, 28_999), 'silent', 'a lease of it still runs');
  t.is(lifeOf({ ...signs, leaseUntil: 29_000 }, 29_000), 'dead', 'and now it does not');
  t.is(lifeOf({ ...signs, stoppedAt: 1 }, 90_000), 'stopped');
  const unheard = { ...signs, seenAt: null };
  t.is(lifeOf({ ...unheard, leaseUntil: 5 }, 4), 'unregistered', 'an earlier build sends no heartbeats');
  t.is(lifeOf({ ...unheard, leaseUntil: 5 }, 5), 'dead');
});

test('the fleet: each instance as it said last, the dead with what they held and lost', async (t) => {
  const db = await prepared(t);
  await beat(db.database, 'i1/1-a', told);
  await db.query("update mempool_instances_v1 set ready_changed_at = now() - interval '1 hour'");
  await beat(db.database, 'i1/1-a', { ...told, submissions: 2 });
  const [kept] = await readFleet(db.database);
  t.like(kept, { holder: 'i1/1-a', version: '1.2.3', life: 'ready', inFlight: { submissions: 2, looks: 0 } });
  t.true(
    (kept?.seenAt ?? 0) - (kept?.readyChangedAt ?? 0) > 3_500_000,
    'since when it is ready, not since its heartbeat',
  );
  await beat(db.database, 'i1/1-a', {
    ...told,
    ready: false,
    blockers: [{ part: 'breaker', reason: 'NO_TRAFFIC' }],
  });
  await beat(db.database, 'i2/1-b', { ...told, instance: 'i2' });
  await beat(db.database, 'i3/1-c', { ...told, instance: 'i3', stopped: true });
  await db.insert({ from: 'alice' });
  await db.insert({ from: 'bob' });
  await db.claim(1, 'i2/1-b');
  await db.claim(1, 'before');
  const killed = "update mempool_instances_v1 set seen_at = now() - interval '21 s' where holder = 'i2/1-b'";
  await db.query(killed);
  const shown = async () =>
    (await readFleet(db.database)).map(({ holder, life, held, lostRows }) => [
      holder,
      life,
      held.rows,
      lostRows,
    ]);
  t.deepEqual(await shown(), [
    ['before', 'unregistered', 1, 0],
    ['i1/1-a', 'not-ready', 0, 0],
    ['i2/1-b', 'silent', 1, 0],
    ['i3/1-c', 'stopped', 0, 0],
  ]);
  await db.query("update mempool set lease_expires_at = now() - interval '1 ms' where claimed_by = 'i2/1-b'");
  t.deepEqual((await shown())[2], ['i2/1-b', 'dead', 1, 0], 'with what it held');
  t.is(await db.store.rescue(), 1);
  t.deepEqual((await shown())[2], ['i2/1-b', 'dead', 0, 1], 'with what it has lost');
  t.like(
    await db.one("select kind, number, holder, outcome from mempool_attempts_v1 where outcome = 'lost'"),
    {
      kind: 'attempt',
      number: 1,
      holder: 'i2/1-b',
    },
  );
  const status = await readStatus(db.database);
  const heard = status.fleet.find(({ holder }) => holder === 'i2/1-b')?.seenAt ?? 0;
  t.regex(
    statusText({ ...status, now: dbMillis(heard + 21_000) }),
    /^ {2}i2\/1-b +1\.2\.3 +dead +last seen 21 s ago +lost 1 row$/m,
  );
  t.regex(statusText(status), /^ {2}i1\/1-a: breaker: NO_TRAFFIC$/m);

  await db.query("update mempool_instances_v1 set seen_at = now() - interval '25 h' where holder = 'i2/1-b'");
  await forgetInstances(db.database);
  t.is((await shown()).length, 3);
});

test('a page asks what instances hold while one is going, and hardly ever else', async (t) => {
  const db = await prepared(t);
  let elapsed = 0;
  let asked = 0;
  const counting: Pick<typeof db.database, 'run'> = {
    run(statement, values) {
      if (/from mempool m/.test(statement.text)) asked += 1;
      return db.database.run(statement, values);
    },
  };
  const reader = createFleetReader(counting, { elapsed: () => elapsed });
  /** Shown as the whole fleet is, and whether it was asked what they hold. */
  const shown = async () => {
    const before = asked;
    const fleet = (await reader()).map(({ holder, life, held, lostRows }) => [
      holder,
      life,
      held.rows,
      lostRows,
    ]);
    return [...fleet, asked > before ? 'asked' : 'not asked'];
  };
  const silentFor = (seconds: number) =>
    db.query(
      `update mempool_instances_v1 set seen_at = now() - interval '${seconds} s' where holder = 'i2/1-b'`,
    );
  await beat(db.database, 'i1/1-a', told);
  await beat(db.database, 'i2/1-b', { ...told, instance: 'i2' });
  t.deepEqual(await shown(), [['i1/1-a', 'ready', 0, 0], ['i2/1-b', 'ready', 0, 0], 'asked']);
  await db.insert({ from: 'alice' });
  await db.claim(1, 'i2/1-b');
  t.deepEqual(await shown(), [['i1/1-a', 'ready', 0, 0], ['i2/1-b', 'ready', 0, 0], 'not asked']);
  elapsed += 30_000;
  t.deepEqual(await shown(), [['i1/1-a', 'ready', 0, 0], ['i2/1-b', 'ready', 1, 0], 'asked']);
  t.is((await shown()).at(-1), 'not asked');

  await silentFor(10);
  t.deepEqual((await shown()).slice(1), [['i2/1-b', 'silent', 1, 0], 'asked']);
  await silentFor(21);
  t.deepEqual((await shown()).slice(1), [['i2/1-b', 'silent', 1, 0], 'asked'], 'its lease runs');
  await silentFor(61);
  await db.query("update mempool set lease_expires_at = now() - interval '1 ms'");
  t.deepEqual((await shown()).slice(1), [['i2/1-b', 'dead', 1, 0], 'asked'], 'as long as it holds something');
  await db.store.rescue();
  t.deepEqual((await shown()).slice(1), [['i2/1-b', 'dead', 0, 1], 'asked']);
  t.deepEqual((await shown()).slice(1), [['i2/1-b', 'dead', 0, 1], 'not asked']);

  await db.insert({ from: 'bob' });
  await db.insert({ from: 'carol' });
  await db.claim(3, 'before');
  elapsed += 30_000;
  for (const _ of [1, 2])
    t.is((await shown()).at(-1), 'asked', 'an earlier build is known by what it holds alone');
});

test('a page that is opened long after a death, or where nobody is ready, sees who holds what', async (t) => {
  const db = await prepared(t);
  let ahead = 0;
  /** A database whose clock is so far ahead. */
  const later: Pick<typeof db.database, 'run'> = {
    run: async (statement, values) =>
      await db.database.run(
        { ...statement, text: statement.text.replaceAll('now()', `(now() + interval '${ahead} s')`) },
        values,
      ),
  };
  const reader = createFleetReader(later, { elapsed: () => 0 });
  const shown = async () => (await reader()).map(({ holder, life, held }) => [holder, life, held.rows]);
  const heard = async (more: Partial<Beat>) => {
    await beat(db.database, 'i1/1-a', { ...told, ...more });
    await db.query(
      "update mempool_instances_v1 set seen_at = seen_at + $1 * interval '1 s' where holder = 'i1/1-a'",
      [ahead],
    );
  };
  await heard({});
  await beat(db.database, 'i2/1-b', { ...told, instance: 'i2' });
  await shown();
  await db.insert({ from: 'alice' });
  await db.claim(1, 'i2/1-b');
  await db.query("update mempool set lease_expires_at = now() - interval '1 ms'");
  ahead = 61;
  await heard({});
  t.deepEqual((await shown())[1], ['i2/1-b', 'dead', 1]);

  await db.store.rescue();
  await shown();
  await db.claim(1, 'before');
  await db.query("update mempool set lease_expires_at = now() + interval '1 h'");
  t.is((await shown()).length, 2, 'another is ready');
  await heard({ ready: false });
  t.deepEqual((await shown())[0], ['before', 'unregistered', 1], 'what moves is of an earlier build');
});

test('heartbeats are HOT updates: no index grows by them', async (t) => {
  const db = await prepared(t);
  const client = await db.pool.connect();
  await client.query('begin');
  const session = {
    run: async ({ text }: { text: string }, values: readonly unknown[]) =>
      (await client.query(text, [...values])).rows,
  };
  for (let n = 0; n <= 10; n++) await beat(session, 'i1/1-a', { ...told, submissions: n });
  const { rows } = await client.query(
    "select n_tup_upd::int as updates, n_tup_hot_upd::int as hot from pg_stat_xact_user_tables where relname = 'mempool_instances_v1'",
  );
  await client.query('rollback');
  client.release();
  t.deepEqual(rows, [{ updates: 10, hot: 10 }]);
});

test('due: what a claim could take, apart from rows behind their sender’s first and from paused ones', async (t) => {
  const db = await prepared(t);
  for (let nonce = 1; nonce <= 3; nonce++) await db.insert({ from: 'alice', nonce });
  await db.insert({ from: 'bob' });
  await db.insert({ from: 'carol' });
  const due = async () => (await readStatus(db.database)).due;
  t.like(await due(), { claimable: 3, paused: 0 });
  await db.query("insert into mempool_pauses_v1 (scope, address, reason) values ('sender', 'bob', 'asked')");
  t.like(await due(), { claimable: 2, paused: 1 });
  const text = statusText(await readStatus(db.database));
  t.regex(text, /^ {2}waiting +5 /m);
  t.regex(text, /^ {4}claimable +2 /m);
  t.regex(text, /^ {4}paused +1$/m);
  t.regex(text, /^ {4}behind +2 {2}an earlier row of their sender$/m);
  await db.query("insert into mempool_pauses_v1 (scope, address, reason) values ('token', '70c', 'asked')");
  t.like(await due(), { claimable: 0, oldestMs: null, paused: 3 }, 'every row is of this token');
  await db.query("update mempool_pauses_v1 set scope = 'all', address = '' where scope = 'token'");
  t.like(await due(), { claimable: 0, paused: 3 });
  await db.query('delete from mempool_pauses_v1');
  const [row] = await db.claim(1);
  t.like(await due(), { claimable: 2 }, 'a row in flight holds its lane');
  if (row !== undefined) await db.settle(row, pending({ wait: 60_000 }));
  t.like(await due(), { claimable: 2 }, 'and so does one in backoff');
  await db.query("update mempool_submitter_v1 set lanes = 'off'");
  t.like(await due(), { claimable: 4 }, 'without lanes nobody waits for anybody');
  await db.query(
    "insert into mempool_pauses_v1 (scope, address, reason) values ('sender', 'carol', 'asked')",
  );
  t.like(await due(), { claimable: 3, paused: 1 });
});

const EMPTY = { rows: 0, oldestMs: null };
const quiet: QueueStatus = {
  now: dbMillis(10_000_000),
  countedAt: { queue: dbMillis(10_000_000), due: dbMillis(10_000_000) },
  queue: { waiting: EMPTY, 'in-flight': EMPTY, undecided: EMPTY, backoff: EMPTY, parked: EMPTY },
  due: { claimable: 0, oldestMs: null, paused: 0 },
  fleet: [],
  pauses: [],
  lostOften: [],
  holders: [],
  failures: [],
  parked: [],
  halted: null,
  recheck: null,
  hashingScheme: null,
  recordedElsewhere: 0,
  outcomes: null,
};
const instance = (more: Partial<QueueStatus['fleet'][number]>): QueueStatus['fleet'][number] => ({
  holder: 'i1/1-a',
  instance: 'i1',
  version: '1.2.3',
  life: 'ready',
  startedAt: dbMillis(0),
  seenAt: dbMillis(10_000_000),
  readyChangedAt: dbMillis(0),
  blockers: [],
  inFlight: { submissions: 0, looks: 0 },
  oldestHeldAt: null,
  held: { rows: 0, oldestAt: null, leaseUntil: null },
  lostRows: 0,
  endedLastMinute: 0,
  counters: {},
  settings: {},
  ...more,
});

test('what a status means: fine, a person is needed, nothing moves', (t) => {
  const state = (more: Partial<QueueStatus>) => assess({ ...quiet, ...more }).state;
  const due = { claimable: 2, oldestMs: 1_000, paused: 0 };
  const blocked = instance({ life: 'not-ready', blockers: [{ part: 'breaker', reason: 'NO_TRAFFIC' }] });
  t.is(state({}), 'fine', 'nobody is needed where there is nothing to do');
  t.is(state({ due }), 'not-moving', 'nobody is alive');
  t.is(state({ due, fleet: [instance({ life: 'dead' }), instance({ life: 'stopped' })] }), 'not-moving');
  t.is(state({ due, fleet: [blocked] }), 'not-moving', 'nobody is ready');
  t.is(state({ due, fleet: [instance({ life: 'silent' })] }), 'not-moving');
  t.is(state({ due, fleet: [instance({})] }), 'fine');
  t.is(state({ due, fleet: [instance({ life: 'dead' }), instance({})] }), 'fine', 'others have its work');
  t.is(state({ due, fleet: [instance({ life: 'unregistered' })] }), 'fine', 'an earlier build works on');
  const breaker = (id: string) => ({
    part: 'breaker',
    reason: `NOT_ENOUGH_CREDIT: NOT_ENOUGH_CREDIT(9,${id}): buy some`,
  });
  const paused = { part: 'paused', reason: 'token 0x1 (asked)' };
  const why = assess({
    ...quiet,
    due,
    fleet: ['7bb3f077', '5d288bb0'].map((id) =>
      instance({ life: 'not-ready', blockers: [paused, breaker(id)] }),
    ),
  });
  t.is(
    why.findings[0]?.what,
    '2 rows could be claimed, and no instance is ready: NOT_ENOUGH_CREDIT: buy some',
    'the same reason once, and not what keeps nobody from claiming',
  );
  const late = { ...due, oldestMs: 300_000 };
  t.is(state({ due: late, fleet: [instance({})] }), 'not-moving', 'ready, and claims nothing');
  const inFlight = { ...quiet.queue, 'in-flight': { rows: 1, oldestMs: 1 } };
  t.is(state({ due: late, queue: inFlight, fleet: [instance({})] }), 'fine', 'slow');
  const countedAt = { ...quiet.countedAt, due: dbMillis(quiet.countedAt.queue - 1) };
  t.is(state({ due: late, countedAt, fleet: [instance({})] }), 'fine', 'it may have been claimed since');

  const needs = (more: Partial<QueueStatus>) => t.is(state(more), 'needs-a-person');
  needs({ queue: { ...quiet.queue, parked: { rows: 1, oldestMs: 1 } } });
  needs({ halted: 'accepted past its bound' });
  needs({ recordedElsewhere: 1 });
  needs({ pauses: [{ scope: 'all', address: '', reason: 'upgrade', by: 'ann', since: dbMillis(0) }] });
  needs({ lostOften: [{ txHash: '0x1', times: 3 }] });
  needs({ fleet: [instance({}), blocked] });
  needs({ queue: { ...quiet.queue, undecided: { rows: 1, oldestMs: 3_600_000 } } });
  const starting = instance({ life: 'not-ready', readyChangedAt: dbMillis(9_999_000) });
  t.is(state({ fleet: [instance({}), starting] }), 'fine', 'it has only just begun');
  const both = assess({ ...quiet, due, halted: 'x' });
  t.deepEqual(
    both.findings.map(({ state }) => state),
    ['not-moving', 'needs-a-person'],
    'the worst first',
  );
  const halted = assess({ ...quiet, due, halted: 'x', fleet: [blocked] });
  t.regex(halted.findings[0]?.todo ?? '', /^resolve the halt first/, 'no instance goes on by itself');
  t.regex(
    statusText({ ...quiet, due, halted: 'x' }),
    /^NOT MOVING\n {2}2 rows could be claimed, and no instance is alive\n {4}-> start `canton-submitter run`\nNEEDS A PERSON\n/,
  );
});

test('a status says what to do about parked rows reason by reason, and about each part that blocks an instance', (t) => {
  const row = (reason: string, elsewhere = false) => ({ reason, undecided: elsewhere, elsewhere });
  const parked = [
    row('BALANCE_HELD: locked'),
    row('TAMPERED: amount'),
    row('BALANCE_HELD: on another synchronizer'),
    row('BALANCE_HELD: locked', true),
  ];
  const of = (more: Partial<Assessed>) => assess({ ...quiet, ...more }).findings;
  const [held, tampered, elsewhere, more] = of({
    queue: { ...quiet.queue, parked: { rows: 6, oldestMs: 1 } },
    parked,
  });
  t.is(held?.what, '2 rows parked: BALANCE_HELD');
  t.regex(held?.todo ?? '', /what\. Then: `canton-submitter replay --parked --error 'BALANCE_HELD:'`$/);
  t.is(tampered?.what, '1 row parked: TAMPERED');
  t.regex(tampered?.todo ?? '', /^(?!.*canton-submitter replay).*Do not replay/);
  t.is(elsewhere?.what, '1 row parked: BALANCE_HELD');
  t.regex(elsewhere?.todo ?? '', /a replay is refused.*replay --completed HASH/);
  t.is(more?.what, '2 rows parked besides');

  const blockers = (...parts: string[]) => parts.map((part) => ({ part, reason: 'why' }));
  const todo = (...parts: string[]) =>
    of({ fleet: [instance({ life: 'not-ready', blockers: blockers(...parts) })] })[0]?.todo;
  t.is(todo('schema', 'clocks'), `${blockerAdvice.schema} ${blockerAdvice.clocks}`);
  t.is(todo('of a later build'), 'Do what the reason says.');
});

test('the last minute of a count leaves out what was there a minute ago', (t) => {
  let now = 0;
  const lastMinute = createLastMinute(() => now);
  t.is(lastMinute(5), 5, 'all of it is younger than a minute');
  now = 59_000;
  t.is(lastMinute(7), 7);
  now = 60_000;
  t.is(lastMinute(9), 4, 'what was there a minute ago does not count');
  now = 130_000;
  t.is(lastMinute(9), 0);
});
