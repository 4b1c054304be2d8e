// An address is its value: in mempool and in users, in any case, with 0x or without.
import test from 'ava';
import { migrate } from '../../src/store/migrate/migrate.js';
import { findRowToComplete } from '../../src/store/operator/complete.js';
import { nextNonce } from '../../src/store/operator/enqueue.js';
import { replay } from '../../src/store/operator/replay.js';
import { findUser } from '../../src/store/users.js';
import { freshDatabase } from '../support/postgres.js';
import {
  completed,
  idsOf,
  insertRow,
  insertUser,
  MIDDLEWARE,
  migrateOptions,
  pending,
  prepared,
} from './support.js';

const ALICE = '0xAbCdEf0123456789aBcDeF0123456789AbCdEf01';
const BOB = '0x00000000000000000000000000000000000000bB';
const SPELLINGS = [ALICE, ALICE.toLowerCase(), ALICE.slice(2), `0X${ALICE.slice(2).toUpperCase()}`];

for (const from of SPELLINGS) {
  test(`a registered party is found however the row spells it: ${from}`, async (t) => {
    const db = await prepared(t);
    await insertUser(db.query, ALICE, { party: 'alice::1220' });
    await insertUser(db.query, BOB.toLowerCase(), { party: 'bob::1220' });
    await db.insert({ from, to: BOB });
    const claimed = await db.claimOne();
    t.like(claimed, { sender: { kind: 'hosted', party: 'alice::1220' }, recipient: 'bob::1220' });
    await db.settle(claimed, pending({ wait: 'parked' }));
    t.like(await findRowToComplete(db.database, claimed.row.txHash), {
      sender: 'alice::1220',
      recipient: 'bob::1220',
    });
    t.is((await replay(db.database, { sender: ALICE }, { dryRun: true })).length, 1);
  });
}

test('of two users of one address, the one that is spelled alike counts', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, ALICE.toLowerCase(), { party: 'other::1220' });
  await insertUser(db.query, ALICE, { party: 'alice::1220' });
  await db.insert({ from: ALICE });
  t.like((await db.claimOne()).sender, { party: 'alice::1220' });
});

test('I6 one sender in several spellings is one lane: one in flight, in nonce order', async (t) => {
  const db = await prepared(t);
  const ids = [];
  for (const [nonce, from] of SPELLINGS.entries()) ids.push(await db.insert({ from, nonce }));
  for (const id of ids) {
    const claimed = await db.claim();
    t.deepEqual(idsOf(claimed), [id]);
    const [one] = claimed;
    if (one === undefined) return t.fail();
    await db.settle(one, completed);
  }
  await db.insert({ from: ALICE, nonce: 9 });
  const second = await db.insert({ from: ALICE.toLowerCase(), nonce: 10 });
  await db.claimOne();
  await t.throwsAsync(
    () => db.query('update mempool set claim_token = gen_random_uuid() where id = $1', [second]),
    { message: /mempool_claimed_lane_v2/ },
  );
});

test('P24 P20 leftovers and rechecks find the party and the token however they are spelled', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  await insertUser(db.query, ALICE, { party: 'alice::1220' });
  await insertRow(db.query, { from: ALICE.slice(2).toLowerCase() });
  await migrate(migrateOptions(db.url, { oneStepTokens: ['70C'] }));
  t.like(await db.one("select *, sent_until < 'infinity' as bounded from mempool"), {
    submission_party: 'alice::1220',
    bounded: true,
  });
});

test('the indexes of before go only when those that take their place are valid, and what the claim looks up they serve', async (t) => {
  const db = await prepared(t);
  await db.query(`create index mempool_lane_v1 on mempool (hashtextextended(from_address, 0)) where status = 'pending';
    create unique index mempool_claimed_lane_v1 on mempool (hashtextextended(from_address, 0)) where status = 'pending' and claim_token is not null;
    drop index mempool_lane_v2`);
  const said: string[] = [];
  await migrate(migrateOptions(db.url, { say: (line) => said.push(line) }));
  const at = (line: string): number => said.findIndex((one) => one.includes(line));
  t.true(at('building index mempool_lane_v2') >= 0);
  t.true(at('building index mempool_lane_v2') < at('dropping index mempool_lane_v1'));
  t.true(at('dropping index mempool_claimed_lane_v1') > 0);
  const client = await db.pool.connect();
  await client.query('set enable_seqscan = off; set enable_bitmapscan = off');
  for (const [index, query] of Object.entries({
    users_address_v1: `select a.id from users a where mempool_address_v1(a.evm_address) = mempool_address_v1('${ALICE}')`,
    mempool_lane_v2: `select m.id from mempool m where m.status = 'pending' and m.available_at < 'infinity'
      and mempool_sender_v1(m.from_address) = 7 order by mempool_sender_v1(m.from_address), (m.sent_until is null), m.nonce, m.id limit 1`,
    mempool_claimed_lane_v2: `select c.id from mempool c where c.status = 'pending' and c.claim_token is not null
      and mempool_sender_v1(c.from_address) = 7 limit 1`,
  })) {
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${query}`);
    t.true(
      rows.some((row) => row['QUERY PLAN'].includes(`using ${index}`)),
      index,
    );
    t.false(
      rows.some((row) => row['QUERY PLAN'].includes('Sort')),
      index,
    );
  }
  client.release(true);
});

test('doctor --transfer finds a sender, and its next nonce, however the address is spelled', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'AB01');
  await db.insert({ from: '0Xab01', nonce: 7 });
  for (const spelled of ['0xAB01', 'ab01', 'AB01']) {
    t.deepEqual(
      (await findUser(db.database, spelled)).map(({ address }) => address),
      ['AB01'],
    );
    t.is(await nextNonce(db.database, spelled), 8n);
  }
  t.deepEqual((await findUser(db.database, 'AB01::1220')).length, 1);
});
