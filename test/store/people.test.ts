// What people do against the usual way of a row: replay in its four ways, repin, tolerance. Each leaves its audit entry.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { dbMillis, type TxHash } from '../../src/core/ids.js';
import { settlementOf } from '../../src/protocol/settlement.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { complete, findRowToComplete } from '../../src/store/operator/complete.js';
import { forceNew, previewForceNew } from '../../src/store/operator/force-new.js';
import { findRow } from '../../src/store/operator/overview.js';
import { recheckByHand } from '../../src/store/operator/recheck-by-hand.js';
import { repin } from '../../src/store/operator/repin.js';
import { replay } from '../../src/store/operator/replay.js';
import { readStory } from '../../src/store/operator/story.js';
import { readStatus } from '../../src/store/status.js';
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

const participant = { id: 'participant-1', userId: 'user-1', synchronizerId: 'sync-1' };
const audited = (db: Prepared) =>
  db.query(
    "select action, '0x' || encode(tx_hash, 'hex') as hash, change from mempool_submitter_audit_v1 order by id",
  );
const hashOf = (bytes: Uint8Array): TxHash => `0x${Buffer.from(bytes).toString('hex')}` as TxHash;

/** A parked row of a hosted sender, with the record of its submission; its hash. */
async function parkedUndecided(
  db: Prepared,
  from = 'alice',
  nonce = 1,
): Promise<{ id: string; hash: TxHash }> {
  await db.query(
    'insert into users (evm_address, canton_party, fingerprint) values ($1, $2, $3) on conflict do nothing',
    [from, `${from}::1220`, 'f'],
  );
  const bytes = randomBytes(32);
  const id = await db.insert({ from, nonce, hash: bytes });
  await db.settle(
    await db.claimOne(),
    pending({ record: 'keep', wait: 'parked', lastError: 'LOST: nobody knows' }),
  );
  return { id, hash: hashOf(bytes) };
}

const noRecord = {
  sent_from: null,
  sent_until: null,
  submission_id: null,
  submission_party: null,
  sent_on: null,
};

test('replay --force-new takes parked rows alone, forgets their record, keeps their place in the lane, and leaves an entry', async (t) => {
  const db = await prepared(t);
  const { id, hash } = await parkedUndecided(db, 'alice', 4);
  const before = await db.row(id);
  await db.insert({ from: 'alice', nonce: 5 });
  const undecided = await db.claimOne();
  await db.settle(undecided, pending({ record: 'keep' }));
  await db.insert({ from: 'bob' });
  await db.claimOne();

  for (const selection of [{ sender: 'bob' }, { hash: undecided.row.txHash }]) {
    t.deepEqual((await previewForceNew(db.database, selection)).rows, [], 'held, or not parked');
  }
  t.like(await previewForceNew(db.database, { sender: 'alice' }), {
    rows: [],
    byHashAlone: [{ txHash: hash }],
  });
  const { rows: shown } = await previewForceNew(db.database, { hash });
  t.like(shown, [{ row: { txHash: hash, state: 'parked', undecided: true } }]);
  t.is(shown.length, 1);
  t.deepEqual(await db.row(id), before, 'showing does nothing');
  t.deepEqual(
    await forceNew(db.database, shown),
    shown.map(({ row }) => row),
  );
  t.like(await db.row(id), { ...noRecord, status: 'pending', attempts: 0 });
  const [entry, ...more] = await audited(db);
  t.deepEqual(more, []);
  t.like(entry, { action: 'force-new', hash });
  t.like(entry?.change, { last_error: 'LOST: nobody knows' });
  t.like(entry?.change.forgotten, {
    sent_from: 7,
    submission_id: before.submission_id,
    submission_party: 'alice::1220',
  });

  t.deepEqual(await db.claim(), [], 'nonce 5 is undecided: it holds the lane');
  const [look] = await db.look();
  if (look === undefined) return t.fail();
  await db.settle(look, completed);
  const [claimed] = await db.claim();
  t.deepEqual([claimed?.row.id as string, claimed?.kind], [id, 'fresh']);
  await t.throwsAsync(() => previewForceNew(db.database, {}), { message: /nothing selected/ });
});

test('replay --completed finds a row with its parties, and says what it is', async (t) => {
  const db = await prepared(t);
  const { hash } = await parkedUndecided(db);
  await insertUser(db.query, 'bob');
  t.like(await findRowToComplete(db.database, hash), {
    state: 'settleable',
    sender: aParty('alice'),
    recipient: aParty('bob'),
    row: { txHash: hash, fromAddress: 'alice', nonce: 1n },
  });
  // Sent with the party of then, whatever `users` says now.
  await db.query("update users set canton_party = 'other::1220'");
  t.like(await findRowToComplete(db.database, hash), { sender: aParty('alice'), recipient: aParty('other') });
  t.is(await findRowToComplete(db.database, hashOf(randomBytes(32))), null);
  const states = new Map<string, string | undefined>();
  for (const from of ['claimed', 'waiting', 'failed', 'mined', 'unleased']) {
    const bytes = randomBytes(32);
    await db.insert({ from, hash: bytes });
    if (from !== 'waiting') {
      const claimed = await db.claimOne();
      if (from === 'failed') await db.settle(claimed, failed);
      if (from === 'mined') await db.settle(claimed, completed);
      if (from === 'mined')
        await db.query("update mempool set status = 'mined' where from_address = 'mined'");
      if (from === 'unleased')
        await db.query(
          "update mempool set available_at = 'infinity', lease_expires_at = null where from_address = 'unleased'",
        );
    } else
      await db.query(
        "update mempool set available_at = now() + interval '1 min' where from_address = 'waiting'",
      );
    states.set(from, (await findRowToComplete(db.database, hashOf(bytes)))?.state);
  }
  t.deepEqual([...states.values()], ['claimed', 'not parked', 'failed', 'mined', 'claimed']);
});

test('replay --completed settles a parked row once, with the update, and leaves an entry; never two rows by one update', async (t) => {
  const db = await prepared(t);
  const { id, hash } = await parkedUndecided(db);
  const other = await parkedUndecided(db, 'bob');
  const update = { id: 'update-9', offset: 9_007_199_254_740_993n };
  const results = await Promise.all([1, 2, 3].map(() => complete(db.database, hash, update)));
  t.deepEqual([...results].sort(), ['changed', 'changed', 'completed']);
  t.like(await db.row(id), {
    ...noRecord,
    status: 'completed',
    update_id: 'update-9',
    completion_offset: '9007199254740993',
    lease_expires_at: null,
    claim_token: null,
  });
  t.deepEqual(await complete(db.database, other.hash, update), { takenBy: hash });
  t.is(await complete(db.database, other.hash, { id: 'update-10', offset: null }), 'completed');
  const [entry, ...more] = await audited(db);
  t.is(more.length, 1);
  t.like(entry, { action: 'completed', hash });
  t.like(entry?.change, { update_id: 'update-9', last_error: 'LOST: nobody knows' });
  t.is(entry?.change.forgotten.submission_party, 'alice::1220');
});

test('replay --completed: two people give two rows the same update at the same time, and one of them is told', async (t) => {
  const db = await prepared(t);
  const rows = [await parkedUndecided(db), await parkedUndecided(db, 'bob')];
  const keeper = await db.pool.connect();
  await keeper.query('begin; select 1 from mempool for update');
  const completing = rows.map(({ hash }) => complete(db.database, hash, { id: 'update-9', offset: null }));
  await until(
    db.query,
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' having count(*) = 2",
  );
  await keeper.query('commit');
  keeper.release();
  const results = await Promise.all(completing);
  t.is(results.filter((one) => one === 'completed').length, 1);
  t.is(results.filter((one) => typeof one === 'object').length, 1);
});

test('replay --completed changes no row that is claimed, not parked, or not pending', async (t) => {
  const db = await prepared(t);
  const update = { id: 'u', offset: null };
  const bytes = randomBytes(32);
  const id = await db.insert({ hash: bytes });
  t.is(await complete(db.database, hashOf(bytes), update), 'changed');
  const claimed = await db.claimOne();
  await db.query("update mempool set available_at = 'infinity' where id = $1", [id]);
  t.is(await complete(db.database, hashOf(bytes), update), 'changed');
  await db.query('update mempool set lease_expires_at = null where id = $1', [id]);
  t.is(
    await complete(db.database, hashOf(bytes), update),
    'changed',
    'a token without a lease is a claim until rescued',
  );
  await db.settle(claimed, failed);
  t.is(await complete(db.database, hashOf(bytes), update), 'changed');
  t.like(await db.row(id), { status: 'failed', update_id: null });
  t.deepEqual(await audited(db), []);
});

test('a parked row is given up by the very statement of the run-book, and no other row is', async (t) => {
  const db = await prepared(t);
  const runbooks = readFileSync(new URL('../../docs/runbooks.md', import.meta.url), 'utf8');
  const [, sql = ''] = /must not be sent any more.*?```sql\n(.*?)```/s.exec(runbooks) ?? [];
  const giveUp = (hash: TxHash) => db.query(sql.replace("'…'", `'${hash.slice(2)}'`));
  const { id, hash } = await parkedUndecided(db);
  // As with LANES=holdings: what a row has reserved goes with its record, or the table refuses the statement.
  await db.query("update mempool set sent_inputs = array['#1'] where id = $1", [id]);
  const other = randomBytes(32);
  await db.insert({ from: 'carol', hash: other });
  await giveUp(hashOf(other));
  await giveUp(hash);
  t.like(await db.one('select * from mempool where id = $1', [id]), {
    status: 'failed',
    error_message: 'what the wallet should read',
    ...noRecord,
  });
  t.is((await db.one('select status from mempool where tx_hash = $1', [other])).status, 'pending');
  const claimed = await db.claimOne();
  await giveUp(claimed.row.txHash);
  t.is((await db.one('select status from mempool where tx_hash = $1', [other])).status, 'pending');
});

test('replay --recheck doubts the whole table on a database that shows no new timeline, with nobody at work', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  await db.claimOne();
  const before = await db.row(id);
  t.deepEqual(await recheckByHand(db.database, ['0x70C']), { kind: 'held', rows: 1, holders: ['test'] });
  t.deepEqual(await db.row(id), before);
  await db.expire(id);
  t.deepEqual(await recheckByHand(db.database, ['0x70C']), { kind: 'rechecked', rows: 1 });
  t.like(await db.row(id), {
    claim_token: null,
    submission_id: null,
    sent_from: '0',
    submission_party: 'alice::1220',
  });
  t.is((await db.store.pinned())?.recheck?.from, 0n);
  t.deepEqual(
    (await audited(db)).map((entry) => entry.action),
    ['recheck'],
  );
  t.deepEqual(
    await db.store.claim({ holder: 'h', limit: 1, leaseMs: 1, generation: 1n, sentFrom: 1n, windowMs: 1 }),
    { kind: 'stale' },
  );
});

test('migrate --repin: undecided rows are parked with their records, claims end, and the next instance pins anew', async (t) => {
  const db = await prepared(t);
  const say = () => {};
  const yes = async () => true;
  await t.throwsAsync(() => repin(db.url, yes, say), { message: /no participant is pinned/ });
  await db.store.pinParticipant(1n, participant);
  await advance(db.store, {
    ledgerEnd: 9n,
    mark: { offset: 8n, updateId: 'u', party: aParty('p') },
    oldMark: null,
  });
  const parked = await parkedUndecided(db, 'parked');
  for (const from of ['flying', 'undecided']) await insertUser(db.query, from);
  const [flying, undecided, judged] = [
    await db.insert({ from: 'flying' }),
    await db.insert({ from: 'undecided' }),
    await db.insert({ from: 'judged' }),
  ];
  const claims = await db.claim();
  const [, toKeep, late] = claims;
  if (toKeep === undefined || late === undefined) return t.fail();
  await db.settle(toKeep, pending({ record: 'keep', lastError: 'UNKNOWN: deadline' }));
  const waiting = await db.insert({ from: 'waiting' });
  await db.query(
    'update mempool_submitter_v1 set recheck_from = 1, recheck_until = now(), recheck_at = now()',
  );

  await t.throwsAsync(() => repin(db.url, yes, say), { message: /^refused: test holds 2 claimed rows/ });
  for (const id of [flying, judged]) await db.expire(id);
  const previews: unknown[] = [];
  await repin(db.url, async (preview) => previews.push(preview) === 0, say);
  t.deepEqual(previews, [{ participant: 'participant-1', undecided: 3, claimed: 1, rechecked: true }]);
  t.like(await db.store.pinned(), { sentOn: 1, participant }, 'asked, and not agreed');

  const said: string[] = [];
  await repin(db.url, yes, (line) => said.push(line));
  t.regex(
    said.join('\n'),
    /participant-1 is no longer pinned.*no\. 2\n3 undecided rows are parked.*1 other claims have ended/,
  );
  t.like(await db.store.pinned(), {
    generation: 3n,
    sentOn: 2,
    participant: null,
    ledgerEnd: null,
    mark: null,
    recheck: null,
  });
  const free = { claim_token: null, claimed_by: null, lease_expires_at: null, status: 'pending' };
  const record = { ...free, available_at: Number.POSITIVE_INFINITY, sent_on: 1, sent_from: '7' };
  t.like(await db.row(parked.id), { ...record, last_error: 'LOST: nobody knows' });
  for (const id of [flying, undecided]) {
    const row = await db.row(id);
    t.like(row, record);
    t.regex(row.last_error ?? '', /^REPINNED: sent on participant no\. 1, participant-1/);
  }
  t.like(await db.row(judged), { ...free, ...noRecord });
  t.like(await db.row(waiting), { ...free, ...noRecord });
  t.is((await db.settle(late, failed)).result, 'fenced', 'what it judged by was the other participant');
  const [entry] = await audited(db);
  t.like(entry, { action: 'repin' });
  t.like(entry?.change, { participant_id: 'participant-1', sent_on: 1, ledger_end: '9', parked: 3 });

  // What was sent there nobody looks at here, and no replay makes it due.
  t.deepEqual(
    await replay(db.database, { olderThanMs: 0 }, { dryRun: true }).then((rows) =>
      rows.map((row) => row.sender),
    ),
    ['judged', 'waiting'],
  );
  await replay(db.database, { parked: true }, { dryRun: false });
  t.deepEqual(await db.look(), []);
  t.deepEqual(idsOf(await db.claim()), [judged, waiting]);
  const status = await readStatus(db.database);
  t.is(status.recordedElsewhere, 3);
  // Nor is anybody told to replay it, whatever it had parked for before.
  const parkedBefore = status.parked.find(({ txHash }) => txHash === parked.hash);
  t.like(parkedBefore, { reason: 'LOST: nobody knows', elsewhere: true });
  t.like(await findRow(db.database, parked.hash), { elsewhere: true });
  t.like((await readStory(db.database, parked.hash))?.row, { elsewhere: true });
  const { rows: shown } = await previewForceNew(db.database, { hash: parked.hash });
  t.is((await forceNew(db.database, shown)).length, 1);
  t.is((await readStatus(db.database)).recordedElsewhere, 2);
});

/** One row of each kind of bound. */
async function bounds(db: Prepared): Promise<() => Promise<Record<string, number | string>>> {
  await insertUser(db.query, 'hosted');
  await insertUser(db.query, 'flying');
  await insertUser(db.query, 'elsewhere');
  for (const from of ['signed', 'unknown', 'boundless'])
    await insertUser(db.query, from, { key: 'c2VjcmV0' });
  for (const from of ['hosted', 'flying', 'elsewhere', 'signed', 'unknown', 'boundless'])
    await db.insert({ from });
  for (const claimed of await db.claim()) {
    const { fromAddress: from } = claimed.row;
    const record = {
      sentFrom: 1n,
      sentUntil: dbMillis(4e12),
      submissionId: 's',
      party: aParty(from),
      sentOn: 1,
      hash: null,
    };
    const hash = { bytes: new Uint8Array(32), scheme: 2 };
    if (from === 'signed') await db.store.writeAhead(claimed, { ...record, hash }, 1n);
    if (from === 'unknown') await db.store.writeAhead(claimed, { ...record, submissionId: null }, 1n);
    if (from === 'boundless') await db.store.writeAhead(claimed, { ...record, sentUntil: null }, 1n);
    if (from !== 'flying') await db.settle(claimed, pending({ record: 'keep' }));
  }
  await db.query('update mempool set sent_until = to_timestamp(4000000000)');
  await db.query("update mempool set sent_until = 'infinity' where from_address = 'boundless'");
  await db.query("update mempool set sent_on = 7 where from_address = 'elsewhere'");
  return async () => {
    const rows = await db.query<{ sender: string; moved: number | string }>(
      'select from_address as sender, extract(epoch from sent_until - to_timestamp(4000000000))::float8 as moved from mempool where sent_until < $1',
      ['infinity'],
    );
    return Object.fromEntries(rows.map(({ sender, moved }) => [sender, moved]));
  };
}

test('the tolerance grows by --tolerance: what was sent under the old one may be accepted that much longer, so its bound moves', async (t) => {
  const db = await prepared(t);
  const moved = await bounds(db);
  await db.query(
    'update mempool_submitter_v1 set recheck_from = 1, recheck_until = to_timestamp(4000000000), recheck_at = now()',
  );
  t.deepEqual(await moved(), { hosted: 0, flying: 0, elsewhere: 0, signed: 0, unknown: 0 });
  const said: string[] = [];
  await migrate(
    migrateOptions(db.url, {
      changes: { toleranceMs: 90_000, clearsHalt: true },
      say: (line) => said.push(line),
    }),
  );
  // What was signed says itself until when; of another participant this one decides nothing.
  t.deepEqual(await moved(), { hosted: 30, flying: 30, elsewhere: 0, signed: 0, unknown: 30 });
  t.true(said.some((line) => line.startsWith('3 undecided rows were sent under the earlier tolerance')));
  t.like(await db.store.pinned(), {
    generation: 2n,
    toleranceMs: 90_000,
    recheck: { until: dbMillis(4_000_000_030_000) },
  });
  t.like(await audited(db), [
    { action: 'tolerance', change: { before_ms: 60_000, after_ms: 90_000, bounds_moved: 3 } },
  ]);
  await migrate(migrateOptions(db.url, { changes: { toleranceMs: 10_000, lowers: true } }));
  t.deepEqual(
    await moved(),
    { hosted: 30, flying: 30, elsewhere: 0, signed: 0, unknown: 30 },
    'a lower one moves none',
  );
});

test('migrate --tolerance lets claims go on that were halted; plain migrate does not', async (t) => {
  const db = await prepared(t);
  const id = await db.insert();
  await db.store.halt('accepted 3 s after its bound', 3_000);
  t.is((await readStatus(db.database)).halted, 'accepted 3 s after its bound');
  await migrate(migrateOptions(db.url, { changes: { clockSkewMaxMs: 90_000 } }));
  t.like(await db.store.pinned(), { generation: 3n, halted: 'accepted 3 s after its bound' });
  const said: string[] = [];
  await migrate(
    migrateOptions(db.url, {
      changes: { toleranceMs: 63_000, clearsHalt: true },
      say: (line) => said.push(line),
    }),
  );
  t.true(said.includes('claims are no longer halted; the reason was: accepted 3 s after its bound'));
  t.like(await db.store.pinned(), { generation: 4n, halted: null });
  t.like((await audited(db))[2], { action: 'tolerance', change: { halted: 'accepted 3 s after its bound' } });
  t.deepEqual(idsOf(await db.claim()), [id]);
});

test('status says whether it is halted, whether it was rechecked, and what was sent elsewhere', async (t) => {
  const db = await prepared(t);
  t.like(await readStatus(db.database), { halted: null, recheck: null, recordedElsewhere: 0 });
  await advance(db.store, { ledgerEnd: 12n, mark: null, oldMark: null });
  await recheckByHand(db.database, []);
  const { recheck, now } = await readStatus(db.database);
  t.is(recheck?.from, 0n);
  t.true(recheck !== null && recheck.until > now && recheck.at <= now);
});

test('a recheck amid claims and settles: no deadlock, and each gets its turn', async (t) => {
  const db = await prepared(t);
  await db.store.pinParticipant(1n, participant);
  for (let n = 0; n < 40; n++) await db.insert({ from: `s${n}` });
  const stores = Array.from({ length: 4 }, () => db.another());
  let over = false;
  const work = Promise.all(
    stores.map(async (store) => {
      while (!over) {
        const generation = (await store.pinned())?.generation ?? 0n;
        const reply = await store.claim({
          holder: 'h',
          limit: 4,
          leaseMs: LEASE_MS,
          generation,
          sentFrom: 1n,
          windowMs: 1,
        });
        const rows = reply.kind === 'claimed' ? reply.rows : [];
        await store.settle(rows.map((claim) => settlementOf(claim, pending())));
      }
    }),
  );
  for (let n = 0; n < 5; n++) {
    await db.query("update mempool_submitter_v1 set timeline = '0000FFFF'");
    const generation = (await db.store.pinned())?.generation ?? 0n;
    t.truthy(await db.store.recheck({ generation, notBefore: dbMillis(0), oneStepTokens: [] }));
  }
  over = true;
  await work;
  await repin(
    db.url,
    async () => true,
    () => {},
  );
  t.is(
    (
      await db.one<{ n: number }>(
        'select deadlocks::int as n from pg_stat_database where datname = current_database()',
      )
    ).n,
    0,
  );
});
