// P20 on two real servers: what a failover to a standby that is behind loses, and what the statements there make of it.
import test from 'ava';
import pg from 'pg';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { ClaimReply } from '../../src/ports/store.js';
import type { ClaimedRow } from '../../src/protocol/record.js';
import { settlementOf } from '../../src/protocol/settlement.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { openDatabase } from '../../src/store/pool.js';
import { createStore } from '../../src/store/store.js';
import { advance } from '../support/marks.js';
import { startReplicatedPostgres } from '../support/replicated-postgres.js';
import { aParty, completed, failed, insertRow, insertUser, LEASE_MS, migrateOptions } from './support.js';

const signed = { bytes: new Uint8Array(32).fill(7), scheme: 2 };

async function pair(t: { teardown(fn: () => Promise<void>): void }) {
  const servers = await startReplicatedPostgres(t);
  await migrate(migrateOptions(servers.url));
  const open = () => {
    const database = openDatabase({ url: servers.url });
    t.teardown(() => database.close());
    return createStore(database);
  };
  const pool = new pg.Pool({ connectionString: servers.url, max: 2 });
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  const query = async <R extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R[]> =>
    (await pool.query<R>(sql, values)).rows;
  const store = open();
  const claim = async (generation = 1n): Promise<ClaimReply> =>
    store.claim({ holder: 'h', limit: 8, leaseMs: LEASE_MS, generation, sentFrom: 7n, windowMs: 30_000 });
  const claimOne = async (): Promise<ClaimedRow> => {
    const reply = await claim();
    if (reply.kind !== 'claimed' || reply.rows[0] === undefined || reply.rows.length > 1)
      throw new Error('not one row');
    return reply.rows[0];
  };
  return { servers, store, open, query, claim, claimOne };
}

/** As an instance does: at once, and again as long as nobody is there. */
async function atOnce<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
}

test('P20 failover to a standby that lacks the last write-ahead and the last insert: the first claim there sees it, one instance rechecks, all is looked up', async (t) => {
  const { servers, store, open, query, claim, claimOne } = await pair(t);
  await insertUser(query, 'hosted');
  for (const from of ['signed', 'paused']) await insertUser(query, from, { key: 'c2VjcmV0' });
  const ofHash = new Uint8Array(32).fill(1);
  await advance(store, { ledgerEnd: 100n, mark: null, oldMark: null });
  // Claimed before, by somebody who is paused: on the standby its token is alive for ever.
  const paused = (await insertRow(query, { from: 'paused' })) as never;
  const first = await claimOne();
  for (const from of ['hosted', 'signed']) await insertRow(query, { from });
  await servers.caughtUp();
  await servers.holdBack();

  // All of this is lost: a claim with its record, a write-ahead, a whole row and its end, the marks, a change of pins.
  const [sentHosted, sentSigned] = await claim().then((reply) =>
    reply.kind === 'claimed' ? reply.rows : [],
  );
  if (sentHosted === undefined || sentSigned === undefined) return t.fail();
  const record = {
    sentFrom: 120n,
    sentUntil: null,
    submissionId: sentSigned.token,
    party: aParty('signed'),
    sentOn: 1,
    hash: signed,
  };
  t.is(await store.writeAhead(sentSigned, record, 1n), 'written');
  const settle = (claimed: ClaimedRow, verdict = completed) => store.settle([settlementOf(claimed, verdict)]);
  await settle(sentHosted);
  await insertRow(query, { from: 'wallet', hash: ofHash });
  await settle(await claimOne());
  await query("update mempool set lease_expires_at = now() - interval '1 ms' where id = $1", [paused]);
  await store.rescue();
  await settle(await claimOne());
  await advance(store, { ledgerEnd: 150n, mark: null, oldMark: null });
  t.is((await store.pinParticipant(1n, { id: 'p', userId: 'u', synchronizerId: 's' }))?.generation, 2n);

  await servers.killPrimary();
  await servers.promote();
  // The wallet's transaction is not known any more: it is sent again.
  await atOnce(() => insertRow(query, { from: 'wallet', hash: ofHash }));
  for (const generation of [1n, 2n]) t.deepEqual(await atOnce(() => claim(generation)), { kind: 'stale' });
  const undecided = { holder: 'h', limit: 8, leaseMs: LEASE_MS, generation: 1n };
  t.deepEqual(await store.claimUndecided(undecided), { kind: 'stale' });
  t.is(await store.writeAhead(sentSigned, record, 1n), 'stale');
  t.not((await settle(first, failed))[0]?.result, 'settled');
  await advance(store, { ledgerEnd: 200n, mark: null, oldMark: null });

  const pinned = await store.pinned();
  t.like(pinned, {
    generation: 1n,
    ledgerEnd: 100n,
    database: { timeline: '00000001' },
    answeringDatabase: { timeline: '00000002' },
  });
  t.is(pinned?.database?.systemId, pinned?.answeringDatabase?.systemId);
  const request = { generation: 1n, notBefore: first.row.createdAt, oneStepTokens: ['0x70c'] };
  const results = await Promise.all([store, open(), open()].map((one) => atOnce(() => one.recheck(request))));
  t.deepEqual(
    results.filter((one) => one !== null),
    [{ rows: 3 }],
  );

  const rows = await query(
    `select from_address as sender, status, claim_token as token, sent_from, submission_id as sid, sent_until = recheck_until as bound
       from mempool, mempool_submitter_v1 order by id`,
  );
  const unknown = { status: 'pending', token: null, sent_from: '100', sid: null, bound: true };
  t.deepEqual(rows, [
    { sender: 'paused', ...unknown },
    { sender: 'hosted', ...unknown },
    { sender: 'signed', ...unknown },
    // Nobody's party: nothing can have been sent for it, as far as this database knows. It looks before it fails.
    { sender: 'wallet', ...unknown, sent_from: null, bound: null },
  ]);
  const after = await store.pinned();
  t.deepEqual(after?.database, after?.answeringDatabase);
  t.is(after?.recheck?.from, 100n);
  for (const late of [first, sentSigned, sentHosted]) t.is((await settle(late, failed))[0]?.result, 'fenced');
  for (const generation of [1n, 2n]) t.deepEqual(await claim(generation), { kind: 'stale' });
  const generation = after?.generation ?? 0n;
  const fresh = await claim(generation);
  t.deepEqual(fresh.kind === 'claimed' && fresh.rows.map(({ row }) => row.fromAddress), ['wallet']);
  const looks = await store.claimUndecided({ ...undecided, generation });
  t.deepEqual(looks.kind === 'claimed' && looks.rows.map(({ row }) => row.fromAddress), [
    'paused',
    'hosted',
    'signed',
  ]);
});

test('P20 database restored to an hour ago: what was done meanwhile is pending there, and looked up from the ledger end of then', async (t) => {
  const { servers, store, query, claim } = await pair(t);
  for (const from of ['a', 'b']) await insertUser(query, from);
  await advance(store, { ledgerEnd: 10n, mark: null, oldMark: null });
  for (const from of ['a', 'b']) await insertRow(query, { from });
  await servers.caughtUp();
  await servers.holdBack();
  const reply = await claim();
  const rows = reply.kind === 'claimed' ? reply.rows : [];
  await store.settle(rows.map((claim, n) => settlementOf(claim, n === 0 ? completed : failed)));
  t.is((await query("select 1 from mempool where status <> 'pending'")).length, 2);
  await advance(store, { ledgerEnd: 5_000n, mark: null, oldMark: null });

  await servers.killPrimary();
  await servers.promote();
  t.deepEqual(await atOnce(() => claim()), { kind: 'stale' });
  const request = {
    generation: 1n,
    notBefore: rows[0]?.row.createdAt ?? (0 as never),
    oneStepTokens: ['0x70c'],
  };
  t.deepEqual(await store.recheck(request), { rows: 2 });
  t.deepEqual(
    await query('select status, sent_from from mempool'),
    Array(2).fill({ status: 'pending', sent_from: '10' }),
  );
  t.is((await store.pinned())?.recheck?.from, 10n);
});
