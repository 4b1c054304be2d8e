// A database that the build before this one has migrated, and whose instances are running (P30): `migrate` takes it over
// while the API inserts and those instances claim and settle, and the two builds go on side by side.
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { settlementOf } from '../../src/protocol/settlement.js';
import { schemaProblems } from '../../src/store/check.js';
import { INSERT_PIN } from '../../src/store/migrate/first-pin.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { PROTOCOL } from '../../src/store/pins.js';
import { openDatabase } from '../../src/store/pool.js';
import { createStore } from '../../src/store/store.js';
import { freshDatabase, type TestDatabase } from '../support/postgres.js';
import {
  completed,
  idsOf,
  insertRow,
  insertUser,
  LEASE_MS,
  MIDDLEWARE,
  migrateOptions,
  prepared,
} from './support.js';

/** The steps of its two files, for LANES=sender and SAME_NONCE=pay. */
const STEPS = ['schema.sql', 'triggers.sql']
  .map((name) => readFileSync(new URL(`../fixtures/earlier-build/${name}`, import.meta.url), 'utf8'))
  .flatMap((text) => text.split(/^(?=-- @step )/m).slice(1))
  .filter((step) => !/^-- @step .*(lanes=off|same_nonce=park)/.test(step));

/** As its `migrate` did. */
async function byEarlierBuild(db: TestDatabase): Promise<void> {
  await db.query(MIDDLEWARE);
  const late = (step: string): boolean => step.startsWith('-- @step after=pin');
  for (const step of STEPS) if (!late(step)) await db.query(step);
  await db.query(INSERT_PIN, [PROTOCOL, 'sender', 60_000, 60_000, 'pay', null]);
  for (const step of STEPS) if (late(step)) await db.query(step);
}

/** Every function of ours: its body, its settings in order of their names. */
const functions = (db: TestDatabase) =>
  db.query(`select p.oid::regprocedure::text as name, p.prosrc as body, pg_get_function_result(p.oid) as result,
      (select array_agg(c order by c) from unnest(p.proconfig) c) as settings
    from pg_proc p where p.proname like 'mempool%' order by 1`);

const CLAIM =
  "select id, claim_token as token from mempool_claim_v1(false, 1, 'earlier build', 4, 30000, 0, 1, 1000, null) where answer = 'row'";
const SETTLE = `select id from mempool_settle_v1(true, $1, $2, array[1], array[null::float8], array['completed'],
  array['update'], array[5], array[null], array[null], array[true], array[null::float8], array[0])`;

test('P30 a database of the build before is taken over while its instances and the API work on it', async (t) => {
  const db = await freshDatabase(t);
  await byEarlierBuild(db);
  t.deepEqual(
    await db.query("select from pg_proc where proname = 'mempool_choose_v1'"),
    [],
    'it is the earlier build',
  );
  const settled: string[] = [];
  let inserted = 0;
  const insert = async (): Promise<void> => {
    await insertRow(db.query, { from: `sender-${inserted++}` });
  };
  await insertUser(db.query, 'sender-0');
  // Its role has the rights that its build asked for, and nobody grants it more.
  const role = `earlier_${randomInt(1e9)}`;
  await db.query(`create role ${role}; grant select, update on mempool, mempool_submitter_v1 to ${role};
    grant select on users, mempool_ended_v1 to ${role}; grant insert on mempool_submitter_audit_v1 to ${role}`);
  t.teardown(async () => void (await db.query(`drop owned by ${role}; drop role ${role}`)));
  const client = await db.pool.connect();
  await client.query(`set role ${role}`);
  const as = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await client.query(text, values)).rows;
  /** An instance of the earlier build, with the statements that it has. */
  const claimAndSettle = async (): Promise<void> => {
    for (const { id, token } of await as<{ id: string; token: string }>(CLAIM)) {
      const done = await as<{ id: string }>(SETTLE, [[id], [token]]);
      settled.push(...done.map((row) => row.id));
    }
  };
  await insert();
  const [held] = await db.query<{ id: string; token: string }>(CLAIM);
  if (held === undefined) return t.fail('nothing was claimed');

  let migrating = true;
  const migration = migrate(migrateOptions(db.url, { create: false })).finally(() => {
    migrating = false;
  });
  const work = async (): Promise<void> => {
    do {
      await insert();
      await claimAndSettle();
    } while (migrating);
  };
  await Promise.all([migration, work()]);

  // What was claimed before is settled after; the earlier build claims on; so does this one.
  settled.push(...(await as<{ id: string }>(SETTLE, [[held.id], [held.token]])).map(({ id }) => id));
  await insert();
  await claimAndSettle();
  // A pause stops it too, and what it does is told like ours.
  await insert();
  await db.query("insert into mempool_pauses_v1 (scope, address, reason) values ('all', '', 'asked')");
  const before = settled.length;
  await claimAndSettle();
  t.is(settled.length, before, 'paused');
  await db.query('delete from mempool_pauses_v1');
  await claimAndSettle();
  t.is(settled.length, before + 1);
  const told = await db.query(
    "select from mempool_attempts_v1 where holder = 'earlier build' and outcome = 'completed'",
  );
  t.true(told.length >= 3);
  client.release(true);
  const database = openDatabase({ url: db.url });
  t.teardown(() => database.close());
  t.deepEqual(await schemaProblems(database, 'sender'), []);
  await insert();
  const store = createStore(database);
  const reply = await store.claim({
    holder: 'this build',
    limit: 4,
    leaseMs: LEASE_MS,
    generation: 1n,
    sentFrom: 1n,
    windowMs: 1_000,
  });
  const rows = reply.kind === 'claimed' ? reply.rows : [];
  t.deepEqual(await store.settle(rows.map((row) => settlementOf(row, completed))), [
    { result: 'settled', laneWaits: false },
  ]);
  settled.push(...idsOf(rows));
  t.is(new Set(settled).size, settled.length, 'none twice');
  t.is(settled.length, inserted, 'and none left out');
  t.like(await db.one('select protocol, generation::int from mempool_submitter_v1'), {
    protocol: PROTOCOL,
    generation: 1,
  });
  t.deepEqual(await functions(db), await functions(await prepared(t)));
});
