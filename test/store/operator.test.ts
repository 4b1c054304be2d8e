// What people see and do: status, replay, enqueue.
import { randomBytes } from 'node:crypto';
import test from 'ava';
import { StoreUnavailable } from '../../src/store/errors.js';
import { enqueue } from '../../src/store/operator/enqueue.js';
import { replay, SELECTED } from '../../src/store/operator/replay.js';
import { openDatabase } from '../../src/store/pool.js';
import { readStatus } from '../../src/store/status.js';
import { completed, failed, idsOf, insertUser, pending, prepared, until } from './support.js';

test('status counts every pending row in exactly one state, with the age of the oldest, and lists reasons', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'undecided');
  for (const from of ['undecided', 'flying', 'backoff', 'parked', 'failed', 'completed'])
    await db.insert({ from });
  const verdicts = {
    undecided: pending({ record: 'keep' }),
    backoff: pending({ wait: 60_000 }),
    parked: pending({ wait: 'parked', lastError: 'TOKEN_UNKNOWN: no such token' }),
    failed,
    completed,
  };
  for (const claimed of await db.claim()) {
    const verdict = verdicts[claimed.row.fromAddress as keyof typeof verdicts];
    if (verdict !== undefined) await db.settle(claimed, verdict);
  }
  await db.query("update mempool set created_at = now() - interval '1 hour' where from_address = 'flying'");
  await db.insert({ from: 'waiting' });
  const status = await readStatus(db.database);
  t.deepEqual(
    Object.entries(status.queue).map(([state, { rows }]) => [state, rows]),
    [
      ['waiting', 1],
      ['in-flight', 1],
      ['undecided', 1],
      ['backoff', 1],
      ['parked', 1],
    ],
  );
  t.true((status.queue['in-flight'].oldestMs ?? 0) >= 3_600_000);
  t.deepEqual(status.holders, [{ holder: 'test', rows: 1 }]);
  t.deepEqual(
    status.failures.map((row) => [row.sender, row.reason]),
    [['failed', 'CODE: for the operator']],
  );
  t.deepEqual(
    status.parked.map((row) => [row.sender, row.reason]),
    [['parked', 'TOKEN_UNKNOWN: no such token']],
  );
  t.is(status.failures[0]?.nonce, 1n);
});

test('the status of an empty table has the time, and no rows', async (t) => {
  const db = await prepared(t);
  const { queue, failures, parked, holders, now } = await readStatus(db.database);
  t.deepEqual(queue.waiting, { rows: 0, oldestMs: null });
  t.deepEqual([failures.length, parked.length, holders.length], [0, 0, 0]);
  t.true(now > 1_600_000_000_000);
});

test('replay takes pending rows that nobody holds, keeps the record, starts the count anew, and rings', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  await db.insert({ from: 'alice' });
  await db.insert({ from: 'held' });
  for (const claimed of await db.claim()) {
    if (claimed.row.fromAddress === 'alice')
      await db.settle(claimed, pending({ record: 'keep', wait: 'parked', lastError: 'LOST: x' }));
  }
  const listener = await db.pool.connect();
  const heard: unknown[] = [];
  listener.on('notification', ({ payload }) => heard.push(payload));
  await listener.query('listen mempool_wakeup_v1');

  const shown = await replay(db.database, { olderThanMs: 0 }, { dryRun: true });
  t.deepEqual(
    shown.map((row) => [row.sender, row.state, row.undecided, row.lastError]),
    [['alice', 'parked', true, 'LOST: x']],
  );
  t.deepEqual(await db.look(), [], 'a dry run does nothing');
  const replayed = await replay(db.database, { olderThanMs: 0 }, { dryRun: false });
  t.deepEqual(
    replayed,
    shown.map((row) => ({ ...row, attempts: 0 })),
  );
  await listener.query('select 1');
  t.deepEqual(heard, ['']);
  listener.release();
  const [look] = await db.look();
  t.is(look?.kind, 'undecided');
  t.is(look?.attempts, 0);
});

test('replay selects by hash, sender, age, parked and error; all of them have to hold', async (t) => {
  const db = await prepared(t);
  const hash = randomBytes(32);
  await db.insert({ from: '0xAbC', hash });
  await db.insert({ from: 'parked' });
  await db.insert({ from: 'old' });
  const [, parked] = await db.claim(2);
  if (parked === undefined) return t.fail();
  await db.settle(parked, pending({ wait: 'parked', lastError: 'CONTENTION: 50% of inputs' }));
  await db.query('update mempool set claim_token = null, lease_expires_at = null');
  await db.query("update mempool set created_at = now() - interval '1 day' where from_address = 'old'");
  const select = async (selection: Parameters<typeof replay>[1]) =>
    (await replay(db.database, selection, { dryRun: true })).map((row) => row.sender);
  t.deepEqual(await select({ hash: `0x${hash.toString('hex')}` as never }), ['0xAbC']);
  t.deepEqual(await select({ sender: '0xabc' }), ['0xAbC']);
  t.deepEqual(await select({ parked: true }), ['parked']);
  t.deepEqual(await select({ parked: false, olderThanMs: 3_600_000 }), ['old']);
  t.deepEqual(await select({ error: 'contention: 50% of' }), ['parked']);
  t.deepEqual(await select({ error: 'contention', sender: 'old' }), []);
  await t.throwsAsync(() => select({}), { message: /nothing selected/ });
});

test('replay reads the waiting rows by their indexes, not the history of the table', async (t) => {
  const db = await prepared(t);
  await db.query(
    `insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data, status)
     select decode(lpad(to_hex(n), 64, '0'), 'hex'), 'a', 'c', 'b', n, '\\x', '\\x', 'mined' from generate_series(1, 20000) n`,
  );
  await db.insert({ from: 'waits' });
  await db.query('analyze mempool');
  const values = ['null::bytea', 'null::text', 'null::float8', 'false', 'null::text'];
  const inlined = SELECTED.replaceAll(/\$(\d)/g, (_, n) => values[Number(n) - 1] ?? '');
  const plan = await db.query(`explain select * from mempool m where ${inlined}`);
  const text = plan.map((line) => Object.values(line)[0]).join('\n');
  t.notRegex(text, /Seq Scan on mempool/, text);
  t.deepEqual(
    (await replay(db.database, { parked: false }, { dryRun: true })).map(({ sender }) => sender),
    ['waits'],
  );
});

test('enqueue writes what the API writes; the same transaction again is a duplicate', async (t) => {
  const db = await prepared(t);
  const row = {
    txHash: randomBytes(32),
    fromAddress: '0xA',
    contractAddress: '0xC',
    recipientAddress: '0xB',
    nonce: 9_223_372_036_854_775_807n,
    input: new Uint8Array([0xa9, 0x05]),
    amountData: new Uint8Array(),
  };
  t.is(await enqueue(db.database, row), 'inserted');
  t.is(await enqueue(db.database, row), 'duplicate');
  const claimed = await db.claimOne();
  t.is(claimed.row.nonce, row.nonce);
  t.is(claimed.row.amountData.length, 0);
  t.is(claimed.row.txHash as string, `0x${row.txHash.toString('hex')}`);
});

test('I9 a database that is away, or cut the call off, is StoreUnavailable; a bug of ours is not', async (t) => {
  const db = await prepared(t);
  const nowhere = openDatabase({ url: 'postgres://x@127.0.0.1:1/x' });
  await t.throwsAsync(() => readStatus(nowhere), { instanceOf: StoreUnavailable });
  await nowhere.close();

  const pid = { text: 'select pg_sleep(600)' };
  const running = db.database.run(pid, []);
  const sleeping =
    "select pid from pg_stat_activity where datname = current_database() and query = 'select pg_sleep(600)' and state = 'active'";
  await until(db.query, sleeping);
  await db.query(`select pg_terminate_backend(pid) from (${sleeping}) s`);
  await t.throwsAsync(() => running, { instanceOf: StoreUnavailable });

  const hasty = openDatabase({ url: db.url, statementTimeoutMs: 50 });
  await t.throwsAsync(() => hasty.run(pid, []), { instanceOf: StoreUnavailable });
  await hasty.close();

  const wrong = await t.throwsAsync(() => db.database.run({ text: 'select no_such_column' }, []));
  t.false(wrong instanceof StoreUnavailable);
  t.deepEqual(idsOf(await db.claim()), [], 'the pool is as good as new');
});
