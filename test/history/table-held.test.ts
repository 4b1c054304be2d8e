// Somebody works on the whole table while an instance has to change the pinned row.
import test from 'ava';
import { TableHeld } from '../../src/core/errors.js';
import { createPinLock, PIN_LOCK } from '../../src/store/pin-lock.js';
import { openDatabase } from '../../src/store/pool.js';
import { eventually } from '../store/support.js';
import { type Local, startLocal } from '../support/local.js';
import { PATIENT } from '../support/paced-sandbox.js';
import { migratedDatabase } from '../support/postgres.js';
import { createWorld } from '../support/world.js';

test('P20 a table held as VACUUM holds it after a failover: no insert waits, the reason names who it is, and it goes on by itself', async (t) => {
  const world = await createWorld(t, PATIENT);
  const [alice, bob] = [await world.user(), await world.user()];
  const vacuum = await world.db.pool.connect();
  await vacuum.query("begin; update mempool_submitter_v1 set timeline = '000000FF'; commit");
  await vacuum.query('begin; lock table mempool in share update exclusive mode');
  const {
    rows: [{ pid } = { pid: 0 }],
  } = await vacuum.query<{ pid: number }>('select pg_backend_pid() as pid');
  const locals = await Promise.all([1, 2, 3].map(() => startLocal(t, world)));
  const reason = (local: Local): string =>
    local.health().blockers.find(({ part }) => part === 'pins')?.reason ?? '';
  await world.until('each says for whom it waits', () =>
    locals.every((local) => reason(local).includes(`(pid ${pid})`)),
  );
  for (const local of locals)
    t.regex(reason(local), /^waits for .* before rows can be looked up after the failover$/);
  const inserter = await world.db.pool.connect();
  await inserter.query("set lock_timeout = '1s'");
  const checked = (): number =>
    locals.flatMap(({ events }) => events).filter((event) => event.kind === 'woken').length;
  const before = checked();
  for (let nonce = 0; nonce < 10; nonce++) {
    await world.insert({ from: alice, to: bob, nonce, client: inserter });
    await world.until('they have polled', () => checked() > before + 2 * nonce);
  }
  inserter.release();
  t.false(
    locals.some(({ events }) => events.some((event) => event.kind === 'database')),
    'the database is not away',
  );
  await vacuum.query('commit');
  vacuum.release();
  await world.until('all are ready', () => locals.every((local) => local.health().ready));
  const alarms = locals.flatMap(({ events }) => events).filter((event) => event.kind === 'alarm');
  t.is(alarms.length, 1, 'one has rechecked');
});

test('P20 a transaction that was waited for in vain is not waited for again at once, but when it has ended, or some time has passed', async (t) => {
  const db = await migratedDatabase(t);
  const database = openDatabase({ url: db.url });
  t.teardown(() => database.close());
  let now = 0;
  let tries = 0;
  const counted = {
    ...database,
    transaction: ((work) => {
      tries += 1;
      return database.transaction(work);
    }) as typeof database.transaction,
  };
  const alone = createPinLock(counted, () => now);
  const take = () => alone('it can be done', async () => 'done');
  const writer = await db.pool.connect();
  await writer.query('begin; delete from mempool');
  for (const [at, made] of [
    [0, 1],
    [14_999, 1],
    [15_000, 2],
    [29_999, 2],
  ] as const) {
    now = at;
    const { message } = (await t.throwsAsync(take, { instanceOf: TableHeld })) ?? { message: '' };
    t.regex(message, /^waits for begin; delete from mempool \(pid \d+\), .* before it can be done$/);
    t.is(tries, made, `at ${at}`);
  }
  await writer.query('rollback');
  writer.release();
  t.is(await take(), 'done');
});

test('P20 an instance that changes the pinned row has its turn: the others wait for that, and not for the table', async (t) => {
  const db = await migratedDatabase(t);
  const database = openDatabase({ url: db.url });
  t.teardown(() => database.close());
  const alone = createPinLock(database);
  const take = () => alone('it can be done', async () => 'done');
  const other = await db.pool.connect();
  await other.query(`begin; select pg_advisory_xact_lock(1835363696, 5); ${PIN_LOCK}`);
  const taking = take();
  const waiting = async (): Promise<string[]> => {
    const rows = await db.query<{ on: string }>(
      `select locktype as on from pg_locks where not granted
        and database = (select oid from pg_database where datname = current_database())`,
    );
    return rows.map(({ on }) => on);
  };
  t.deepEqual(await eventually(waiting, (on) => on.length > 0), ['advisory']);
  await other.query('commit');
  t.is(await taking, 'done');
  await other.query(`begin; select pg_advisory_xact_lock(1835363696, 5); ${PIN_LOCK}`);
  await t.throwsAsync(take, {
    instanceOf: TableHeld,
    message: /^waits for another instance, .* it can be done$/,
  });
  await other.query('commit');
  other.release();
});
