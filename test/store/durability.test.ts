// P19: what must survive a crash does, on a database whose commits are not synced by default.
import { randomBytes } from 'node:crypto';
import test from 'ava';
import pg from 'pg';
import { startPostgres } from '../../src/cli/support/throwaway-postgres.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { FAIL } from '../../src/store/operator/by-hand.js';
import { openDatabase } from '../../src/store/pool.js';
import { sampleQueue, writeSample } from '../../src/store/samples.js';
import { CANARY, RING } from '../../src/store/statements.js';
import { createStore } from '../../src/store/store.js';
import { createSubscriber, type ListenerEvent } from '../../src/store/subscriber.js';
import { scaled } from '../support/pace.js';
import { serverFolder } from '../support/server-folder.js';
import {
  aParty,
  eventually,
  insertRow,
  insertUser,
  LEASE_MS,
  migrateOptions,
  type Prepared,
  prepared,
} from './support.js';

/** Commits are not flushed, and nobody flushes them behind our back for ten seconds. */
const LAZY = { synchronous_commit: 'off', wal_writer_delay: '10000' };

async function lazyServer(t: { teardown(fn: () => Promise<void>): void }) {
  const server = await startPostgres({ settings: LAZY, parent: serverFolder() });
  t.teardown(() => server.stop());
  await migrate(migrateOptions(server.url));
  const run = async <T>(
    work: (query: (sql: string, values?: unknown[]) => Promise<never[]>) => Promise<T>,
  ): Promise<T> => {
    const client = new pg.Client(server.url);
    client.on('error', () => {});
    await client.connect();
    try {
      return await work(async (sql, values) => (await client.query(sql, values)).rows as never[]);
    } finally {
      await client.end();
    }
  };
  const database = openDatabase({ url: server.url });
  t.teardown(() => database.close());
  return {
    run,
    store: createStore(database),
    async crash() {
      await server.crash();
      await server.restart();
    },
  };
}

test('P19 the claim with its record (hosted), and the write-ahead of what was signed (external), are there after a crash right behind them', async (t) => {
  const { run, store, crash } = await lazyServer(t);
  await run(async (query) => {
    for (const from of ['claimed', 'written']) {
      await insertUser(query as never, from);
      await insertRow(query as never, { from });
    }
    await query('checkpoint');
  });
  const request = {
    holder: 'h',
    limit: 1,
    leaseMs: LEASE_MS,
    generation: 1n,
    sentFrom: 7n,
    windowMs: 30_000,
  };
  const first = await store.claim(request);
  await crash();
  if (first.kind !== 'claimed' || first.rows[0] === undefined) return t.fail();
  const { token } = first.rows[0];
  const claimed = await run((query) =>
    query("select submission_id as id from mempool where from_address = 'claimed'"),
  );
  t.deepEqual(claimed as unknown[], [{ id: token }]);

  const second = await store.claim(request);
  if (second.kind !== 'claimed' || second.rows[0] === undefined) return t.fail();
  // What is not ours is lost in this crash: it does happen here.
  await run(async (query) => {
    await query('checkpoint');
    await query("insert into users (evm_address, canton_party, fingerprint) values ('unsynced', 'x', 'f')");
  });
  const control = run((query) => query("select 1 from users where evm_address = 'unsynced'"));
  t.is((await control).length, 1);
  await crash();
  t.is((await run((query) => query("select 1 from users where evm_address = 'unsynced'"))).length, 0);

  await run((query) => query('checkpoint'));
  const ahead = {
    sentFrom: 1_234n,
    sentUntil: null,
    submissionId: 'mine',
    party: aParty('written'),
    sentOn: 1,
    hash: { bytes: new Uint8Array(32).fill(7), scheme: 2 },
  };
  t.is(await store.writeAhead(second.rows[0], ahead, 1n), 'written');
  await crash();
  const written = await run((query) =>
    query(
      "select submission_id as id, sent_from, encode(submission_hash, 'hex') as hash from mempool where from_address = 'written'",
    ),
  );
  t.deepEqual(written as unknown[], [{ id: 'mine', sent_from: '1234', hash: '07'.repeat(32) }]);
});

test('P19 off by database or by role: claim and write-ahead turn it on for their own commit, and for nothing else', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  const { token } = await db.claimOne();
  const next = await db.insert({ from: 'bob' });
  const within = (sql: string, values: unknown[]) => syncedWithin(db, sql, values);
  const writeAhead = "select mempool_write_ahead_v1(1, $1, $2, 9, 'infinity', 's', 'p', null, null, 1)";
  t.is(await within(writeAhead, [id, token]), 'on');
  t.is(await within('select 1', []), 'off');
  t.is(await within("select * from mempool_claim_v1(false, 1, 'h', 1, 1000, 0, 1, 1000)", []), 'on');
  t.truthy((await db.row(next)).claim_token);
});

test('P19 LANES=holdings: the write-ahead that reserves turns it on for its own commit', async (t) => {
  const db = await prepared(t, { lanes: 'holdings' });
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  const { token } = await db.claimOne();
  const reserve = "select mempool_reserve_v1(1, $1, $2, 9, 'infinity', 's', 'p', null, null, 1, array['a'])";
  t.is(await syncedWithin(db, reserve, [id, token]), 'on');
  t.is((await db.row(id)).submission_id, 's');
});

test('P19 a failure turns it on for its own commit, by a person too; any other outcome that is lost is looked up', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const settle = `select * from mempool_settle_v1(false, array[$1]::bigint[], array[$2]::uuid[], array[1]::bigint[], array[null]::float8[],
    array[$3], array[null], array[null]::bigint[], array['why'], array[null], array[true], array[null]::float8[], array[0])`;
  for (const [kind, synced] of [
    ['failed', 'on'],
    ['pending', 'off'],
    ['completed', 'off'],
  ] as const) {
    const id = await db.insert();
    const { token } = await db.claimOne();
    t.is(await syncedWithin(db, settle, [id, token, kind]), synced, kind);
    t.is((await db.row(id)).status, kind);
    await db.query("update mempool set available_at = 'infinity' where id = $1", [id]);
  }
  const hash = randomBytes(32);
  await db.insert({ hash });
  t.is(await syncedWithin(db, FAIL.text, [hash, 'cancelled', 'ann@ops']), 'on', 'fail');
  t.is((await db.one('select status from mempool where tx_hash = $1', [hash])).status, 'failed');
});

test('P19 notifications that wake others are not flushed, nor do they wait for a standby', async (t) => {
  const db = await prepared(t);
  const client = await db.pool.connect();
  for (const [statement, values] of [
    [CANARY, ['c:one:1']],
    [RING, ['', 1]],
  ] as const) {
    await client.query('begin');
    await client.query(statement.text, [...values]);
    const { rows } = await client.query("select current_setting('synchronous_commit') as now");
    t.deepEqual(rows, [{ now: 'off' }]);
    await client.query('commit');
  }
  client.release();
});

/** Whether the commit of this statement is flushed, in a session that has it off. */
async function syncedWithin(db: Prepared, sql: string, values: unknown[]): Promise<unknown> {
  const client = await db.pool.connect();
  await client.query('set synchronous_commit = off; begin');
  await client.query(sql, values);
  const { rows } = await client.query("select current_setting('synchronous_commit') as now");
  await client.query('commit; reset synchronous_commit');
  client.release();
  return rows[0]?.now;
}

test('P19 a synchronous standby that is gone: what says nothing of money commits without it, and leaves no backend behind', async (t) => {
  const server = await startPostgres({ parent: serverFolder() });
  t.teardown(() => server.stop());
  await migrate(migrateOptions(server.url));
  const database = openDatabase({
    url: server.url,
    poolSize: 2,
    applicationName: 'ours',
    statementTimeoutMs: scaled(2_000),
  });
  t.teardown(() => database.close());
  const store = createStore(database);
  const admin = new pg.Client(server.url);
  admin.on('error', () => {});
  await admin.connect();
  t.teardown(async () => void admin.end());
  const waiting = (who: string) =>
    admin.query('select pid from pg_stat_activity where application_name = $1 and wait_event = $2', [
      who,
      'SyncRep',
    ]);
  await admin.query("alter system set synchronous_standby_names = 'gone'");
  await admin.query('select pg_reload_conf()');
  // It does wait for whoever waits for it.
  const control = new pg.Client({ connectionString: server.url, application_name: 'control' });
  control.on('error', () => {});
  await control.connect();
  const commits = async (): Promise<void> => {
    for (;;) await control.query('create table if not exists c (); drop table c');
  };
  commits().catch(() => {});
  await eventually(
    async () => (await waiting('control')).rows.length,
    (count) => count === 1,
  );

  const events: ListenerEvent[] = [];
  const subscriber = createSubscriber({
    listenUrl: server.url,
    database,
    instance: 'one',
    canaryIntervalMs: 20,
    emit: (event) => events.push(event),
  });
  t.teardown(() => subscriber.stop());
  await subscriber.start(() => {});
  await eventually(
    async () => events.filter((event) => event.kind === 'canary').length,
    (count) => count >= 5,
  );
  await store.ring('bell');
  await store.ring('handoff');
  await writeSample(database, 'one', {});
  t.truthy(await sampleQueue(database, 0));
  await store.advanceMarks({ generation: 1n, ledgerEnd: 7n, mark: null, oldMark: null });
  t.true(events.every((event) => event.kind !== 'canary' || event.tookMs !== null));
  t.deepEqual((await waiting('ours')).rows, []);
  // And the API, where it does not wait for the standby, does not wait for our notifications either.
  await admin.query('set synchronous_commit = local');
  await insertRow((async (sql: string, values: unknown[]) => (await admin.query(sql, values)).rows) as never);
  await admin.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'control'",
  );
});
