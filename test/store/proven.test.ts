// A role, a session, a neighbour that differ: what the functions were proven under, they ask for.
import { randomBytes } from 'node:crypto';
import test from 'ava';
import pg from 'pg';
import { dbMillis } from '../../src/core/ids.js';
import { settlementOf } from '../../src/protocol/settlement.js';
import { lackingPrivileges } from '../../src/store/check.js';
import { createLowWater } from '../../src/store/low-water.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { type Database, openDatabase } from '../../src/store/pool.js';
import type { Statement } from '../../src/store/statements.js';
import { createStore } from '../../src/store/store.js';
import {
  aParty,
  completed,
  idsOf,
  insertUser,
  LEASE_MS,
  migrateOptions,
  type Prepared,
  pending,
  prepared,
} from './support.js';

const claim = { holder: 'h', limit: 8, leaseMs: LEASE_MS, generation: 1n, sentFrom: 1n, windowMs: 1_000 };

/** A store whose sessions begin with these settings. */
function storeWith(t: { teardown(fn: () => Promise<void>): void }, db: Prepared, options: string) {
  const url = new URL(db.url);
  url.searchParams.set('options', options);
  const database = openDatabase({ url: url.href });
  t.teardown(() => database.close());
  return createStore(database);
}

/** A store whose statements run in this isolation: as through a pooler, where what a session asked for is lost. */
function storeAt(t: { teardown(fn: () => Promise<void>): void }, db: Prepared, isolation: string) {
  const pool = new pg.Pool({ connectionString: db.url });
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  const run: Database['run'] = async <Row extends pg.QueryResultRow>(
    { text }: Statement<Row>,
    values: readonly unknown[],
  ): Promise<Row[]> => {
    const client = await pool.connect();
    try {
      await client.query(`begin isolation level ${isolation}`);
      return (await client.query<Row>(text, [...values])).rows;
    } finally {
      await client.query('rollback');
      client.release();
    }
  };
  return createStore({ ...db.database, run });
}

for (const isolation of ['repeatable read', 'serializable']) {
  test(`every statement that decides refuses to run ${isolation}: its snapshot would be older than its locks`, async (t) => {
    const db = await prepared(t);
    await db.insert({ from: 'a' });
    const claimed = await db.claimOne();
    await db.insert({ from: 'b' });
    const before = await db.query('select * from mempool order by id');
    const store = storeAt(t, db, isolation);
    const refused = { message: /needs READ COMMITTED/ };
    const record = {
      sentFrom: 1n,
      sentUntil: null,
      submissionId: 's',
      party: aParty('p'),
      sentOn: 1,
      hash: null,
    };
    await t.throwsAsync(() => store.claim(claim), refused);
    await t.throwsAsync(() => store.claimUndecided(claim), refused);
    await t.throwsAsync(() => store.writeAhead(claimed, record, 1n), refused);
    await t.throwsAsync(() => store.settle([settlementOf(claimed, completed)]), refused);
    await t.throwsAsync(() => store.renew([claimed.token], 1_000), refused);
    await t.throwsAsync(() => store.rescue(), refused);
    t.deepEqual(await db.query('select * from mempool order by id'), before);
  });
}

test('whose search_path it is, and who may create functions, changes nothing that a claim or a settlement does', async (t) => {
  const db = await prepared(t);
  const evil = (schema: string, name: string, takes: string, gives: string): string =>
    `create function ${schema}.${name}(${takes}) returns ${gives} language plpgsql as $$ begin raise exception 'not ours: ${name}'; end $$;`;
  await db.query(`create schema evil;
    ${evil('evil', 'hashtextextended', 'text, bigint', 'bigint')}
    ${evil('evil', 'hashtextextended', 'text, int', 'bigint')}
    ${evil('public', 'hashtextextended', 'text, int', 'bigint')}
    ${evil('evil', 'pg_try_advisory_xact_lock', 'bigint', 'boolean')}
    ${evil('evil', 'mempool_sender_v1', 'text', 'bigint')}
    ${evil('evil', 'mempool_stale_v1', 'public.mempool_submitter_v1, bigint', 'boolean')}
    ${evil('evil', 'now', '', 'timestamptz')}
    ${evil('evil', 'gen_random_uuid', '', 'uuid')}
    create table evil.mempool_submitter_v1 as select * from public.mempool_submitter_v1;
    create table evil.mempool_ended_v1 as select tx_hash, 'mined' as status, null as error_message, null as update_id, now() as ended_at from mempool`);
  await insertUser(db.query, 'alice');
  const id = await db.insert({ from: 'alice' });
  const store = storeWith(t, db, '-c search_path=evil,public,pg_catalog');
  const reply = await store.claim(claim);
  const [claimed] = reply.kind === 'claimed' ? reply.rows : [];
  if (claimed === undefined) return t.fail();
  t.is(claimed.row.id as string, id);
  t.deepEqual([...(await store.renew([claimed.token], 1_000)).values()], ['renewed']);
  t.deepEqual(await store.settle([settlementOf(claimed, completed)]), [
    { result: 'settled', laneWaits: false },
  ]);
});

test('every function of ours has a search_path of its own, of the schema of the tables and nothing else', async (t) => {
  const db = await prepared(t);
  const functions = await db.query<{ name: string; path: string | null; language: string }>(
    `select p.proname as name, l.lanname as language,
        (select substr(c, 13) from unnest(p.proconfig) c where c like 'search_path=%') as path
       from pg_proc p join pg_language l on l.oid = p.prolang where p.proname like 'mempool%'`,
  );
  t.true(functions.length > 15);
  for (const { name, path, language } of functions) {
    // What is SQL alone is bound when it is made, so that plans can take it apart.
    if (language === 'sql') t.true(['mempool_address_v1', 'mempool_sender_v1'].includes(name));
    else t.is(path, 'public, pg_temp', name);
  }
});

test('what sessions call of the outbox runs under what the claim runs under', async (t) => {
  const db = await prepared(t);
  const functions = await db.query<{ name: string; settings: string[] }>(
    `select p.proname as name, (select array_agg(c order by c) from unnest(p.proconfig) c) as settings from pg_proc p
      where p.proname ~ '^mempool_(claim|outbox_(claim|release|read))_v1$' order by p.proname`,
  );
  const [claim, ...outbox] = functions;
  t.true(claim?.settings.includes('enable_seqscan=off'));
  t.is(outbox.length, 3);
  for (const { name, settings } of outbox) t.deepEqual(settings, claim?.settings, name);
});

test('tables in a schema of their own: the functions find them whatever the caller looks through', async (t) => {
  const db = await prepared(t);
  const url = new URL(db.url);
  await db.query('create schema api');
  url.searchParams.set('options', '-c search_path=api');
  await migrate(migrateOptions(url.href));
  const { path } = await db.one<{ path: string[] }>(
    "select proconfig as path from pg_proc where proname = 'mempool_claim_v1' and pronamespace = 'api'::regnamespace",
  );
  t.true(path.includes('search_path=api, pg_temp'));
});

test('rows that a policy hides are not an empty queue: every statement refuses', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  await db.insert();
  const role = `svc_${randomBytes(4).toString('hex')}`;
  await db.query(`create role ${role} login;
    grant select, update on all tables in schema public to ${role};
    alter table mempool enable row level security; create policy nothing on mempool to ${role} using (false)`);
  t.teardown(async () => {
    const client = new pg.Client(db.url);
    await client.connect();
    await client.query(`drop policy nothing on mempool; drop owned by ${role}; drop role ${role}`);
    await client.end();
  });
  const client = await db.pool.connect();
  await client.query(`set role ${role}`);
  t.is((await client.query('select * from mempool')).rowCount, 0, 'as it looks');
  for (const call of [
    "mempool_claim_v1(false, 1, 'h', 1, 1000, 0, 1, 1000)",
    "mempool_claim_v1(true, 1, 'h', 1, 1000, 0, 1, 1000)",
    'mempool_rescue_v1(10)',
    'mempool_renew_v1(true, array[gen_random_uuid()], 1000)',
  ])
    await t.throwsAsync(() => client.query(`select * from ${call}`), { message: /row-level security/ }, call);
  await client.query('reset role');
  client.release();
});

test('the privileges of docs/operations.md are enough for the service', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  await db.insert();
  const role = `svc_${randomBytes(4).toString('hex')}`;
  const password = randomBytes(8).toString('hex');
  await db.query(`create role ${role} login password '${password}';
    grant select, update on mempool, mempool_submitter_v1 to ${role}; grant select on users, mempool_ended_v1 to ${role};
    grant select, insert on mempool_submitter_audit_v1 to ${role}; grant select on mempool_pauses_v1 to ${role};
    grant select, insert, update, delete on mempool_instances_v1 to ${role}; grant select, insert on mempool_attempts_v1 to ${role};
    grant select, insert, delete on mempool_samples_v1 to ${role}`);
  const url = new URL(db.url);
  url.username = role;
  url.password = password;
  const database = openDatabase({ url: url.href });
  t.teardown(async () => {
    await database.close();
    const client = new pg.Client(db.url);
    await client.connect();
    await client.query(`drop owned by ${role}; drop role ${role}`);
    await client.end();
  });
  t.deepEqual(await lackingPrivileges(database), []);
  const store = createStore(database);
  t.is((await store.pinned())?.generation, 1n);
  const reply = await store.claim(claim);
  const [claimed] = reply.kind === 'claimed' ? reply.rows : [];
  if (claimed === undefined) return t.fail();
  await store.renew([claimed.token], LEASE_MS);
  t.like(await store.settle([settlementOf(claimed, pending({ record: 'keep' }))]), [{ result: 'settled' }]);
  const look = await store.claimUndecided(claim);
  t.is(look.kind === 'claimed' && look.rows.length, 1);
  await store.rescue();
  t.true(await store.halt('late', 1));
  await db.query("update mempool_submitter_v1 set timeline = '0000FFFF'");
  t.deepEqual(await store.recheck({ generation: 2n, notBefore: dbMillis(0), oneStepTokens: [] }), {
    rows: 1,
  });
  await db.query(
    `revoke select on mempool_ended_v1, users from ${role}; grant select (evm_address) on users to ${role}`,
  );
  t.deepEqual(await lackingPrivileges(database), ['select on mempool_ended_v1']);
});

test('an empty claim begins where waiting rows begin, and searches everything again every five seconds', (t) => {
  let elapsed = 0;
  const mark = createLowWater(() => elapsed);
  t.is(mark.from(), null, 'nothing is known');
  mark.seen(1_000_000, 1_000_000);
  elapsed = 4_999;
  t.is(mark.from(), 970_000, 'some room, for what comes in behind it');
  mark.seen(500_000, 1_005_000);
  t.is(mark.from(), 500_000, 'what waits is never passed');
  elapsed = 5_000;
  t.is(mark.from(), null);
  mark.seen(1_010_000, 1_010_000);
  elapsed = 5_001;
  t.is(mark.from(), 980_000);
  mark.forget();
  t.is(mark.from(), null);
});

test('a row that comes in far behind the mark is claimed, at the latest with the next look at everything; one given back or rescued here at once', async (t) => {
  const db = await prepared(t);
  const row = async (from: string, age: string): Promise<string> => {
    const id = await db.insert({ from });
    await db.query('update mempool set available_at = now() - $2::interval where id = $1', [id, age]);
    return id;
  };
  t.deepEqual(await db.claim(), []);
  const recent = await row('recent', '20 s');
  t.deepEqual(idsOf(await db.claim()), [recent]);
  const old = await row('old', '1 hour');
  t.deepEqual(await db.claim(), [], 'behind the mark');
  const other = db.another();
  const reply = await other.claim(claim);
  t.deepEqual(reply.kind === 'claimed' && idsOf(reply.rows), [old], 'who has no mark yet finds it');
  const [claimed] = reply.kind === 'claimed' ? reply.rows : [];
  if (claimed === undefined) return t.fail();
  const meanwhile = await other.claim(claim);
  t.deepEqual(meanwhile.kind === 'claimed' && meanwhile.rows, [], 'its mark has passed the row now');
  await other.settle([settlementOf(claimed, pending())]);
  const again = await other.claim(claim);
  t.deepEqual(again.kind === 'claimed' && idsOf(again.rows), [old]);
  const passed = await other.claim(claim);
  t.deepEqual(passed.kind === 'claimed' && passed.rows, [], 'and has again');
  await db.expire(old);
  t.is(await other.rescue(), 1);
  const rescued = await other.claim(claim);
  t.deepEqual(rescued.kind === 'claimed' && idsOf(rescued.rows), [old]);
});

test('the owner may change the type of status as docs/operations.md says, and the guard is there again', async (t) => {
  const db = await prepared(t);
  await t.throwsAsync(() => db.query('alter table mempool alter column status type varchar(20)'));
  const { readFileSync } = await import('node:fs');
  const operations = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const [, sql = ''] = /```sql\n(begin;[^`]*alter column status[^`]*)```/.exec(operations) ?? [];
  t.not(sql, '');
  await db.query(sql);
  await migrate(migrateOptions(db.url));
  await db.insert();
  const claimed = await db.claimOne();
  t.is((await db.pool.query("update mempool set status = 'failed'")).rowCount, 0, 'guarded');
  t.is((await db.settle(claimed, completed)).result, 'settled');
});
