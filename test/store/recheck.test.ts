// P20, where the pinned row already says another timeline or cluster than the one that answers: what each statement
// does about it, and what a recheck writes. The failover itself is in failover.test.ts.

import test from 'ava';
import { dbMillis } from '../../src/core/ids.js';
import { settlementOf } from '../../src/protocol/settlement.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { advance } from '../support/marks.js';
import {
  aParty,
  completed,
  failed,
  idsOf,
  insertUser,
  LEASE_MS,
  migrateOptions,
  type Prepared,
  pending,
  prepared,
  until,
} from './support.js';

/** As a failover leaves it: pinned on a timeline that this server has left. */
const LEFT = { timeline: "timeline = '0000FFFF'", cluster: "database_id = '42'" };
const leave = (db: Prepared, set = LEFT.timeline): Promise<unknown> =>
  db.query(`update mempool_submitter_v1 set ${set}`);

const request = { generation: 1n, notBefore: dbMillis(0), oneStepTokens: ['0x70C'] };
const claimRequest = { holder: 'h', limit: 8, leaseMs: LEASE_MS, generation: 1n };
const external = { kind: 'external', key: 'c2VjcmV0' } as const;
const signed = { bytes: new Uint8Array(32).fill(7), scheme: 2 };

test('P20 the first pin has the identity of the database, and the pinned row is read with the one that answers', async (t) => {
  const db = await prepared(t);
  const identity = await db.one<{ id: string; timeline: string }>(
    `select system_identifier::text as id, lpad(to_hex(timeline_id), 8, '0') as timeline
       from pg_control_system(), pg_control_checkpoint()`,
  );
  const is = { systemId: identity.id, timeline: identity.timeline };
  t.like(await db.store.pinned(), { database: is, answeringDatabase: is, halted: null, recheck: null });
  await leave(db);
  t.like(await db.store.pinned(), { database: { ...is, timeline: '0000FFFF' }, answeringDatabase: is });
});

for (const [what, set] of Object.entries(LEFT)) {
  test(`P20 another ${what} than pinned: claim, look and write-ahead answer stale in the very statement, and write nothing`, async (t) => {
    const db = await prepared(t);
    await insertUser(db.query, 'undecided');
    await insertUser(db.query, 'external', external);
    const undecided = await db.insert({ from: 'undecided' });
    await db.settle(await db.claimOne(), pending({ record: 'keep' }));
    await db.insert({ from: 'external' });
    const claimed = await db.claimOne();
    const fresh = await db.insert({ from: 'fresh' });
    await leave(db, set);
    const rows = () => db.query('select * from mempool order by id');
    const before = await rows();
    t.deepEqual(await db.store.claim({ ...claimRequest, sentFrom: 1n, windowMs: 1 }), { kind: 'stale' });
    t.deepEqual(await db.store.claimUndecided(claimRequest), { kind: 'stale' });
    const record = {
      sentFrom: 9n,
      sentUntil: null,
      submissionId: 's',
      party: aParty('x'),
      sentOn: 1,
      hash: signed,
    };
    t.is(await db.store.writeAhead(claimed, record, 1n), 'stale');
    t.deepEqual(await rows(), before);

    await db.query(
      'update mempool_submitter_v1 p set database_id = d.database_id, timeline = d.timeline from mempool_database_v1() d',
    );
    t.deepEqual(idsOf(await db.claim()), [fresh]);
    t.deepEqual(idsOf(await db.look()), [undecided]);
    t.is(await db.store.writeAhead(claimed, record, 1n), 'written');
  });
}

test('P20 until it is rechecked the marks stand still: the recheck looks from the ledger end of before', async (t) => {
  const db = await prepared(t);
  await advance(db.store, { ledgerEnd: 10n, mark: null, oldMark: null });
  await leave(db);
  const mark = { offset: 19n, updateId: 'u', party: aParty('p') };
  await advance(db.store, { ledgerEnd: 20n, mark, oldMark: null });
  t.like(await db.store.pinned(), { ledgerEnd: 10n, mark: null });
  await db.store.recheck(request);
  t.is((await db.store.pinned())?.recheck?.from, 10n);
  await advance(db.store, { ledgerEnd: 20n, mark, oldMark: null });
  t.like(await db.store.pinned(), { ledgerEnd: 20n, mark });
});

test('P20 until it is rechecked nothing becomes failed: a token that is alive again may be an old one; completed is true for ever', async (t) => {
  const db = await prepared(t);
  const [a, b] = [await db.insert({ from: 'a' }), await db.insert({ from: 'b' })];
  const [first, second] = await db.claim();
  if (first === undefined || second === undefined) return t.fail();
  await leave(db);
  const [settledFirst, settledSecond] = await db.store.settle([
    settlementOf(first, failed),
    settlementOf(second, completed),
  ]);
  t.true(typeof settledFirst?.result === 'object');
  t.is(settledSecond?.result, 'settled');
  t.deepEqual([(await db.row(a)).status, (await db.row(b)).status], ['pending', 'completed']);
  await db.store.recheck(request);
  t.is((await db.settle(first, failed)).result, 'fenced');
});

/** One row of every kind, claimed, undecided, parked; by the name of its sender. */
async function everyKind(db: Prepared): Promise<void> {
  for (const from of ['hosted', 'offer', 'claimed', 'parked', 'parkedFresh'])
    await insertUser(db.query, from);
  for (const from of ['signed', 'freshSigned', 'elsewhere']) await insertUser(db.query, from, external);
  await insertUser(db.query, 'gone');
  await insertUser(db.query, 'partyless', { party: '' });
  await advance(db.store, { ledgerEnd: 50n, mark: null, oldMark: null });

  for (const from of ['claimed', 'signed', 'elsewhere', 'parked', 'parkedFresh', 'gone'])
    await db.insert({ from });
  for (const claimed of await db.claim()) {
    const { fromAddress: from } = claimed.row;
    const record = {
      sentFrom: 60n,
      sentUntil: dbMillis(4e12),
      submissionId: 'sent',
      party: aParty(from),
      sentOn: 1,
      hash: signed,
    };
    if (from === 'signed' || from === 'elsewhere') await db.store.writeAhead(claimed, record, 1n);
    if (from === 'elsewhere' || from === 'parked')
      await db.settle(claimed, pending({ record: 'keep', wait: 'parked' }));
    if (from === 'gone') await db.settle(claimed, pending({ record: 'keep', wait: 60_000 }));
    if (from === 'parkedFresh') await db.settle(claimed, pending({ wait: 'parked' }));
  }
  await db.query("update mempool set sent_on = 7 where from_address = 'elsewhere'");
  await db.query("update users set canton_party = 'moved::1220' where evm_address = 'parked'");
  await db.query("delete from users where evm_address = 'gone'");
  for (const from of ['hosted', 'offer', 'freshSigned', 'partyless', 'nobody']) await db.insert({ from });
  await db.query(
    "update mempool set contract_address = '0xOFFER' where from_address in ('offer', 'freshSigned')",
  );
}

const shown = (db: Prepared) =>
  db.query(`select from_address as sender, claim_token, claimed_by, lease_expires_at, available_at = 'infinity' as parked, attempts,
      sent_from, submission_party as party, submission_id, submission_hash, hashing_scheme, m.sent_on,
      case when sent_until in ('infinity', p.recheck_until) then (sent_until = 'infinity')::text else sent_until::text end as bound
    from mempool m, mempool_submitter_v1 p order by m.id`);

test('P20 a recheck doubts every pending row: no claim is left, and nothing is sent before the ledger was asked', async (t) => {
  const db = await prepared(t, { toleranceMs: 5_000, clockSkewMaxMs: 7_000 });
  await everyKind(db);
  const before = new Map((await shown(db)).map((row) => [row.sender, row]));
  await leave(db);
  t.deepEqual(await db.store.recheck(request), { rows: 8 });

  const rows = new Map((await shown(db)).map((row) => [row.sender, row]));
  const claimless = { claim_token: null, claimed_by: null, lease_expires_at: null };
  for (const row of rows.values()) t.like(row, claimless);
  const unknown = { submission_id: null, submission_hash: null, hashing_scheme: null, sent_on: 1 };
  const expected = {
    // Whatever it remembers, the lost part of the log may have held a later submission.
    claimed: { ...unknown, party: 'claimed::1220', sent_from: '7', bound: 'false', parked: false },
    signed: { ...unknown, party: 'signed::1220', sent_from: '50', bound: new Date(4e12), parked: false },
    parked: { ...unknown, party: 'parked::1220', sent_from: '7', bound: 'false', parked: true },
    gone: { ...unknown, party: 'gone::1220', sent_from: '7', bound: 'false', parked: false },
    parkedFresh: { ...unknown, party: 'parkedFresh::1220', sent_from: '50', bound: 'false', parked: true },
    hosted: { ...unknown, party: 'hosted::1220', sent_from: '50', bound: 'false', parked: false },
    // No bound that the ledger knows of: an offer of a hosted sender. What is signed has one, whatever the token.
    offer: { ...unknown, party: 'offer::1220', sent_from: '50', bound: 'true', parked: false },
    freshSigned: { ...unknown, party: 'freshSigned::1220', sent_from: '50', bound: 'false', parked: false },
  };
  for (const [sender, { bound, ...row }] of Object.entries(expected)) {
    t.like(rows.get(sender), row, sender);
    if (bound instanceof Date) t.is(Date.parse(rows.get(sender)?.bound), bound.getTime());
    else t.is(rows.get(sender)?.bound, bound, sender);
  }
  for (const sender of ['elsewhere', 'partyless', 'nobody']) {
    t.deepEqual(
      rows.get(sender),
      { ...before.get(sender), ...claimless },
      `${sender}: nothing to look up here`,
    );
  }
  const { seconds } = await db.one<{ seconds: number }>(
    'select extract(epoch from recheck_until - recheck_at)::float8 as seconds from mempool_submitter_v1',
  );
  t.true(seconds > 71.99 && seconds <= 72, 'largest window, tolerance, skew');

  t.deepEqual((await db.claim()).map(({ row }) => row.fromAddress).sort(), ['nobody', 'partyless']);
  t.true((await db.look()).every((row) => row.kind === 'undecided' && row.record.submissionId === null));
});

test('P20 a user that is gone may have been hosted: a token of two steps leaves its row without a bound', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'gone', external);
  const id = await db.insert({ from: 'gone' });
  const claimed = await db.claimOne();
  const record = {
    sentFrom: 1n,
    sentUntil: dbMillis(4e12),
    submissionId: 's',
    party: aParty('gone'),
    sentOn: 1,
    hash: signed,
  };
  await db.store.writeAhead(claimed, record, 1n);
  await db.query('delete from users');
  await leave(db);
  await db.store.recheck({ ...request, oneStepTokens: [] });
  t.is((await db.row(id)).sent_until, Number.POSITIVE_INFINITY);
});

test('P20 no bound begins before the latest time that the instance knows, of another database or of the ledger', async (t) => {
  const db = await prepared(t, { toleranceMs: 1_000, clockSkewMaxMs: 1_000 });
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  await leave(db);
  const notBefore = dbMillis(4e12);
  await db.store.recheck({ ...request, notBefore });
  t.is((await db.row(id)).sent_until?.valueOf(), notBefore + 62_000);
  t.is((await db.store.pinned())?.recheck?.until as number, notBefore + 62_000);
});

test('P20 it pins the database as it is under a generation that the lost part cannot have had, and rings', async (t) => {
  const db = await prepared(t);
  await leave(db);
  const listener = await db.pool.connect();
  const heard: unknown[] = [];
  listener.on('notification', ({ payload }) => heard.push(payload));
  await listener.query('listen mempool_wakeup_v1');
  t.deepEqual(await db.store.recheck(request), { rows: 0 });
  await listener.query('select 1');
  listener.release();
  t.deepEqual(heard, ['']);
  const pinned = await db.store.pinned();
  t.deepEqual(pinned?.database, pinned?.answeringDatabase);
  // A pin that changed right before the failover, and was lost with it, had number 2.
  t.true((pinned?.generation ?? 0n) > 2n);
  t.is(pinned?.recheck?.from, 0n);
  const entry = await db.one('select action, tx_hash, by_role, change from mempool_submitter_audit_v1');
  t.like(entry, { action: 'recheck', tx_hash: null });
  t.like(entry.change, { timeline_before: '0000FFFF', timeline: pinned?.database?.timeline, rows: 0 });
});

test('P20 of many instances exactly one rechecks; of the pinned database none does', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  await db.insert();
  t.is(await db.store.recheck(request), null, 'it is the pinned one');
  await leave(db);
  t.is(await db.store.recheck({ ...request, generation: 2n }), null, 'checked another pinned row');
  const results = await Promise.all(Array.from({ length: 6 }, () => db.another().recheck(request)));
  t.deepEqual(
    results.filter((one) => one !== null),
    [{ rows: 1 }],
  );
  t.is((await db.query('select 1 from mempool_submitter_audit_v1')).length, 1);
});

test('P20 what it left is in force for seven days; a second failover meanwhile keeps the earlier end', async (t) => {
  const db = await prepared(t);
  const again = async (ledgerEnd: bigint, age: string) => {
    await db.query('update mempool_submitter_v1 set recheck_at = recheck_at - $1::interval', [age]);
    await advance(db.store, { ledgerEnd, mark: null, oldMark: null });
    await leave(db);
    const generation = (await db.store.pinned())?.generation ?? 0n;
    await db.store.recheck({ ...request, generation });
    return (await db.store.pinned())?.recheck?.from;
  };
  t.is(await again(30n, '0'), 30n);
  t.is(await again(40n, '6 days'), 30n);
  t.is(await again(50n, '8 days'), 50n);
  await db.query("update mempool_submitter_v1 set recheck_at = recheck_at - interval '6 days 23 hours'");
  t.is((await db.store.pinned())?.recheck?.from, 50n);
  await db.query("update mempool_submitter_v1 set recheck_at = recheck_at - interval '1 hour'");
  t.is((await db.store.pinned())?.recheck, null);
});

test('P20 a settle waits for a recheck without a row in its hands, so that neither waits for the other', async (t) => {
  const db = await prepared(t);
  const id = await db.insert();
  const claimed = await db.claimOne();
  const client = await db.pool.connect();
  await client.query(
    "begin; set local lock_timeout = '500ms'; lock table mempool in share row exclusive mode",
  );
  const settling = db.settle(claimed, completed);
  const renewing = db.store.renew([claimed.token], 60_000);
  const rescuing = db.another().rescue();
  await until(
    db.query,
    "select 1 from pg_locks where relation = 'mempool'::regclass and not granted having count(*) = 3",
  );
  await t.notThrowsAsync(client.query('update mempool set claimed_by = null where id = $1', [id]));
  await client.query('commit');
  client.release();
  t.is((await settling).result, 'settled');
  await Promise.all([renewing, rescuing]);
});

test('P20 a role or server that may not ask has no identity, and claims as before', async (t) => {
  const db = await prepared(t);
  await db.insert();
  await db.query('revoke execute on function pg_control_system(), pg_walfile_name(pg_lsn) from public');
  await db.query('grant select, insert, update on all tables in schema public to pg_read_all_data');
  const client = await db.pool.connect();
  t.teardown(async () => client.release());
  await client.query('set role pg_read_all_data');
  t.like((await client.query('select * from mempool_database_v1()')).rows, [
    { database_id: null, timeline: null },
  ]);
  await db.query(
    'update mempool_submitter_v1 set database_id = null, timeline = null, database_oid = null, table_oid = null',
  );
  const claim = "select answer from mempool_claim_v1(false, 1, 'h', 1, 30000, 0, 1, 1000)";
  t.deepEqual((await client.query(claim)).rows, [{ answer: 'row' }]);
  await client.query('reset role');
  const pinned = await db.store.pinned();
  t.is(pinned?.database, null);
  t.truthy(pinned?.answeringDatabase);
  // Allowed later: migrate pins it.
  await migrate(migrateOptions(db.url));
  t.like(await db.store.pinned(), { generation: 2n, database: pinned?.answeringDatabase });
});

test('P20 migrate never pins another database than the pinned one: that is for the recheck', async (t) => {
  const db = await prepared(t);
  await leave(db);
  await migrate(migrateOptions(db.url, { changes: { clockSkewMaxMs: 90_000 } }));
  t.is((await db.store.pinned())?.database?.timeline, '0000FFFF');
});

test('halted: every claim, look and write-ahead of every instance answers stale, until a person has acted', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'undecided');
  await db.insert({ from: 'undecided' });
  await db.settle(await db.claimOne(), pending({ record: 'keep' }));
  await db.insert({ from: 'claimed' });
  const claimed = await db.claimOne();
  await db.insert({ from: 'fresh' });
  t.true(await db.store.halt('an acceptance after its bound', 1));
  t.false(await db.store.halt('once more', 1));
  t.like(await db.store.pinned(), { generation: 2n, halted: 'an acceptance after its bound' });
  t.like(await db.one('select action, change from mempool_submitter_audit_v1'), {
    action: 'halt',
    change: { reason: 'an acceptance after its bound' },
  });
  for (const generation of [1n, 2n]) {
    const now = { ...claimRequest, generation };
    t.deepEqual(await db.store.claim({ ...now, sentFrom: 1n, windowMs: 1 }), { kind: 'stale' });
    t.deepEqual(await db.store.claimUndecided(now), { kind: 'stale' });
    const record = {
      sentFrom: 9n,
      sentUntil: null,
      submissionId: 's',
      party: aParty('x'),
      sentOn: 1,
      hash: null,
    };
    t.is(await db.store.writeAhead(claimed, record, generation), 'stale');
  }
});
