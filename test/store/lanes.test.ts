// I6: one transfer in flight per sender, lowest (nonce, id) first.
import test from 'ava';
import type pg from 'pg';
import { settlementOf } from '../../src/protocol/settlement.js';
import { waitForLocks } from '../support/lock-timeouts.js';
import {
  completed,
  failed,
  idsOf,
  insertRow,
  insertUser,
  LEASE_MS,
  pending,
  prepared,
  until,
} from './support.js';

/**
 * A gate inside the claim, at the moment when it tries a lane's lock: what it knows by then it knows from a snapshot
 * taken before. A function of that name earlier on the search path waits for the gate, then does what the real one does.
 */
const GATE = `
  create schema gate;
  create function gate.pg_try_advisory_xact_lock(lane bigint) returns boolean language plpgsql as $$
  begin
    if current_setting('gate.closed', true) = 'yes' then perform pg_advisory_xact_lock_shared(1, 1); end if;
    return pg_catalog.pg_try_advisory_xact_lock(lane);
  end $$;
  alter function mempool_choose_v1 set search_path = gate, public, pg_catalog`;
const CLAIM = "select id from mempool_claim_v1(false, 1, 'p', 8, 30000, 0, 1, 1000) where answer = 'row'";
/** In this database: others have gates of their own. */
const AT_THE_GATE = `select 1 from pg_locks l join pg_database d on d.oid = l.database
  where d.datname = current_database() and locktype = 'advisory' and classid = 1 and not granted`;

/** Runs a claim up to the gate, then `meanwhile`, then lets it go on. */
async function gatedClaim(
  db: { readonly pool: pg.Pool; query(sql: string): Promise<pg.QueryResultRow[]> },
  meanwhile: () => Promise<void>,
): Promise<string[]> {
  await waitForLocks(db.query);
  const [keeper, claimer] = [await db.pool.connect(), await db.pool.connect()];
  await claimer.query("set gate.closed = 'yes'");
  await keeper.query('select pg_advisory_lock(1, 1)');
  const claiming = claimer.query<{ id: string }>(CLAIM);
  await until(db.query as never, AT_THE_GATE);
  await meanwhile();
  await keeper.query('select pg_advisory_unlock(1, 1)');
  const { rows } = await claiming;
  await claimer.query('reset gate.closed');
  keeper.release();
  claimer.release();
  return rows.map((row) => row.id);
}

const inFlight = "select from_address from mempool where status = 'pending' and claim_token is not null";

test('P9 two processes claim with snapshots taken before each other committed: one of them gets the row', async (t) => {
  const db = await prepared(t);
  await db.query(GATE);
  const id = await db.insert();
  const late = await gatedClaim(db, async () => {
    t.deepEqual(idsOf(await db.claim()), [id]);
  });
  t.deepEqual(late, []);
  t.is((await db.row(id)).attempts, 1);
});

test('P9 take looks at each row again: one that was claimed, parked or ended since it was chosen is not taken', async (t) => {
  const db = await prepared(t);
  const [claimed, parked, ended, free] = [
    await db.insert({ from: 'a' }),
    await db.insert({ from: 'b' }),
    await db.insert({ from: 'c' }),
    await db.insert({ from: 'd' }),
  ];
  t.deepEqual(idsOf(await db.claim(1)), [claimed]);
  await db.query("update mempool set available_at = 'infinity' where id = $1", [parked]);
  await db.query("update mempool set status = 'failed' where id = $1", [ended]);
  const before = await db.query('select * from mempool where id <> $1 order by id', [free]);
  const taken = await db.query(
    `select t.id from mempool_submitter_v1 p, mempool_take_v1(p, false, $1, null, 'late', 30000, 1, 1000) t`,
    [[claimed, parked, ended, free]],
  );
  t.deepEqual(taken, [{ id: free }]);
  t.deepEqual(await db.query('select * from mempool where id <> $1 order by id', [free]), before);
});

for (const without of ['', 'drop index mempool_claimed_lane_v2']) {
  const name = without === '' ? '' : ' (without the unique index: the look alone holds it)';
  test(`P9 the sender's other row was claimed in between: still one row of a sender in flight${name}`, async (t) => {
    const db = await prepared(t);
    if (without) await db.query(without);
    await db.query(GATE);
    await db.insert({ nonce: 5 });
    const late = await gatedClaim(db, async () => {
      const lower = await db.insert({ nonce: 4 });
      t.deepEqual(idsOf(await db.claim()), [lower]);
    });
    t.deepEqual(late, []);
    t.is((await db.query(inFlight)).length, 1);
  });
}

test('P9 the claim waits for no other claim: the lane is skipped while its lock is held', async (t) => {
  const db = await prepared(t);
  await db.insert({ from: 'alice' });
  const other = await db.insert({ from: 'bob' });
  const client = await db.pool.connect();
  await client.query("begin; select pg_advisory_xact_lock(hashtextextended('alice', 0))");
  t.deepEqual(idsOf(await db.claim()), [other]);
  await client.query('rollback');
  client.release();
});

test('P9 I6 is a constraint too: a second claim of a sender is refused, whoever writes it', async (t) => {
  const db = await prepared(t);
  await db.insert({ nonce: 1 });
  const second = await db.insert({ nonce: 2 });
  await db.claimOne();
  await t.throwsAsync(
    () => db.query('update mempool set claim_token = gen_random_uuid() where id = $1', [second]),
    { message: /mempool_claimed_lane_v2/ },
  );
});

test('P10 nonce 4 is committed while 5 is in flight, and a parked 3 is replayed: one in flight, then lowest first', async (t) => {
  const db = await prepared(t);
  const three = await db.insert({ nonce: 3 });
  await db.settle(await db.claimOne(), pending({ wait: 'parked' }));
  const five = await db.insert({ nonce: 5 });
  const flying = await db.claimOne();
  t.is(flying.row.id as string, five);
  const six = await db.insert({ nonce: 6 });
  const four = await db.insert({ nonce: 4 });
  await db.query('update mempool set available_at = now() where id = $1', [three]);
  t.deepEqual(await db.claim(), []);
  t.deepEqual(await db.settle(flying, completed), { result: 'settled', laneWaits: true });
  for (const expected of [three, four, six]) {
    const next = await db.claimOne();
    t.is(next.row.id as string, expected);
    await db.settle(next, completed);
  }
});

test('P10 same nonce: the lower id first', async (t) => {
  const db = await prepared(t);
  const ids = [await db.insert(), await db.insert()];
  t.deepEqual(idsOf(await db.claim()), ids.slice(0, 1));
});

test('P10 the head is an undecided row where there is one: a lower fresh nonce waits for its look', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const five = await db.insert({ nonce: 5 });
  await db.settle(await db.claimOne(), pending({ record: 'keep' }));
  await db.insert({ nonce: 4 });
  t.deepEqual(await db.claim(), []);
  const [look] = await db.look();
  t.is(look?.row.id as string, five);
  t.deepEqual(await db.claim(), [], 'a look holds its lane');
});

test('P10 a submission is dead: its row is claimed anew in its lane, after a lower nonce that came meanwhile', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const five = await db.insert({ nonce: 5 });
  await db.settle(await db.claimOne(), pending({ record: 'keep' }));
  const [look] = await db.look();
  if (look === undefined) return t.fail();
  const four = await db.insert({ nonce: 4 });
  t.deepEqual(await db.claim(), [], 'the look holds the lane');
  t.deepEqual(await db.settle(look, pending({ record: 'clear' })), { result: 'settled', laneWaits: true });
  t.is((await db.row(five)).sent_until, null);
  for (const expected of [four, five]) {
    const next = await db.claimOne();
    t.deepEqual([next.row.id as string, next.kind], [expected, 'fresh']);
    await db.settle(next, completed);
  }
});

const endings: Record<string, (db: Awaited<ReturnType<typeof prepared>>, id: string) => Promise<unknown>> = {
  'our settle': async (db, id) => {
    const { rows } = await db.pool.query('select claim_token from mempool where id = $1', [id]);
    return db.store.settle([
      {
        id: id as never,
        txHash: '0x' as never,
        token: rows[0].claim_token,
        verdict: completed,
        under: { generation: 1n, bound: null },
      },
    ]);
  },
  'psql, by the guard': (db, id) =>
    db.query(
      "update mempool set status = 'failed', lease_expires_at = null, sent_until = null where id = $1",
      [id],
    ),
  'a dead process': async (db, id) => {
    await db.expire(id);
    await db.store.rescue();
    await db.query("update mempool set available_at = 'infinity' where id = $1", [id]);
  },
};
for (const [who, end] of Object.entries(endings)) {
  test(`P11 the head of a lane ends by ${who}: the next is claimed`, async (t) => {
    const db = await prepared(t);
    const [head, next] = [await db.insert({ nonce: 1 }), await db.insert({ nonce: 2 })];
    t.deepEqual(idsOf(await db.claim()), [head]);
    await end(db, head);
    t.deepEqual(idsOf(await db.claim()), [next]);
  });
}

test('P11 the head ends as the next row is being inserted: it is claimed as soon as it is committed', async (t) => {
  const db = await prepared(t);
  await db.insert({ nonce: 1 });
  const head = await db.claimOne();
  const client = await db.pool.connect();
  await client.query('begin');
  const next = await insertRow(async (sql, values) => (await client.query(sql, values)).rows, { nonce: 2 });
  t.deepEqual(await db.settle(head, completed), { result: 'settled', laneWaits: false });
  t.deepEqual(await db.claim(), []);
  await client.query('commit');
  client.release();
  t.deepEqual(idsOf(await db.claim()), [next]);
});

test('P12 a head in backoff holds its lane, and nothing cancels its backoff', async (t) => {
  const db = await prepared(t);
  const head = await db.insert({ nonce: 1 });
  await db.insert({ nonce: 2 });
  await db.settle(await db.claimOne(), pending({ wait: 60_000 }));
  const { available_at: until } = await db.row(head);
  t.deepEqual(await db.claim(), []);
  await db.store.rescue();
  t.deepEqual((await db.row(head)).available_at, until);
  await db.query("update mempool set available_at = now() - interval '1 ms' where id = $1", [head]);
  t.deepEqual(idsOf(await db.claim()), [head]);
});

test('P12 parked and failed heads step aside, an undecided one that is parked too', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const ids = [1, 2, 3, 4].map((nonce) => db.insert({ nonce }));
  const [, , , last] = await Promise.all(ids);
  await db.settle(await db.claimOne(), pending({ wait: 'parked' }));
  await db.settle(await db.claimOne(), failed);
  await db.settle(await db.claimOne(), pending({ record: 'keep', wait: 'parked' }));
  t.deepEqual(idsOf(await db.claim()), last === undefined ? [] : [last]);
  t.deepEqual(await db.look(), []);
});

test('P12 released by a stop: it is the head again, at its old place and count', async (t) => {
  const db = await prepared(t);
  const head = await db.insert({ nonce: 1 });
  await db.insert({ nonce: 2 });
  const before = await db.row(head);
  await db.settle(await db.claimOne(), pending({ attempts: -1 }));
  const after = await db.row(head);
  t.deepEqual(after.available_at, before.available_at);
  t.is(after.attempts, 0);
  t.deepEqual(idsOf(await db.claim()), [head]);
});

test('P12 parked by hand while in flight: neither a retry nor a release un-parks it', async (t) => {
  const db = await prepared(t);
  for (const wait of ['now', 1_000] as const) {
    const id = await db.insert();
    const claimed = await db.claimOne();
    await db.query("update mempool set available_at = 'infinity' where id = $1", [id]);
    await db.settle(claimed, pending({ wait }));
    t.is((await db.row(id)).available_at, Number.POSITIVE_INFINITY);
  }
});

test('I6 a sender is its address: claims of one sender exclude each other in every case of a race', async (t) => {
  const db = await prepared(t);
  await db.query(`insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
    select sha256(i::text::bytea), 's' || i % 3, 't', 'r', i, '', '' from generate_series(1, 300) i`);
  const stores = Array.from({ length: 6 }, () => db.another());
  let most = 0;
  const last = new Map<string, bigint>();
  await Promise.all(
    stores.map(async (store) => {
      for (let empty = 0; empty < 60; ) {
        const reply = await store.claim({
          holder: 'p',
          limit: 3,
          leaseMs: LEASE_MS,
          generation: 1n,
          sentFrom: 1n,
          windowMs: 1,
        });
        const rows = reply.kind === 'claimed' ? reply.rows : [];
        if (rows.length === 0) empty += 1;
        else empty = 0;
        for (const { row } of rows) {
          t.true(row.nonce > (last.get(row.fromAddress) ?? 0n), 'in order');
          last.set(row.fromAddress, row.nonce);
        }
        most = Math.max(most, (await db.query(inFlight)).length);
        await store.settle(rows.map((claim) => settlementOf(claim, completed)));
      }
    }),
  );
  t.true(most <= 3);
  t.is((await db.query("select 1 from mempool where status <> 'completed'")).length, 0);
});
