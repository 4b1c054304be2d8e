// The same transfer again (I4): by a copy of the database, after its row is gone, under another hash of its nonce, by the
// submitter before ours.
import { randomBytes } from 'node:crypto';
import test from 'ava';
import pg from 'pg';
import { ConfigError } from '../../src/core/errors.js';
import { dbMillis } from '../../src/core/ids.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { complete } from '../../src/store/operator/complete.js';
import { enqueue } from '../../src/store/operator/enqueue.js';
import { forceNew, previewForceNew } from '../../src/store/operator/force-new.js';
import { prune } from '../../src/store/operator/prune.js';
import { recheckByHand } from '../../src/store/operator/recheck-by-hand.js';
import { openDatabase } from '../../src/store/pool.js';
import { createStore } from '../../src/store/store.js';
import { databaseAt, freshDatabase, type TestDatabase } from '../support/postgres.js';
import {
  completed,
  failed,
  idsOf,
  insertRow,
  insertUser,
  LEASE_MS,
  MIDDLEWARE,
  migrateOptions,
  type Prepared,
  pending,
  prepared,
  until,
} from './support.js';

const claim = { holder: 'h', limit: 8, leaseMs: LEASE_MS, generation: 1n, sentFrom: 1n, windowMs: 1_000 };
const request = { generation: 1n, notBefore: dbMillis(0), oneStepTokens: ['0x70C'] };

/** As the API puts it in, and as `enqueue` does. */
const again = (db: Prepared, hash: Uint8Array, from = 'alice') =>
  enqueue(db.database, {
    txHash: hash,
    fromAddress: from,
    contractAddress: '0x70C',
    recipientAddress: 'bob',
    nonce: 1n,
    input: new Uint8Array(),
    amountData: new Uint8Array([1]),
  });

test('P20 a copy of the database, or a dump restored under its name, is another: nothing is claimed before it is rechecked', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  const name = new URL(db.url).pathname.slice(1);
  await db.database.close();
  // As dropdb, createdb and pg_restore leave it, or createdb -T and a rename: the same cluster, timeline and name.
  const server = new URL(db.url);
  server.pathname = '/postgres';
  const admin = new pg.Client(server.href);
  await admin.connect();
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  await admin.query(`create database ${name}_new template ${name}`);
  await admin.query(`drop database ${name} with (force)`);
  await admin.query(`alter database ${name}_new rename to ${name}`);
  await admin.end();
  const copy = databaseAt(t, db.url);
  const database = openDatabase({ url: db.url });
  t.teardown(() => database.close());
  const store = createStore(database);
  t.deepEqual(await store.claim(claim), { kind: 'stale' });
  const pinned = await store.pinned();
  t.not(pinned?.database?.database, pinned?.answeringDatabase?.database);
  t.deepEqual(await store.recheck(request), { rows: 1 });
  t.like(await copy.one('select * from mempool where id = $1', [id]), {
    submission_id: null,
    sent_from: '0',
  });
  t.deepEqual((await store.pinned())?.database, (await store.pinned())?.answeringDatabase);
});

/** The table again, with its rows, as `pg_restore --clean` makes it. */
const remake = async (db: TestDatabase): Promise<void> => {
  await db.query('create table copied as select * from mempool');
  await db.query('drop table mempool');
  await db.query(MIDDLEWARE.slice(0, MIDDLEWARE.indexOf('create table users')));
};

test('P20 a table that was dropped and made again is another, seen by sessions that were there before', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  await db.insert();
  t.deepEqual(await db.claim(0), []);
  await remake(db);
  await migrate(migrateOptions(db.url));
  await db.query(
    `insert into mempool (id, tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
      select id, tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data from copied`,
  );
  t.deepEqual(await db.store.claim(claim), { kind: 'stale' });
  t.deepEqual(await db.store.recheck(request), { rows: 1 });
});

test('P20 what is copied back after a truncate is looked up first; a truncate forgets nothing that has ended, nor anything on its way', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  await insertUser(db.query, 'carol');
  const hash = randomBytes(32);
  const ended = await db.insert({ hash });
  await db.settle(await db.claimOne(), completed);
  const open = await db.insert({ from: 'carol' });
  const claimed = await db.claimOne();
  await t.throwsAsync(() => db.query('truncate mempool'), { message: /refused to truncate/ });
  await db.settle(claimed, pending({ record: 'keep' }));
  await t.throwsAsync(() => db.query('truncate mempool'), { message: /refused to truncate/ });
  const [look] = await db.look();
  if (look === undefined) return t.fail();
  await db.settle(look, pending());
  await db.query("create table saved as select * from mempool; update saved set status = 'pending'");
  await db.query('truncate mempool');
  await db.query('insert into mempool select * from saved');
  t.is((await db.row(ended)).status, 'completed', 'answered as it ended');
  t.deepEqual(await db.store.claim(claim), { kind: 'stale' });
  t.deepEqual(await db.store.recheck(request), { rows: 1 });
  t.like(await db.row(open), { status: 'pending', submission_id: null, sent_from: '0' });
});

test('P20 a table restored by itself, beside pins that are newer: what was forgotten is looked for from the begin of the ledger', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  await db.query('create table dump as select * from mempool');
  await db.settle(await db.claimOne(), completed);
  await db.query('update mempool_submitter_v1 set ledger_end = 90000');
  // As pg_restore --clean leaves it: another table of the same name, with its triggers, and no word of what has ended.
  await db.query('alter table mempool rename to lost; create table mempool (like lost including all)');
  await db.query('insert into mempool select * from dump');
  t.deepEqual(await db.store.claim(claim), { kind: 'stale' });
  t.deepEqual(await db.store.recheck(request), { rows: 1 });
  t.like(await db.row(id), { status: 'pending', sent_from: '0' });
  const [pins] = await db.query('select recheck_from, ledger_end from mempool_submitter_v1');
  t.deepEqual(pins, { recheck_from: '0', ledger_end: '90000' }, 'and so is what is about to fail (P20)');
});

test('P20 a database set back as a whole is looked up from its own ledger end', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  await db.query("update mempool_submitter_v1 set ledger_end = 90000, timeline = '000000FF'");
  t.deepEqual(await db.store.recheck(request), { rows: 1 });
  t.like(await db.row(id), { sent_from: '90000' });
  t.like(await db.one('select recheck_from from mempool_submitter_v1'), { recheck_from: '90000' });
});

test('P20 rows copied back into the same table show no number: replay --recheck, by hand, doubts them', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  await db.query('create table saved as select * from mempool');
  await db.settle(await db.claimOne(), completed);
  await db.query('delete from mempool where id = $1', [id]);
  await db.query('delete from mempool_ended_v1');
  await db.query('insert into mempool select * from saved');
  await db.query('update mempool_submitter_v1 set ledger_end = 90000');
  t.deepEqual(await recheckByHand(db.database, ['0x70C']), { kind: 'rechecked', rows: 1 });
  t.is((await db.row(id)).sent_from, '0', 'how old they are is not seen here');
  t.deepEqual(await db.claim(), []);
  t.is((await db.look())[0]?.kind, 'undecided');
});

const verdicts = { completed, failed } as const;
for (const [status, verdict] of Object.entries(verdicts)) {
  for (const mined of [false, true]) {
    test(`I4 a hash that has ended is remembered after its row is gone: ${status}${mined ? ', mined' : ''}`, async (t) => {
      const db = await prepared(t);
      const hash = randomBytes(32);
      const id = await db.insert({ hash });
      await db.settle(await db.claimOne(), verdict);
      if (mined) await db.query("update mempool set status = 'mined' where id = $1", [id]);
      const ended = await db.row(id);
      await db.query('delete from mempool where id = $1', [id]);
      t.is(await again(db, hash), 'inserted');
      t.is(await again(db, hash), 'duplicate');
      const row = await db.one('select * from mempool where tx_hash = $1', [hash]);
      t.like(row, {
        status: mined ? 'mined' : status,
        error_message: ended.error_message,
        update_id: ended.update_id,
      });
      t.deepEqual(await db.claim(), []);
      // And once more: what was only an answer is remembered as well.
      await db.query('delete from mempool');
      t.is(await again(db, hash), 'inserted');
      t.deepEqual(await db.claim(), []);
    });
  }
}

test('I4 an insert that does not see the delete of its own hash is answered by the claim, an undecided row too', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const hash = randomBytes(32);
  const id = await db.insert({ hash });
  await db.settle(await db.claimOne(), completed);
  await db.query("update mempool set status = 'mined' where id = $1", [id]);
  const deleter = await db.pool.connect();
  await deleter.query('begin');
  await deleter.query('delete from mempool where id = $1', [id]);
  const inserting = again(db, hash);
  await until(
    db.query,
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  await deleter.query('commit');
  deleter.release();
  t.is(await inserting, 'inserted');
  const pendingAgain = await db.one('select id, status from mempool where tx_hash = $1', [hash]);
  t.is(pendingAgain.status, 'pending', 'the trigger has not seen it');
  t.deepEqual(await db.claim(), []);
  t.like(await db.row(pendingAgain.id), { status: 'mined', update_id: 'update-1', claim_token: null });

  // As a recheck leaves a row that was copied back.
  await db.query('alter table mempool disable trigger user');
  await db.query(
    "update mempool set status = 'pending', sent_from = 0, sent_until = now(), submission_party = 'p', sent_on = 1",
  );
  await db.query('alter table mempool enable trigger user');
  t.deepEqual(await db.look(), []);
  t.like(await db.row(pendingAgain.id), { status: 'mined', sent_until: null, sent_from: null });
});

test('a row that was never on the ledger may be deleted and put in again: nothing has ended', async (t) => {
  const db = await prepared(t);
  const hash = randomBytes(32);
  await db.insert({ hash });
  await db.query('delete from mempool');
  await again(db, hash);
  t.is((await db.claim()).length, 1);
});

test('whoever may write to mempool needs no rights on our tables: its inserts are answered, its deletes remembered', async (t) => {
  const db = await prepared(t);
  const role = `api_${randomBytes(4).toString('hex')}`;
  await db.query(`create role ${role}; grant select, insert, delete on mempool to ${role};
    grant usage on all sequences in schema public to ${role}`);
  t.teardown(async () => {
    const server = new URL(db.url);
    const client = new pg.Client(server.href);
    await client.connect();
    await client.query(`drop owned by ${role}; drop role ${role}`);
    await client.end();
  });
  const hash = randomBytes(32);
  const id = await db.insert({ hash });
  await db.settle(await db.claimOne(), completed);
  const api = await db.pool.connect();
  await api.query(`set role ${role}`);
  await api.query('delete from mempool where id = $1', [id]);
  await insertRow(async (sql, values) => (await api.query(sql, values)).rows, { hash });
  await api.query('reset role');
  api.release();
  t.is((await db.one('select status from mempool')).status, 'completed');
});

test('an update that has done a pruned row does no other: replay --completed says whose it was', async (t) => {
  const db = await prepared(t);
  const [first, second] = [randomBytes(32), randomBytes(32)];
  await db.insert({ hash: first });
  await db.settle(await db.claimOne(), completed);
  await db.query('delete from mempool');
  await db.insert({ hash: second });
  const claimed = await db.claimOne();
  await db.settle(claimed, pending({ wait: 'parked' }));
  t.deepEqual(await complete(db.database, claimed.row.txHash, { id: 'update-1', offset: null }), {
    takenBy: `0x${first.toString('hex')}`,
  });
});

test('prune deletes what was mined long ago, in batches, and nothing else; every hash is remembered', async (t) => {
  const db = await prepared(t);
  await db.query(`insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data, status, updated_at)
    select sha256(('h' || i)::bytea), 's' || i, 't', 'r', 1, '', '', case i % 5 when 0 then 'pending' when 1 then 'completed' when 2 then 'failed' else 'mined' end,
      now() - interval '1 day' * (i % 7) from generate_series(1, 7000) i`);
  const old = "status = 'mined' and updated_at < now() - interval '71 hours'";
  const { rows } = await db.one<{ rows: number }>(`select count(*)::int as rows from mempool where ${old}`);
  const left = 'select count(*)::int as rows from mempool';
  t.is(await prune(db.database, 71 * 3_600_000, { dryRun: true }), rows);
  t.is((await db.one(left)).rows, 7_000);
  const told: number[] = [];
  t.is(await prune(db.database, 71 * 3_600_000, { dryRun: false, going: (so) => told.push(so) }), rows);
  t.true(told.length > 3, 'in batches');
  t.is((await db.one(left)).rows, 7_000 - rows);
  t.deepEqual(await db.query(`select 1 from mempool where ${old}`), []);
  t.is(
    (await db.one("select count(*)::int as rows from mempool_ended_v1 where status = 'mined'")).rows,
    rows,
  );
  await db.query('alter table mempool disable trigger mempool_remember_v1');
  await t.throwsAsync(() => prune(db.database, 0, { dryRun: false }), { message: /could be paid again/ });
});

test('SAME_NONCE=pay: both are claimed, one after the other, and the first is said to share its nonce', async (t) => {
  const db = await prepared(t);
  const ids = [await db.insert({ nonce: 5 }), await db.insert({ nonce: 5 }), await db.insert({ nonce: 6 })];
  const shared: boolean[] = [];
  for (const id of ids) {
    const claimed = await db.claimOne();
    t.is(claimed.row.id as string, id);
    shared.push(claimed.kind === 'fresh' && claimed.nonceShared);
    await db.settle(claimed, completed);
  }
  t.deepEqual(shared, [true, false, false]);
});

/** Nonce 5 of alice, as `first` leaves it. */
const used: Record<string, { first: (db: Prepared) => Promise<unknown>; parks: boolean }> = {
  completed: { first: async (db) => db.settle(await db.claimOne(), completed), parks: true },
  mined: {
    first: async (db) => {
      await db.settle(await db.claimOne(), completed);
      await db.query("update mempool set status = 'mined'");
    },
    parks: true,
  },
  'undecided, and parked': {
    first: async (db) => db.settle(await db.claimOne(), pending({ record: 'keep', wait: 'parked' })),
    parks: true,
  },
  failed: { first: async (db) => db.settle(await db.claimOne(), failed), parks: false },
  'failed and mined': {
    first: async (db) => {
      await db.settle(await db.claimOne(), failed);
      await db.query("update mempool set status = 'mined'");
    },
    parks: false,
  },
};
for (const [how, { first, parks }] of Object.entries(used)) {
  test(`SAME_NONCE=park: a nonce that another hash has used (${how}) ${parks ? 'parks' : 'is free'}; a person lets it through`, async (t) => {
    const db = await prepared(t);
    await migrate(migrateOptions(db.url, { changes: { sameNonce: 'park' } }));
    await insertUser(db.query, 'alice');
    const hash = randomBytes(32);
    await db.insert({ nonce: 5, hash });
    await first(db);
    const second = await db.insert({ from: 'ALICE', nonce: 5 });
    if (!parks) return t.deepEqual(idsOf(await db.claim()), [second]);
    const pinned = await db.store.pinned();
    const reply = await db.store.claim({ ...claim, generation: pinned?.generation ?? 0n });
    t.like(reply, { kind: 'claimed', rows: [], parked: [{ id: second }] });
    const row = await db.row(second);
    t.like(row, { status: 'pending', available_at: Number.POSITIVE_INFINITY, attempts: 0 });
    t.is(
      row.last_error,
      `SAME_NONCE: nonce 5 was already used, or may have been, by 0x${hash.toString('hex')}: if both are intended, \`replay --force-new --hash\``,
    );
    t.deepEqual((await previewForceNew(db.database, { error: 'SAME_NONCE' })).rows, []);
    await db.query('update mempool set available_at = now() where id = $1', [second]);
    t.deepEqual(await db.claim(), [], 'replay asks again');
    const { tx_hash } = await db.one('select tx_hash from mempool where id = $1', [second]);
    const { rows } = await previewForceNew(db.database, { hash: `0x${tx_hash.toString('hex')}` as never });
    await forceNew(db.database, rows);
    t.deepEqual(idsOf(await db.claim()), [second]);
  });
}

test('I4 a claim that ends or parks rows waits for nobody: what somebody keeps locked is left, and neither claimed nor in the way', async (t) => {
  const db = await prepared(t);
  await migrate(migrateOptions(db.url, { changes: { sameNonce: 'park' } }));
  await insertUser(db.query, 'carol');
  await db.insert({ nonce: 5 });
  await db.settle(await db.claimOne(), completed);
  const [shares, ended] = [await db.insert({ nonce: 5 }), await db.insert({ from: 'bob' })];
  await db.query(
    "insert into mempool_ended_v1 select tx_hash, 'completed', null, null, now() from mempool where id = $1",
    [ended],
  );
  const free = await db.insert({ from: 'carol' });
  const keeper = await db.pool.connect();
  await keeper.query('begin');
  await keeper.query('select 1 from mempool where id = any ($1) for update', [[shares, ended]]);
  t.deepEqual(idsOf(await db.claim()), [free]);
  await keeper.query('rollback');
  keeper.release();
  t.deepEqual(await db.claim(), []);
  t.like(await db.row(shares), { status: 'pending', available_at: Number.POSITIVE_INFINITY });
  t.is((await db.row(ended)).status, 'completed');
});

test('SAME_NONCE=park needs lanes, and builds its index; given up, the index goes', async (t) => {
  const db = await prepared(t);
  const change = (sameNonce: 'pay' | 'park') => migrate(migrateOptions(db.url, { changes: { sameNonce } }));
  const index = "select 1 from pg_indexes where indexname = 'mempool_nonce_v1'";
  await change('park');
  t.is((await db.query(index)).length, 1);
  await t.throwsAsync(() => migrate(migrateOptions(db.url, { changes: { lanes: 'off' } })), {
    message: /SAME_NONCE=park/,
  });
  await change('pay');
  t.is((await db.query(index)).length, 0);
  await migrate(migrateOptions(db.url, { changes: { lanes: 'off' } }));
  await t.throwsAsync(() => change('park'), { message: /needs lanes/ });
});

test('P24 the first pin asks who submitted before, where rows are pending; the leftovers carry that user until they end', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  await insertUser(db.query, 'alice', { key: 'c2VjcmV0' });
  await insertRow(db.query);
  const error = await t.throwsAsync(() => migrate(migrateOptions(db.url, { oldUser: null })), {
    instanceOf: ConfigError,
  });
  t.regex(error.message, /^--old-user: required here/m);
  t.deepEqual(await db.query('select 1 from mempool_submitter_v1'), []);
  await migrate(migrateOptions(db.url, { oldUser: { kind: 'other', id: 'old-submitter' } }));
  t.is((await db.one('select old_user from mempool_submitter_v1')).old_user, 'old-submitter');
  await insertRow(db.query, { from: 'alice', nonce: 2 });
  const database = openDatabase({ url: db.url });
  t.teardown(() => database.close());
  const store = createStore(database);
  const look = async () => {
    const reply = await store.claimUndecided(claim);
    return reply.kind === 'claimed' ? reply.rows : [];
  };
  const [leftover] = await look();
  if (leftover?.kind !== 'undecided') return t.fail();
  t.is(leftover.sentBy, 'old-submitter');
  // A recheck keeps it: it may be either's now.
  await db.query("update mempool_submitter_v1 set timeline = '0000FFFF'");
  await store.recheck(request);
  t.is((await db.one('select sent_by from mempool where nonce = 1')).sent_by, 'old-submitter');
  t.is((await db.one('select sent_by from mempool where nonce = 2')).sent_by, null);
});

test('P24 nobody is asked for where nothing is pending of a party, or on a database that is pinned already', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  await insertRow(db.query, { from: 'nobody' });
  await migrate(migrateOptions(db.url, { oldUser: null }));
  await insertUser(db.query, 'alice');
  await insertRow(db.query);
  await t.notThrowsAsync(() => migrate(migrateOptions(db.url, { oldUser: null })));
});
