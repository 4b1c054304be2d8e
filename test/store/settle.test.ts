import test from 'ava';
import type { ClaimedRow } from '../../src/protocol/record.js';
import { settlementOf } from '../../src/protocol/settlement.js';
import type { Verdict } from '../../src/protocol/verdict.js';
import {
  aHash,
  aParty,
  aToken,
  completed,
  failed,
  idsOf,
  insertUser,
  pending,
  prepared,
  until,
} from './support.js';

test('I2 a late writer changes nothing, and is told: settle, renew and write-ahead are fenced by the token', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  const late = await db.claimOne();
  if (late.kind !== 'fresh' || late.own === null) return t.fail();
  await db.expire(id);
  await db.store.rescue();
  const [now] = await db.look();
  if (now === undefined) return t.fail();
  const before = await db.row(id);
  for (const verdict of [completed, failed, pending({ wait: 'parked' })]) {
    t.deepEqual(await db.settle(late, verdict), { result: 'fenced', laneWaits: false });
  }
  t.is((await db.store.renew([late.token], 60_000)).size, 0);
  t.is(await db.store.writeAhead(late, { ...late.own, sentFrom: 1n }, 1n), 'fenced');
  t.deepEqual(await db.row(id), before);
  t.is((await db.settle(now, completed)).result, 'settled');
});

test('I2 the token alone is not enough: row and token must belong together, and the row be pending', async (t) => {
  const db = await prepared(t);
  const [a, b] = [await db.insert({ from: 'a' }), await db.insert({ from: 'b' })];
  const [first, second] = await db.claim();
  if (first === undefined || second === undefined) return t.fail();
  const crossed = { ...first, row: second.row };
  t.is((await db.settle(crossed, completed)).result, 'fenced');
  t.is((await db.settle({ ...first, token: aToken() }, completed)).result, 'fenced');
  await db.query("update mempool set status = 'failed', lease_expires_at = null where id = $1", [a]);
  t.is((await db.settle(first, completed)).result, 'fenced');
  t.is((await db.settle(first, pending({ lastError: 'late' }))).result, 'fenced');
  t.like(await db.row(a), { status: 'failed', last_error: null, claim_token: first.token });
  t.is((await db.row(b)).status, 'pending');
});

const record = { sent_from: '7', submission_party: 'alice::1220' };
const noRecord = { sent_from: null, submission_party: null, submission_id: null, sent_until: null };
const cases: Record<string, { verdict: Verdict; row: Record<string, unknown> }> = {
  completed: {
    verdict: completed,
    row: {
      ...noRecord,
      status: 'completed',
      update_id: 'update-1',
      completion_offset: '42',
      lease_expires_at: null,
      error_message: null,
      attempts: 1,
    },
  },
  failed: {
    verdict: failed,
    row: {
      ...noRecord,
      status: 'failed',
      error_message: 'for the wallet',
      last_error: 'CODE: for the operator',
      lease_expires_at: null,
    },
  },
  'unknown: kept, at once': {
    verdict: pending({ record: 'keep', lastError: 'UNKNOWN: x' }),
    row: {
      ...record,
      status: 'pending',
      claim_token: null,
      lease_expires_at: null,
      attempts: 1,
      last_error: 'UNKNOWN: x',
    },
  },
  'released: cleared, the count given back': {
    verdict: pending({ attempts: -1 }),
    row: {
      ...noRecord,
      status: 'pending',
      claim_token: null,
      claimed_by: null,
      attempts: 0,
      last_error: null,
    },
  },
  'parked, undecided': {
    verdict: pending({ record: 'keep', wait: 'parked', attempts: 1 }),
    row: { ...record, available_at: Number.POSITIVE_INFINITY, claim_token: null, attempts: 2 },
  },
};
for (const [name, { verdict, row }] of Object.entries(cases)) {
  test(`settle writes what the verdict says: ${name}`, async (t) => {
    const db = await prepared(t);
    await insertUser(db.query, 'alice');
    const id = await db.insert();
    const claimed = await db.claimOne();
    t.deepEqual(await db.settle(claimed, verdict), { result: 'settled', laneWaits: false });
    t.like(await db.row(id), row);
    if (verdict.kind !== 'pending') t.is((await db.row(id)).claim_token, claimed.token);
  });
}

test('settle: a backoff counts from the database clock', async (t) => {
  const db = await prepared(t);
  const id = await db.insert();
  await db.settle(await db.claimOne(), pending({ wait: 90_000 }));
  const { wait } = await db.one<{ wait: number }>(
    'select extract(epoch from available_at - updated_at)::float8 as wait from mempool where id = $1',
    [id],
  );
  t.is(wait, 90);
});

test('P16 settle committed, its acknowledgement lost: recognised as ours, on a row mined since too', async (t) => {
  const db = await prepared(t);
  const verdicts: Verdict[] = [
    completed,
    failed,
    pending({ wait: 60_000 }),
    pending({ record: 'keep', wait: 'parked' }),
    completed,
  ];
  for (const from of ['a', 'b', 'c', 'd', 'e']) await db.insert({ from });
  const claimed = await db.claim();
  const batch = claimed.map((claim, n) => settlementOf(claim, verdicts[n] ?? completed));
  await db.store.settle(batch);
  await db.query("update mempool set status = 'mined' where from_address = 'e'");
  t.deepEqual(
    (await db.store.settle(batch)).map((one) => one.result),
    batch.map(() => 'settled-before'),
  );
});

test('P16 a row that somebody else holds or ended since is fenced, not ours', async (t) => {
  const db = await prepared(t);
  const gone = {
    id: '999999' as never,
    txHash: aHash(),
    token: aToken(),
    verdict: completed,
    under: { generation: 1n, bound: null },
  };
  t.deepEqual(await db.store.settle([gone]), [{ result: 'fenced', laneWaits: false }]);
  const id = await db.insert();
  const first = await db.claimOne();
  await db.settle(first, pending());
  const second = await db.claimOne();
  t.is((await db.settle(first, completed)).result, 'fenced');
  await db.settle(second, pending());
  t.is((await db.settle(first, pending())).result, 'fenced');
  t.is((await db.row(id)).status, 'pending');
});

test('P17 one row holds a NUL, one is longer than the column, one cannot be written at all: the batch settles', async (t) => {
  const db = await prepared(t);
  await db.query('alter table mempool alter column last_error type varchar(200)');
  await db.query("alter table mempool add constraint no_such check (update_id <> 'refuse me')");
  for (let n = 0; n < 9; n++) await db.insert({ from: `s${n}` });
  const claimed = await db.claim();
  const special: Record<number, Verdict> = {
    2: { kind: 'failed', message: 'NUL \0 inside', detail: `${'\0'}x` },
    4: { kind: 'failed', message: 'long', detail: 'y'.repeat(10_000) },
    6: { kind: 'completed', updateId: 'refuse me', offset: 1n, note: null },
  };
  const results = await db.store.settle(
    claimed.map((claim, n) => settlementOf(claim, special[n] ?? completed)),
  );
  t.deepEqual(
    results.map(({ result }) => (typeof result === 'string' ? result : 'refused')),
    claimed.map((_, n) => (n === 6 ? 'refused' : 'settled')),
  );
  const rows = await db.query('select status, error_message, last_error from mempool order by id');
  t.like(rows[2], { status: 'failed', error_message: 'NUL  inside', last_error: 'x' });
  t.is(rows[4]?.status, 'failed');
  t.is(rows[6]?.status, 'pending');
  t.is(rows.filter((row) => row.status === 'completed').length, 6);
});

test('a row that another transaction keeps locked holds up neither its batch nor the leases of others', async (t) => {
  const db = await prepared(t);
  const locked = await db.insert({ from: 'a' });
  await db.insert({ from: 'b' });
  const claimed = await db.claim();
  const client = await db.pool.connect();
  await client.query('begin');
  await client.query('select 1 from mempool where id = $1 for update', [locked]);
  const tokens = claimed.map((one) => one.token);
  const gone = aToken();
  const [kept, results] = await Promise.all([
    db.store.renew([...tokens, gone], 60_000),
    db.store.settle(claimed.slice(0, 1).map((claim) => settlementOf(claim, completed))),
  ]);
  const [held = '', other = ''] = tokens;
  t.deepEqual(Object.fromEntries(kept), { [held]: 'locked', [other]: 'renewed' });
  t.deepEqual(results, [{ result: 'locked', laneWaits: false }]);
  await client.query('rollback');
  client.release();
  t.deepEqual([...(await db.store.renew(tokens, 60_000)).values()], ['renewed', 'renewed']);
});

test('I4 records of one moment are written together: a row that was lost is fenced, one that is locked holds up no other', async (t) => {
  const db = await prepared(t);
  const ids: string[] = [];
  for (const from of ['a', 'b', 'c', 'd']) ids.push(await db.insert({ from }));
  const [first, lost, held, last] = await db.claim();
  if (first === undefined || lost === undefined || held === undefined || last === undefined) return t.fail();
  const hash = { bytes: new Uint8Array(32).fill(7), scheme: 2 };
  const write = (claim: ClaimedRow, submissionId: string) =>
    db.store.writeAhead(
      claim,
      { sentFrom: 1n, sentUntil: null, submissionId, party: aParty('a'), sentOn: 1, hash },
      1n,
    );
  const sentFrom = async () =>
    (await Promise.all(ids.map((id) => db.row(id)))).map((row) => row.submission_id);
  const one = write(first, 'alone');
  // The last first: rows are locked in order of id all the same.
  const more = [write(last, '4'), write({ ...lost, token: aToken() }, '2'), write(held, '3')];
  t.deepEqual(await Promise.all([one, ...more]), ['written', 'written', 'fenced', 'written']);
  t.deepEqual(await sentFrom(), ['alone', null, '3', '4']);

  const [writers] = await db.query(
    'select count(distinct xmin::text)::int as n from mempool where submission_id in ($1, $2)',
    ['3', '4'],
  );
  t.deepEqual(writers, { n: 1 }, 'one statement');

  const client = await db.pool.connect();
  await client.query('begin');
  await client.query('select 1 from mempool where id = $1 for update', [held.row.id]);
  const [, , waits, other] = [
    write(first, 'on its way'),
    write(lost, '2'),
    write(held, 'late'),
    write(last, '5'),
  ];
  t.is(await other, 'written');
  await t.throwsAsync(waits as Promise<unknown>, { message: /lock timeout/ });
  await client.query('rollback');
  client.release();
  t.deepEqual(await sentFrom(), ['on its way', '2', '3', '5']);
});

test('a deadlock with a foreign writer is a reason to try again, not to give up', async (t) => {
  const db = await prepared(t);
  for (const from of ['a', 'b', 'c']) await db.insert({ from });
  const claimed = await db.claim();
  const [one, two, three] = idsOf(claimed);
  // The settler is the one that finds the deadlock, and long before it gives up waiting.
  await db.query(`alter database ${new URL(db.url).pathname.slice(1)} set deadlock_timeout = '20ms'`);
  await db.query("alter function mempool_settle_v1 set lock_timeout = '60s'");
  const store = db.another();
  const [first, second] = [await db.pool.connect(), await db.pool.connect()];
  const lock = 'select 1 from mempool where id = $1 for update';
  const waiters = `select 1 from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' having count(*) =`;
  await first.query('begin');
  await first.query(lock, [two]);
  await second.query("begin; set local deadlock_timeout = '60s'");
  await second.query(lock, [three]);
  const settling = store.settle(claimed.map((claim) => settlementOf(claim, completed)));
  await until(db.query, `${waiters} 1`);
  const crossing = second.query(lock, [one]);
  await until(db.query, `${waiters} 2`);
  // It goes on from the second row to the third, which is held by whoever waits for its first.
  await first.query('commit');
  await crossing;
  await second.query('commit');
  first.release();
  second.release();
  t.deepEqual(
    (await settling).map(({ result }) => result),
    ['settled', 'settled', 'settled'],
  );
});

test('laneWaits says whether the sender has another row', async (t) => {
  const db = await prepared(t);
  await db.insert({ from: 'a', nonce: 1 });
  const next = await db.insert({ from: 'a', nonce: 2 });
  await db.insert({ from: 'b' });
  const claimed = await db.claim();
  const results = await db.store.settle(claimed.map((claim) => settlementOf(claim, completed)));
  t.deepEqual(
    results.map((one) => one.laneWaits),
    [true, false],
  );
  t.deepEqual(idsOf(await db.claim()), [next]);
});
