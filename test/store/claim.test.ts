import test from 'ava';
import { dbMillis } from '../../src/core/ids.js';
import { settlementOf } from '../../src/protocol/settlement.js';
import {
  aParty,
  completed,
  failed,
  idsOf,
  insertUser,
  LEASE_MS,
  pending,
  prepared,
  SENT_FROM,
  WINDOW_MS,
} from './support.js';

test('I1 one submitter per attempt: eight processes claim at once, every row goes to exactly one of them', async (t) => {
  const db = await prepared(t);
  await db.query(`insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
    select sha256(i::text::bytea), 's' || i, 't', 'r', 1, '', '' from generate_series(1, 400) i`);
  const stores = Array.from({ length: 8 }, () => db.another());
  const taken: string[] = [];
  await Promise.all(
    stores.map(async (store, n) => {
      for (let left = 0; left < 3; ) {
        const reply = await store.claim({
          holder: `p${n}`,
          limit: 5,
          leaseMs: LEASE_MS,
          generation: 1n,
          sentFrom: SENT_FROM,
          windowMs: WINDOW_MS,
        });
        const rows = reply.kind === 'claimed' ? reply.rows : [];
        taken.push(...idsOf(rows));
        if (rows.length === 0) left += 1;
      }
    }),
  );
  t.is(taken.length, 400);
  t.is(new Set(taken).size, 400);
});

test('I1 a claim says who, until when, and with which token; it leaves available_at and status alone', async (t) => {
  const db = await prepared(t);
  const id = await db.insert();
  const before = await db.row(id);
  const claimed = await db.claimOne();
  const after = await db.row(id);
  t.is(after.status, 'pending');
  t.deepEqual(after.available_at, before.available_at);
  t.is(after.claim_token, claimed.token);
  t.is(after.claimed_by, 'test');
  t.is(after.attempts, 1);
  t.is(claimed.attempts, 1);
  const { left } = await db.one<{ left: number }>(
    'select extract(epoch from lease_expires_at - claimed_at)::float8 * 1000 as left from mempool',
  );
  t.is(left, LEASE_MS);
  t.deepEqual(await db.claim(), []);
});

test('I3 rescue takes the token off a claim whose lease ran out, and the next claim finds the row', async (t) => {
  const db = await prepared(t);
  const id = await db.insert();
  const first = await db.claimOne();
  t.is(await db.store.rescue(), 0);
  await db.expire(id);
  t.is(await db.store.rescue(), 1);
  const second = await db.claimOne();
  t.not(second.token, first.token);
  t.is(second.attempts, 2);
});

test('I3 a token without a lease counts as run out', async (t) => {
  const db = await prepared(t);
  const id = await db.insert();
  await db.claimOne();
  await db.query('update mempool set lease_expires_at = null where id = $1', [id]);
  t.is(await db.store.rescue(), 1);
  t.deepEqual(idsOf(await db.claim()), [id]);
});

test('I1 renewals keep what is held, say what is lost, and are HOT updates', async (t) => {
  const db = await prepared(t);
  const [a, b] = [await db.insert({ from: 'a' }), await db.insert({ from: 'b' })];
  const [first, second] = await db.claim();
  if (first === undefined || second === undefined) return t.fail();
  await db.expire(b);
  await db.store.rescue();
  t.deepEqual([...(await db.store.renew([first.token, second.token], 60_000))], [[first.token, 'renewed']]);
  const { left } = await db.one<{ left: number }>(
    'select extract(epoch from lease_expires_at - now())::float8 as left from mempool where id = $1',
    [a],
  );
  t.true(left > 50);
  const client = await db.pool.connect();
  const hot = async (): Promise<number> => {
    const { rows } = await client.query<{ hot: number }>(
      "select pg_stat_get_xact_tuples_hot_updated('mempool'::regclass)::int as hot",
    );
    return rows[0]?.hot ?? 0;
  };
  await client.query('begin');
  const before = await hot();
  await client.query('select mempool_renew_v1(true, $1, 1000)', [[first.token]]);
  const after = await hot();
  await client.query('commit');
  client.release();
  t.is(after - before, 1);
});

test('I4 the claim of a hosted sender writes the record: token, party, ledger end, now + window + tolerance', async (t) => {
  const db = await prepared(t, { toleranceMs: 5_000 });
  await insertUser(db.query, 'alice');
  await insertUser(db.query, 'bob');
  const id = await db.insert({ from: 'alice', to: 'bob' });
  const reply = await db.store.claim({
    holder: 'test',
    limit: 1,
    leaseMs: LEASE_MS,
    generation: 1n,
    sentFrom: 99n,
    windowMs: 20_000,
  });
  if (reply.kind !== 'claimed') return t.fail();
  const [claimed] = reply.rows;
  if (claimed?.kind !== 'fresh') return t.fail();
  t.deepEqual(claimed.sender, { kind: 'hosted', party: 'alice::1220' as never });
  t.is(claimed.recipient as string, 'bob::1220');
  t.deepEqual(claimed.own, {
    sentFrom: 99n,
    sentUntil: (reply.now + 25_000) as never,
    submissionId: claimed.token,
    party: 'alice::1220' as never,
    sentOn: 1,
    hash: null,
  });
  const row = await db.row(id);
  t.is(row.submission_id, claimed.token);
  t.is(row.sent_from, '99');
  t.is((row.sent_until as Date).getTime(), Number(claimed.own?.sentUntil));
});

test('I4 nobody else gets a record with the claim: a stored key, an external key mode, no user', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'keyed', { key: 'c2VjcmV0' });
  await insertUser(db.query, 'external', { mode: 'external' });
  await insertUser(db.query, 'partyless', { party: '' });
  for (const from of ['keyed', 'external', 'partyless', 'nobody']) await db.insert({ from });
  const rows = await db.claim();
  t.deepEqual(
    rows.map((one) => [one.row.fromAddress, one.sender.kind, one.kind === 'fresh' && one.own]),
    [
      ['keyed', 'external', null],
      ['external', 'keyless', null],
      ['partyless', 'unknown', null],
      ['nobody', 'unknown', null],
    ],
  );
  t.is((await db.one<{ n: number }>('select count(sent_until)::int as n from mempool')).n, 0);
});

test('I4 the key of an external sender comes with the claim and with the look, sealed; of nobody else', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'signs', { key: 'c2VjcmV0', mode: 'external' });
  await insertUser(db.query, 'partyless', { key: 'c2VjcmV0', party: '' });
  await insertUser(db.query, 'hosted', { key: '' });
  for (const from of ['partyless', 'hosted']) await db.insert({ from });
  const keyless = await db.query(
    "select sender_kind as kind, sender_key as key from mempool_claim_v1(false, 1, 'h', 8, 1, 0, 1, 1000) order by id",
  );
  t.deepEqual(keyless, [
    { kind: 'unknown', key: null },
    { kind: 'hosted', key: null },
  ]);
  const id = await db.insert({ from: 'signs' });
  const signs = await db.claimOne();
  if (signs.sender.kind !== 'external') return t.fail();
  t.is(signs.sender.key.reveal(), 'c2VjcmV0');
  const dump = JSON.stringify(signs, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  t.false(dump.includes('c2VjcmV0'));
  const record = {
    sentFrom: 1n,
    sentUntil: null,
    submissionId: 'earlier',
    party: aParty('signs'),
    sentOn: 1,
    hash: null,
  };
  await db.store.writeAhead(signs, record, 1n);
  await db.settle(signs, pending({ record: 'keep' }));
  const [look] = await db.look();
  t.is(look?.row.id as string, id);
  t.true(look?.sender.kind === 'external' && look.sender.key.reveal() === 'c2VjcmV0');
});

test('I4 what was signed is in the record, both ways: hash and scheme, or neither', async (t) => {
  const db = await prepared(t);
  for (const hash of [{ bytes: new Uint8Array(32).map((_, n) => n * 7), scheme: 2 }, null]) {
    const id = await db.insert({ from: 'signs' });
    const claimed = await db.claimOne();
    const sentUntil = dbMillis(4_000_000_000_123);
    const record = {
      sentFrom: 2n ** 60n,
      sentUntil,
      submissionId: 's',
      party: aParty('signs'),
      sentOn: 3,
      hash,
    };
    t.is(await db.store.writeAhead(claimed, record, 1n), 'written');
    await db.settle(claimed, pending({ record: 'keep' }));
    const [look] = await db.look();
    if (look?.kind !== 'undecided') return t.fail();
    t.deepEqual(look.record, record);
    await db.settle(look, pending({ record: 'clear', wait: 'parked' }));
    t.like(await db.row(id), { submission_hash: null, hashing_scheme: null, sent_until: null });
  }
});

test('I4 canton_party_id goes before canton_party', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  await db.query("update users set canton_party_id = 'other::1220'");
  await db.insert({ from: 'alice' });
  t.deepEqual((await db.claimOne()).sender, { kind: 'hosted', party: 'other::1220' as never });
});

test('I4 an undecided row is not in the hot path; a look gets it with its record and counts no attempt', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const id = await db.insert({ from: 'alice' });
  const claimed = await db.claimOne();
  t.deepEqual(await db.look(), []);
  await db.settle(claimed, pending({ record: 'keep', lastError: 'UNKNOWN: deadline' }));
  t.deepEqual(await db.claim(), []);
  const [look] = await db.look();
  if (look?.kind !== 'undecided' || claimed.kind !== 'fresh') return t.fail();
  t.deepEqual(look.record, claimed.own as never);
  t.is(look.attempts, 1);
  t.is(look.row.id as string, id);
  t.deepEqual(await db.look(), []);
});

test('the claim returns the database time, with rows and without', async (t) => {
  const db = await prepared(t);
  const ask = async (): Promise<number> => {
    const reply = await db.store.claim({
      holder: 'h',
      limit: 1,
      leaseMs: 1,
      generation: 1n,
      sentFrom: 1n,
      windowMs: 1,
    });
    return reply.kind === 'claimed' ? reply.now : t.fail();
  };
  const clock = async (): Promise<number> =>
    (await db.one<{ ms: number }>('select extract(epoch from clock_timestamp())::float8 * 1000 as ms')).ms;
  for (const insert of [false, true]) {
    if (insert) await db.insert();
    const before = await clock();
    const now = await ask();
    t.true(now >= Math.floor(before) && now <= (await clock()));
  }
});

test('I5 nothing that an API wrote makes the claim fail, nor keeps others waiting', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const long = 'x'.repeat(100_000);
  await db.query(
    `insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data) values
      ('', '', '', '', -1, '', ''), (decode(repeat('00', 5000), 'hex'), $1, $1, $1, 9223372036854775807, '', decode(repeat('ff', 5000), 'hex')),
      ('\\x01', 'alice', 'not an address', E'\\x01\\u200b', 0, '', '')`,
    [long],
  );
  const rows = await db.claim();
  t.is(rows.length, 3);
  t.is(rows[0]?.row.txHash as string, '0x');
  t.is(rows[1]?.row.nonce, 9_223_372_036_854_775_807n);
  const results = await db.store.settle(
    rows.map((claim, n) => settlementOf(claim, n === 0 ? completed : failed)),
  );
  t.deepEqual(
    results.map((one) => one.result),
    ['settled', 'settled', 'settled'],
  );
});

test('P23 ten thousand rows behind one head, and 64 in flight: others are claimed at once, new ones too', async (t) => {
  const db = await prepared(t);
  await db.query(`insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
    select sha256(('f' || i)::bytea), 'flight' || i, 't', 'r', 1, '', '' from generate_series(1, 64) i`);
  t.is((await db.claim(64)).length, 64);
  await db.query(`insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
    select sha256(('h' || i)::bytea), 'hot', 't', 'r', i, '', '' from generate_series(1, 10000) i`);
  const head = await db.claimOne();
  t.is(head.row.nonce, 1n);
  await db.query(`insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
    select sha256(('o' || i)::bytea), 'other' || i, 't', 'r', 1, '', '' from generate_series(1, 40) i`);
  t.true((await db.claim(4)).length === 4, 'the very next claim finds rows of others');
  const got = new Set<string>();
  for (let calls = 0; calls < 12 && got.size < 36; calls++) {
    for (const { row } of await db.claim(16)) got.add(row.fromAddress);
  }
  t.is(got.size, 36);
  t.false(got.has('hot'));
});

test('LANES=off: rows of one sender go out together, oldest first, and looks work', async (t) => {
  const db = await prepared(t, { lanes: 'off' });
  await insertUser(db.query, 'alice');
  const ids = [await db.insert({ nonce: 5 }), await db.insert({ nonce: 4 }), await db.insert({ nonce: 3 })];
  const rows = await db.claim(2);
  t.deepEqual(idsOf(rows), ids.slice(0, 2));
  const [first] = rows;
  if (first === undefined) return t.fail();
  await db.settle(first, pending({ record: 'keep' }));
  t.deepEqual(idsOf(await db.look()), ids.slice(0, 1));
  t.deepEqual(idsOf(await db.claim()), ids.slice(2));
  await db.query('update mempool set lease_expires_at = now()');
  t.is(await db.store.rescue(), 3);
});

test('I1 a claim or a write-ahead for another generation gets nothing', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  const stale = { holder: 'h', limit: 1, leaseMs: 1_000, generation: 2n };
  t.deepEqual(await db.store.claim({ ...stale, sentFrom: 1n, windowMs: 1 }), { kind: 'stale' });
  t.deepEqual(await db.store.claimUndecided(stale), { kind: 'stale' });
  t.is((await db.row(id)).claim_token, null);
  const claimed = await db.claimOne();
  if (claimed.kind !== 'fresh' || claimed.own === null) return t.fail();
  t.is(await db.store.writeAhead(claimed, { ...claimed.own, sentFrom: 1_000n }, 2n), 'stale');
  t.is((await db.row(id)).sent_from, String(SENT_FROM));
});
