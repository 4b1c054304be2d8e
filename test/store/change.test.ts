// What changes under running instances, and what a killed migration leaves behind (P30).
import test from 'ava';
import { schemaProblems } from '../../src/store/check.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { openDatabase } from '../../src/store/pool.js';
import { freshDatabase, type TestDatabase } from '../support/postgres.js';
import { completed, idsOf, LEASE_MS, MIDDLEWARE, migrateOptions, prepared, until } from './support.js';

const pin = (db: TestDatabase) =>
  db.one<{ generation: string; lanes: string; protocol: number }>('select * from mempool_submitter_v1');

test('P30 create index killed half-way leaves an invalid one: it is seen, dropped and built again', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  const writer = await db.pool.connect();
  const said: string[] = [];
  const say = (line: string): void => {
    said.push(line);
  };
  // A transaction of before, which `create index concurrently` waits for; with a lock that lets columns be added.
  await writer.query('begin isolation level repeatable read; create temp table x ()');
  const first = migrate(migrateOptions(db.url, { say }));
  const building =
    "select pid from pg_stat_activity where datname = current_database() and query ~* '-- index .*create' and wait_event_type = 'Lock'";
  await until(db.query, building);
  await db.query(`select pg_terminate_backend(pid) from (${building}) b`);
  await t.throwsAsync(() => first);
  await writer.query('rollback');
  writer.release();
  const invalid = 'select indexrelid::regclass::text as name from pg_index where not indisvalid';
  t.is((await db.query(invalid)).length, 1);

  const database = openDatabase({ url: db.url });
  t.teardown(() => database.close());
  t.true((await schemaProblems(database, 'sender')).some((problem) => problem.endsWith('is invalid')));
  await migrate(migrateOptions(db.url, { say }));
  t.true(said.some((line) => line.includes('was left invalid')));
  t.deepEqual(await db.query(invalid), []);
  t.deepEqual(await schemaProblems(database, 'sender'), []);
});

test('P30 whatever migrate makes and is missing is a problem that run reads', async (t) => {
  const db = await prepared(t);
  await db.query('alter table mempool disable trigger mempool_guard_v1');
  await db.query('drop function mempool_rescue_v1');
  await db.query('drop index mempool_lane_v2');
  t.deepEqual([...(await schemaProblems(db.database, 'sender'))].sort(), [
    'function mempool_rescue_v1 is missing',
    'index mempool_lane_v2 is missing',
    'trigger mempool_guard_v1 is missing or disabled',
  ]);
  t.true((await schemaProblems(db.database, 'off')).includes('index mempool_claimed_v1 is missing'));
});

const claimAs = (db: Awaited<ReturnType<typeof prepared>>, generation: bigint) =>
  db.store.claim({ holder: 'odd', limit: 8, leaseMs: LEASE_MS, generation, sentFrom: 1n, windowMs: 1 });

test('P30 LANES turned off under running instances: the odd one claims nothing, two rows of a sender go out', async (t) => {
  const db = await prepared(t);
  for (const nonce of [1, 2, 3]) await db.insert({ nonce });
  const held = await db.claimOne();
  await migrate(migrateOptions(db.url, { changes: { lanes: 'off' } }));
  t.like(await pin(db), { generation: '2', lanes: 'off' });
  t.deepEqual(await claimAs(db, 1n), { kind: 'stale' });
  t.is((await db.claim()).length, 2);
  t.is((await db.settle(held, completed)).result, 'settled', 'what was in flight ends as it should');
  t.deepEqual(await schemaProblems(db.database, 'off'), []);
  await migrate(migrateOptions(db.url));
  t.is((await pin(db)).lanes, 'off', 'what is not set stays as it is pinned');
});

test('P30 LANES turned on while two rows of a sender are in flight: no third goes out, the index waits for them', async (t) => {
  const db = await prepared(t, { lanes: 'off' });
  for (const nonce of [1, 2, 3]) await db.insert({ nonce });
  const held = await db.claim(2);
  const said: string[] = [];
  let waiting = (): void => {};
  const waits = new Promise<void>((resolve) => {
    waiting = resolve;
  });
  const turning = migrate(
    migrateOptions(db.url, {
      changes: { lanes: 'sender' },
      say: (line) => {
        said.push(line);
        if (line.includes('waiting for earlier claims')) waiting();
      },
    }),
  );
  await waits;
  t.like(await pin(db), { generation: '2', lanes: 'sender' });
  t.deepEqual(await claimAs(db, 1n), { kind: 'stale' });
  t.deepEqual(await db.claim(), [], 'the lane is held');
  for (const one of held) await db.settle(one, completed);
  await turning;
  t.deepEqual(await schemaProblems(db.database, 'sender'), []);
  t.is(idsOf(await db.claim()).length, 1);
});

test('P30 two protocol versions: migrate raises the number and the generation, an older one refuses a newer database', async (t) => {
  const db = await prepared(t);
  await db.query('update mempool_submitter_v1 set protocol = 0');
  await db.insert();
  await migrate(migrateOptions(db.url));
  t.like(await pin(db), { protocol: 2, generation: '2' });
  t.deepEqual(await claimAs(db, 1n), { kind: 'stale' });
  await db.query('update mempool_submitter_v1 set protocol = 99');
  await t.throwsAsync(() => migrate(migrateOptions(db.url)), { message: /newer/ });
});
