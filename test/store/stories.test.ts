// How old stories are forgotten: by one instance for the fleet, little by little, and nothing but them.
import test from 'ava';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { type Beat, beat } from '../../src/store/instances.js';
import { forgetStories } from '../../src/store/stories.js';
import { createForgetting } from '../../src/submitter/forgetting.js';
import { type Prepared, prepared } from './support.js';

const DAY_MS = 86_400_000;

const says = (db: Prepared, instance: string, more: Partial<Beat> = {}) =>
  beat(db.database, instance, {
    instance,
    version: '1.2.3',
    protocol: 2,
    leaseMs: 30_000,
    beatMs: 3_000,
    settings: { storiesKeptDays: 90 },
    stopped: false,
    ready: true,
    blockers: [],
    submissions: 0,
    looks: 0,
    oldestHeldAt: null,
    endedLastMinute: 0,
    counters: {},
    ...more,
  });

/** Rows that arrived so many days ago, with an entry each that ended so many days ago. */
const rows = (db: Prepared, count: number, { arrived, ended }: { arrived: number; ended: number }) =>
  db.query(
    `with rows as (
       insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data, created_at)
       select sha256(random()::text::bytea), 'a' || n, 'c', 'b', 1, '', '\\x01', now() - $2 * interval '1 day' from generate_series(1, $1::int) n
       returning id, tx_hash)
     insert into mempool_attempts_v1 (row_id, tx_hash, kind, number, outcome, ended_at)
     select id, tx_hash, 'attempt', 1, 'retry', now() - $3 * interval '1 day' from rows order by id`,
    [count, arrived, ended],
  );
const kept = async (db: Prepared): Promise<number> =>
  (await db.one<{ n: number }>('select count(*)::int as n from mempool_attempts_v1')).n;
const forget = (db: Prepared, holder: string, after: string | null = null) =>
  forgetStories(db.database, { holder, olderThanMs: 90 * DAY_MS, after });

test('what is older goes, from the oldest row on and a thousand entries at a time; what is younger stays', async (t) => {
  const db = await prepared(t);
  await says(db, 'one');
  // As rows that were parked for long: old, and tried again not long ago.
  await rows(db, 1_000, { arrived: 100, ended: 3 });
  await rows(db, 1_001, { arrived: 95, ended: 91 });
  await rows(db, 3_000, { arrived: 2, ended: 1 });
  const removed: number[] = [];
  let after: string | null = null;
  do {
    const batch: Awaited<ReturnType<typeof forget>> = await forget(db, 'one', after);
    removed.push(batch.rows);
    after = batch.next;
  } while (after !== null);
  t.deepEqual(removed, [0, 1_000, 1], 'and no further, since nothing after it can be old');
  t.is(await kept(db), 4_000);
  t.deepEqual(await forget(db, 'one', '100000'), { rows: 0, next: null }, 'past the end');
});

test('rows that are gone do not keep their stories, nor those behind them', async (t) => {
  const db = await prepared(t);
  await says(db, 'one');
  await rows(db, 1_500, { arrived: 100, ended: 99 });
  await db.query('delete from mempool');
  const { next } = await forget(db, 'one');
  t.is((await forget(db, 'one', next)).rows, 500);
  t.is(await kept(db), 0);
});

test('a batch of young entries whose last row is gone does not end the search', async (t) => {
  const db = await prepared(t);
  await says(db, 'one');
  await rows(db, 1_000, { arrived: 100, ended: 3 });
  await db.query('delete from mempool');
  await rows(db, 5, { arrived: 100, ended: 99 });
  const { next } = await forget(db, 'one');
  t.is((await forget(db, 'one', next)).rows, 5);
  t.is(await kept(db), 1_000);
});

test('one instance does it for the fleet: the one that has run longest, of those that are alive and are to forget', async (t) => {
  const db = await prepared(t);
  await rows(db, 1, { arrived: 100, ended: 99 });
  await says(db, 'earlier build', { settings: {} });
  await says(db, 'for ever', { settings: { storiesKeptDays: 0 } });
  await says(db, 'stopped', { stopped: true });
  for (const holder of ['dead', 'first', 'second']) await says(db, holder);
  await db.query("update mempool_instances_v1 set seen_at = now() - interval '61 s' where holder = 'dead'");
  for (const holder of ['earlier build', 'for ever', 'stopped', 'dead', 'second', 'unknown'])
    t.deepEqual(await forget(db, holder), { rows: 0, next: null }, holder);
  t.is((await forget(db, 'first')).rows, 1);
});

test('what keeps it from forgetting is a warning, and no fault; with STORIES_KEPT_DAYS=0 it asks nothing', async (t) => {
  const db = await prepared(t);
  await says(db, 'one');
  await db.query('alter table mempool_attempts_v1 rename to elsewhere');
  const told = new Promise<SubmitterEvent>((resolve) => {
    const forever = createForgetting({ holder: 'one', storiesKeptDays: 0 }, db.database, resolve);
    forever.start();
    const forgetting = createForgetting({ holder: 'one', storiesKeptDays: 90 }, db.database, resolve);
    forgetting.start();
    t.teardown(() => forgetting.stop());
  });
  const event = await told;
  t.is(event.kind, 'warning');
  t.regex(
    event.kind === 'warning' ? event.what : '',
    /STORIES_KEPT_DAYS are not removed.*mempool_attempts_v1/,
  );
});
