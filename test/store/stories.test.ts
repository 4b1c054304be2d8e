// How old stories are forgotten: by one instance for the fleet, little by little, and nothing but them.
import test from 'ava';
import { DAY_MS } from '../../src/core/ids.js';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { type Beat, beat } from '../../src/store/instances.js';
import { FORGET_STORIES, forgetStories } from '../../src/store/stories.js';
import { createForgetting } from '../../src/submitter/forgetting.js';
import { type Prepared, prepared } from './support.js';

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
const forget = (db: Prepared, holder: string) => forgetStories(db.database, holder, 90 * DAY_MS);

test('what is older goes, the oldest first and a thousand entries at a time; what is younger stays', async (t) => {
  const db = await prepared(t);
  await says(db, 'one');
  // As rows that were parked for long: old, and tried again not long ago.
  await rows(db, 1_000, { arrived: 100, ended: 3 });
  await rows(db, 1_001, { arrived: 95, ended: 91 });
  await rows(db, 1, { arrived: 95, ended: 94 });
  await rows(db, 3_000, { arrived: 2, ended: 1 });
  t.deepEqual(await forget(db, 'one'), { rows: 1_000, more: true });
  const { n } = await db.one<{ n: number }>(
    "select count(*)::int as n from mempool_attempts_v1 where ended_at < now() - interval '93 days'",
  );
  t.is(n, 0);
  t.deepEqual(await forget(db, 'one'), { rows: 2, more: false });
  t.deepEqual(await forget(db, 'one'), { rows: 0, more: false });
  t.is(await kept(db), 4_000);
});

test('stories of rows that are gone are kept as long as any, and cost a look nothing', async (t) => {
  const db = await prepared(t);
  await says(db, 'one');
  await rows(db, 3, { arrived: 100, ended: 99 });
  await rows(db, 20_000, { arrived: 50, ended: 49 });
  await db.query('delete from mempool');
  await db.query('vacuum analyze mempool_attempts_v1');
  const { found } = await read(db);
  t.is(found, 3);
  t.is((await forget(db, 'one')).rows, 3);
  t.is(await kept(db), 20_000);
  // The index still has the three until vacuum comes.
  const { pages, found: none } = await read(db);
  t.is(none, 0);
  t.true(pages < 20, `${pages} pages read`);
});

interface Plan {
  readonly 'Node Type': string;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly 'Actual Rows': number;
  readonly Plans?: readonly Plan[];
}

/** How many entries a batch would find, and how many pages it reads for them. */
async function read(db: Prepared): Promise<{ readonly found: number; readonly pages: number }> {
  const client = await db.pool.connect();
  try {
    await client.query('begin');
    const { rows: plans } = await client.query<{ 'QUERY PLAN': readonly [{ readonly Plan: Plan }] }>(
      `explain (analyze, buffers, format json) ${FORGET_STORIES.text}`,
      [90 * DAY_MS, 1_000],
    );
    const plan = plans[0]?.['QUERY PLAN'][0].Plan;
    const found = (one: Plan): number =>
      one['Node Type'] === 'ModifyTable' ? one['Actual Rows'] : Math.max(0, ...(one.Plans ?? []).map(found));
    if (plan === undefined) throw new Error('no plan');
    return { found: found(plan), pages: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'] };
  } finally {
    await client.query('rollback');
    client.release();
  }
}

test('one instance does it for the fleet: the one that has run longest, of those that are alive and are to forget', async (t) => {
  const db = await prepared(t);
  await rows(db, 1, { arrived: 100, ended: 99 });
  await says(db, 'earlier build', { settings: {} });
  await says(db, 'for ever', { settings: { storiesKeptDays: 0 } });
  await says(db, 'stopped', { stopped: true });
  for (const holder of ['dead', 'first', 'second']) await says(db, holder);
  await db.query("update mempool_instances_v1 set seen_at = now() - interval '61 s' where holder = 'dead'");
  for (const holder of ['earlier build', 'for ever', 'stopped', 'dead', 'second', 'unknown'])
    t.deepEqual(await forget(db, holder), { rows: 0, more: false }, holder);
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
