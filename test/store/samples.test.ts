import test from 'ava';
import { openDatabase } from '../../src/store/pool.js';
import { countShared, readSamples, sampleQueue, writeSample } from '../../src/store/samples.js';
import { readStatus } from '../../src/store/status.js';
import { scaled } from '../support/pace.js';
import { prepared } from './support.js';

const HOUR_MS = 3_600_000;

test('the queue is counted once for the whole fleet, and seldom where a count takes long', async (t) => {
  const db = await prepared(t);
  await db.insert({ from: 'alice', nonce: 1 });
  const other = openDatabase({ url: db.url });
  t.teardown(() => other.close());
  const first = await sampleQueue(db.database, HOUR_MS);
  t.like(first?.queue, { waiting: { rows: 1 }, parked: { rows: 0, oldestMs: null } });

  await db.insert({ from: 'bob', nonce: 1 });
  t.is((await sampleQueue(other, HOUR_MS))?.queue.waiting.rows, 1, 'what another has counted');
  await db.query(
    "update mempool_samples_v1 set sample = jsonb_set(sample, '{tookMs}', '0'), at = at - interval '1 s'",
  );
  t.is((await sampleQueue(other, 900))?.queue.waiting.rows, 2);
  await db.query(
    "update mempool_samples_v1 set sample = jsonb_set(sample, '{tookMs}', '50'), at = at - interval '30 s'",
  );
  await db.insert({ from: 'carol', nonce: 1 });
  t.is((await sampleQueue(other, 0))?.queue.waiting.rows, 2, 'no sooner than after 800 times as long');
  await db.query("update mempool_samples_v1 set at = at - interval '11 s'");
  t.is((await sampleQueue(other, 0))?.queue.waiting.rows, 3);
});

test('an instance shows what one has counted for all, and when; nobody has yet: it counts', async (t) => {
  const db = await prepared(t);
  await db.insert({ from: 'alice' });
  const shown = async (freshMs: number) => {
    const { queue, due, countedAt, now } = await readStatus(db.database, (over) =>
      countShared(over, freshMs),
    );
    t.true(countedAt.queue <= now && countedAt.due <= now);
    return { waiting: queue.waiting.rows, claimable: due.claimable, countedAt };
  };
  const { countedAt: first } = await shown(HOUR_MS);
  await db.insert({ from: 'bob' });
  t.like(await shown(HOUR_MS), { waiting: 1, claimable: 1, countedAt: { due: first.due } });
  await db.query(
    "update mempool_samples_v1 set at = at - interval '10 s', sample = sample || jsonb_build_object('tookMs', 1, 'dueTookMs', 1000)",
  );
  t.like(await shown(0), { waiting: 2, claimable: 1, countedAt: { due: first.due } }, 'each at its own time');
  await db.query(
    "update mempool_samples_v1 set sample = sample || jsonb_build_object('tookMs', 0, 'dueTookMs', 0)",
  );
  t.like(await shown(0), { waiting: 2, claimable: 2 });

  await db.query('delete from mempool_samples_v1');
  const counting = await db.pool.connect();
  await counting.query('begin');
  await counting.query('select pg_advisory_xact_lock(1835363696, 16)');
  t.like(await shown(0), { waiting: 2, claimable: 2 });
  await counting.query('commit');
  counting.release();
});

test('a count of what is due that fails leaves the queue as counted now, and the old count with its own time', async (t) => {
  const db = await prepared(t);
  await db.insert({ from: 'alice' });
  const hurried = openDatabase({ url: db.url, statementTimeoutMs: scaled(500) });
  t.teardown(() => hurried.close());
  const first = await countShared(hurried, 0);
  t.like(first, { queue: { waiting: { rows: 1 } }, due: { claimable: 1 } });
  await db.query("update mempool_samples_v1 set at = at - interval '10 min'");
  await db.query(
    "update mempool_samples_v1 set sample = sample || jsonb_build_object('dueAt', (sample->>'dueAt')::float8 - 600000)",
  );
  await db.insert({ from: 'bob' });

  // What only the count of what is due reads.
  const holds = await db.pool.connect();
  await holds.query('begin');
  await holds.query('lock table mempool_pauses_v1 in access exclusive mode');
  const second = await countShared(hurried, 0);
  await holds.query('rollback');
  holds.release();
  t.like(second, { queue: { waiting: { rows: 2 } }, due: { claimable: 1 } });
  t.true(second.countedAt.queue > first.countedAt.queue);
  t.true(second.countedAt.due < first.countedAt.due, 'whoever reads it sees that it is old');
});

test('what is due is counted with the queue while an old count of it would say that nothing moves', async (t) => {
  const db = await prepared(t);
  await db.insert({ from: 'alice' });
  await db.query("update mempool set available_at = now() - interval '10 min'");
  const counted = async () => {
    const { countedAt, due } = await countShared(db.database, 0);
    return { claimable: due.claimable, together: countedAt.due >= countedAt.queue };
  };
  const seldom = () =>
    db.query(
      `update mempool_samples_v1 set sample = sample || '{"tookMs": 0, "dueTookMs": 1000}', at = at - interval '1 s'`,
    );
  t.deepEqual(await counted(), { claimable: 1, together: true });
  const { countedAt } = await countShared(db.database, HOUR_MS);
  t.true(countedAt.due >= countedAt.queue, 'whoever is told of it knows that too');
  await seldom();
  await db.query("update mempool set available_at = now() + interval '1 h'");
  t.deepEqual(await counted(), { claimable: 0, together: true }, 'it has moved since');
  await db.query('update mempool set available_at = now()');
  await seldom();
  t.deepEqual(await counted(), { claimable: 0, together: false }, 'seldom, while nothing looks stuck');
});

test('while one session counts, the others show what there is', async (t) => {
  const db = await prepared(t);
  await db.insert();
  const counting = await db.pool.connect();
  await counting.query('begin');
  await counting.query('select pg_advisory_xact_lock(1835363696, 16)');
  t.is(await sampleQueue(db.database, 0), null, 'nothing has been counted yet');
  await counting.query('commit');
  counting.release();
  t.is((await sampleQueue(db.database, 0))?.queue.waiting.rows, 1);
});

test('samples are kept for an hour, and one from the future does not stop the counting', async (t) => {
  const db = await prepared(t);
  await writeSample(db.database, 'one', { completed: 1 });
  await db.query(
    `insert into mempool_samples_v1 (at, holder, sample) values (now() - interval '2 h', 'two', '{}'), (now() + interval '1 h', '', '{"queue": {}}')`,
  );
  t.truthy((await sampleQueue(db.database, HOUR_MS))?.queue.waiting);
  const { instances, queues } = await readSamples(db.database, 0);
  t.deepEqual(
    instances.map(({ sample }) => sample),
    [{ completed: 1 }],
  );
  t.is(queues.length, 1);
});
