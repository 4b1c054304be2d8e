// What the table does by itself: the guard (P15, I5) and the doorbell.
import { readFileSync } from 'node:fs';
import test from 'ava';
import pg from 'pg';
import { NO_RECORD } from '../../src/store/record.js';
import { completed, failed, insertRow, insertUser, pending, prepared, until } from './support.js';

/** canton-middleware's old submitter, as it writes. */
const oldComplete =
  "update mempool set status = 'completed', updated_at = now() where id = $1 and status = 'pending'";
const oldFail =
  "update mempool set status = 'failed', error_message = 'old', updated_at = now() where id = $1 and status = 'pending'";

test('P15 a straggling old submitter or psql changes no claimed row, and deletes none', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  const claimed = await db.claimOne();
  for (const leaseOver of [false, true]) {
    if (leaseOver) await db.expire(id);
    const before = await db.row(id);
    for (const sql of [oldComplete, oldFail, 'delete from mempool where id = $1']) {
      t.is((await db.pool.query(sql, [id])).rowCount, 0, sql);
    }
    t.deepEqual(await db.row(id), before);
  }
  t.is((await db.settle(claimed, completed)).result, 'settled');
});

test('P15 nor an undecided one that nobody holds; without lease and record it is theirs', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  await db.settle(await db.claimOne(), pending({ record: 'keep' }));
  for (const sql of [oldComplete, oldFail, 'delete from mempool where id = $1']) {
    t.is((await db.pool.query(sql, [id])).rowCount, 0, sql);
  }
  const [look] = await db.look();
  if (look === undefined) return t.fail();
  await db.settle(look, pending());
  t.is((await db.pool.query(oldFail, [id])).rowCount, 1);
});

test('P15 a status changes only in a statement that sets lease and record to null, both of them', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  await db.claimOne();
  const clearing = `sent_from = null, sent_until = null, submission_id = null, submission_party = null, sent_on = null`;
  const change = (and: string): Promise<pg.QueryResult> =>
    db.pool.query(`update mempool set status = 'failed', ${and} where id = $1`, [id]);
  t.is((await change('lease_expires_at = null')).rowCount, 0);
  t.is((await change(clearing)).rowCount, 0);
  t.is((await change(`lease_expires_at = null, ${clearing}`)).rowCount, 1);
});

test('P15 I5 completed and failed become nothing but mined, and mined nothing', async (t) => {
  const db = await prepared(t);
  for (const verdict of [completed, failed]) {
    const id = await db.insert({ from: verdict.kind });
    await db.settle(await db.claimOne(), verdict);
    const to = async (status: string): Promise<number | null> =>
      (await db.pool.query('update mempool set status = $2 where id = $1', [id, status])).rowCount;
    for (const status of ['pending', 'completed', 'failed']) {
      if (status !== verdict.kind) t.is(await to(status), 0, `${verdict.kind} to ${status}`);
    }
    t.is(await to('mined'), 1);
    for (const status of ['pending', 'completed', 'failed']) t.is(await to(status), 0, `mined to ${status}`);
    t.is(
      (await db.pool.query('delete from mempool where id = $1', [id])).rowCount,
      1,
      'old rows may be cleared away',
    );
  }
});

test('P15 what the guard refuses is logged as a warning', async (t) => {
  const db = await prepared(t);
  const id = await db.insert();
  await db.claimOne();
  const client = await db.pool.connect();
  const notices: string[] = [];
  client.on('notice', (notice) => notices.push(`${notice.severity}: ${notice.message}`));
  await client.query(oldFail, [id]);
  await client.query('delete from mempool where id = $1', [id]);
  client.release();
  t.is(notices.length, 2);
  t.regex(
    notices[0] ?? '',
    /WARNING: canton-submitter: refused to change mempool row \d+ from pending to failed: it is claimed, or may still be accepted; .*`canton-submitter fail`/,
  );
  t.regex(notices[1] ?? '', /WARNING: canton-submitter: refused to delete/);
});

test('the record is set together and cleared together', async (t) => {
  const db = await prepared(t);
  const id = await db.insert();
  for (const half of ["sent_until = 'infinity'", 'sent_from = 1', "submission_id = 'x'", 'sent_on = 1']) {
    await t.throwsAsync(() => db.query(`update mempool set ${half} where id = $1`, [id]), {
      message: /mempool_record_v1/,
    });
  }
});

/** An update names each column that it sets, so the list stands in every statement that clears a record. */
test('every statement that clears a record clears all of it: settle, set aside, by hand, the run-book', async (t) => {
  const db = await prepared(t);
  const { rows } = await db.pool.query<{ name: string }>(
    `select a.attname as name from pg_attribute a
      where a.attrelid = 'mempool'::regclass and a.attnum > 0 and col_description(a.attrelid, a.attnum) like 'record%'`,
  );
  const record = rows.map(({ name }) => name).sort();
  const textOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const functions = textOf('protocol.sql');
  const [, kept = ''] = /\(([^()]+)\) = \(\s*select [^()]+ where not s\.clear\)/.exec(functions) ?? [];
  t.deepEqual(
    kept
      .split(',')
      .map((name) => name.trim())
      .sort(),
    record,
    'settle',
  );
  for (const [what, text] of [
    ['set aside', functions],
    ['people', NO_RECORD],
    ['run-book', textOf('docs/runbooks.md')],
  ] as const) {
    const [list = ''] = /sent_from = null(,\s+\w+ = null)*/.exec(text) ?? [];
    t.deepEqual([...list.matchAll(/(\w+) = null/g)].map(([, name = '']) => name).sort(), record, what);
  }
});

async function listener(
  t: { teardown(fn: () => Promise<void>): void },
  url: string,
): Promise<{ heard: string[]; client: pg.Client }> {
  const client = new pg.Client(url);
  await client.connect();
  t.teardown(() => client.end());
  const heard: string[] = [];
  client.on('notification', ({ payload }) => heard.push(payload ?? ''));
  await client.query('listen mempool_wakeup_v1');
  return { heard, client };
}

test('the doorbell rings once a transaction, at its commit, with an empty payload', async (t) => {
  const db = await prepared(t);
  const { heard, client } = await listener(t, db.url);
  const writer = await db.pool.connect();
  await writer.query('begin');
  const query = async (sql: string, values?: unknown[]) => (await writer.query(sql, values)).rows;
  for (let n = 0; n < 3; n++) await insertRow(query as never, { from: `s${n}` });
  await client.query('select 1');
  t.deepEqual(heard, []);
  await writer.query('commit');
  writer.release();
  await client.query('select 1');
  t.deepEqual(heard, ['']);
});

test('a long transaction that has inserted does not silence the others', async (t) => {
  const db = await prepared(t);
  const { heard, client } = await listener(t, db.url);
  const slow = await db.pool.connect();
  await slow.query('begin');
  await insertRow(
    (async (sql: string, values?: unknown[]) => (await slow.query(sql, values)).rows) as never,
    { from: 'slow' },
  );
  await db.insert({ from: 'quick' });
  await client.query('select 1');
  t.deepEqual(heard, ['']);
  await slow.query('rollback');
  slow.release();
});

test('one rings at a time: an insert that finds the bell taken says nothing, and waits for nothing', async (t) => {
  const db = await prepared(t);
  const { heard, client } = await listener(t, db.url);
  const ringer = await db.pool.connect();
  await ringer.query('begin; select pg_advisory_xact_lock(1835363696, 1)');
  await db.insert();
  await client.query('select 1');
  t.deepEqual(heard, []);
  await ringer.query('rollback');
  ringer.release();
  await db.insert();
  await until(db.query, 'select 1');
  await client.query('select 1');
  t.deepEqual(heard, ['']);
});

test('ring: listeners tell a handoff from the bell', async (t) => {
  const db = await prepared(t);
  const { heard, client } = await listener(t, db.url);
  await db.store.ring('bell');
  await db.store.ring('handoff');
  await client.query('select 1');
  t.deepEqual(heard, ['', 'h']);
});
