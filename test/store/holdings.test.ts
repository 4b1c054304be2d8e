// I6 with LANES=holdings: the transfers of one sender begin in nonce order, and none spends what another may spend.
import test from 'ava';
import { type ClaimToken, dbMillis, type Party, type RowId, type TxHash } from '../../src/core/ids.js';
import type { Reserved } from '../../src/ports/store.js';
import type { ClaimedRow, SubmissionRecord } from '../../src/protocol/record.js';
import { schemaProblems } from '../../src/store/check.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { recheckByHand } from '../../src/store/operator/recheck-by-hand.js';
import { readStory, type Story } from '../../src/store/operator/story.js';
import {
  aParty,
  aToken,
  completed,
  failed,
  insertUser,
  LEASE_MS,
  migrateOptions,
  type Prepared,
  pending,
  prepared as preparedWith,
  until,
} from './support.js';

const ALICE = aParty('alice');
const WRITTEN: Reserved = { kind: 'written', laneWaits: false };

async function storyOf(db: Prepared, id: string): Promise<Story> {
  const [row] = await db.query<{ hash: TxHash }>(
    "select '0x' || encode(tx_hash, 'hex') as hash from mempool where id = $1",
    [id],
  );
  const story = row === undefined ? null : await readStory(db.database, row.hash);
  if (story === null) throw new Error(`row ${id} has no story`);
  return story;
}

async function prepared(t: Parameters<typeof preparedWith>[0]): Promise<Prepared> {
  const db = await preparedWith(t, { lanes: 'holdings' });
  await insertUser(db.query, 'alice');
  return db;
}

const recordOf = (token: ClaimToken, party: Party): SubmissionRecord => ({
  sentFrom: 7n,
  sentUntil: dbMillis(Date.now() + 60_000),
  submissionId: token,
  party,
  sentOn: 1,
  hash: null,
});

const reserve = async (
  db: Prepared,
  { row, token }: Pick<ClaimedRow, 'row' | 'token'>,
  inputs: readonly string[],
  { generation = 1n, party = ALICE }: { readonly generation?: bigint; readonly party?: Party } = {},
): Promise<Reserved> => db.store.reserve({ row, token }, recordOf(token, party), inputs, generation);

/** Claims the one row that may begin, and begins it. */
async function begun(db: Prepared, ...inputs: string[]): Promise<ClaimedRow> {
  const claimed = await db.claimOne();
  const answer = await reserve(db, claimed, inputs);
  if (answer.kind !== 'written') throw new Error(`not begun: ${answer.kind}`);
  return claimed;
}

test('I6 LANES=holdings: the rows of a sender begin one after the other, lowest nonce first, and then go side by side', async (t) => {
  const db = await prepared(t);
  const [three, one, two] = [
    await db.insert({ nonce: 3 }),
    await db.insert({ nonce: 1 }),
    await db.insert({ nonce: 2 }),
  ];
  const first = await db.claimOne();
  t.deepEqual([first.row.id as string, first.kind], [one, 'fresh']);
  t.is(
    first.kind === 'fresh' ? first.own : first,
    null,
    'what it spends is not known yet, so it has no record',
  );
  t.deepEqual(await db.claim(), [], 'the next begins once this one has its record');
  t.deepEqual(await reserve(db, first, ['a', 'b']), { kind: 'written', laneWaits: true });
  const second = await db.claimOne();
  t.is(second.row.id as string, two);
  t.deepEqual(await reserve(db, second, ['c']), { kind: 'written', laneWaits: true });
  t.is((await begun(db, 'd')).row.id as string, three);
  t.deepEqual(await db.settle(second, completed), { result: 'settled', laneWaits: false });
  t.is((await db.row(one)).status, 'pending');
});

test('I6 LANES=holdings: a dead row, and one in backoff, holds those that have not begun, not those that have', async (t) => {
  const db = await prepared(t);
  const [one, two, three] = [
    await db.insert({ nonce: 1 }),
    await db.insert({ nonce: 2 }),
    await db.insert({ nonce: 3 }),
  ];
  const first = await begun(db, 'a');
  const second = await begun(db, 'b');
  t.deepEqual(await db.settle(first, pending({ wait: 60_000 })), { result: 'settled', laneWaits: true });
  t.deepEqual(await db.claim(), [], 'backoff holds the lane');
  await db.query('update mempool set available_at = now() where id = $1', [one]);
  t.is((await begun(db, 'a')).row.id as string, one, 'what it had reserved is free again');
  await db.settle(second, pending({ record: 'keep' }));
  const [look, ...others] = await db.look();
  t.deepEqual([look?.row.id as string, others.length], [two, 0]);
  t.is((await begun(db, 'c')).row.id as string, three, 'a look does not hold up the others');
});

test('I6 a holding belongs to one undecided row at a time, whoever claims: senders may share a party', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'bob', { party: ALICE });
  await db.insert({ from: 'alice' });
  await db.insert({ from: 'bob' });
  const [first, second] = await db.claim();
  if (first === undefined || second === undefined) return t.fail('two senders, two lanes');
  const answers = await Promise.all([reserve(db, first, ['a', 'b']), reserve(db, second, ['b', 'c'])]);
  t.deepEqual(answers.map(({ kind }) => kind).sort(), ['reserved', 'written']);
  const [winner, loser] = answers[0]?.kind === 'written' ? [first, second] : [second, first];
  const state = await db.row(loser.row.id);
  t.deepEqual([state.sent_until, state.submission_id], [null, null], 'nothing was written');
  t.deepEqual(await reserve(db, loser, ['d']), WRITTEN);
  const reserved = await db.store.reserved(ALICE);
  t.deepEqual(
    new Map(reserved.map(({ id, inputs }) => [id, inputs])),
    new Map([
      [winner.row.id, winner === first ? ['a', 'b'] : ['b', 'c']],
      [loser.row.id, ['d']],
    ]),
  );
  t.deepEqual(await db.store.reserved(aParty('carol')), []);
});

test('I6 two that reserve at one moment: the second waits for the first, and sees what it has reserved', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'bob', { party: ALICE });
  await db.insert({ from: 'alice' });
  await db.insert({ from: 'bob' });
  const [first, second] = await db.claim();
  if (first === undefined || second === undefined) return t.fail('two senders, two lanes');
  const client = await db.pool.connect();
  await client.query('begin');
  const { rows } = await client.query(
    "select answer from mempool_reserve_v1(1, $1, $2, 7, now() + interval '1 min', 's', $3, null, null, 1, array['a'])",
    [first.row.id, first.token, ALICE],
  );
  t.deepEqual(rows, [{ answer: 'written' }]);
  const answer = reserve(db, second, ['a']);
  const waiting = until(db.query, "select 1 from pg_locks where locktype = 'advisory' and not granted");
  await Promise.race([waiting, answer]);
  await client.query('commit');
  client.release();
  t.deepEqual(await answer, { kind: 'reserved' });
  await waiting;
});

test('I6 a reservation lasts as long as the record: through a release, a rescue, a park and a replay, until it is decided', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'bob', { party: ALICE });
  const id = await db.insert({ from: 'alice' });
  const first = await begun(db, 'a');
  await db.insert({ from: 'bob' });
  const other = await db.claimOne();
  const refused = async (when: string): Promise<void> => {
    t.deepEqual(await reserve(db, other, ['a']), { kind: 'reserved' }, when);
  };
  await refused('in flight');
  await db.settle(first, pending({ record: 'keep' }));
  await refused('undecided');
  const [look] = await db.look();
  if (look === undefined) return t.fail('no look');
  await db.expire(id);
  await db.store.rescue();
  await refused('rescued');
  await db.query("update mempool set available_at = 'infinity' where id = $1", [id]);
  await refused('parked');
  await db.query('update mempool set available_at = now() where id = $1', [id]);
  const [again] = await db.look();
  if (again === undefined) return t.fail('no look');
  t.is((await db.settle(again, pending({ record: 'clear' }))).result, 'settled');
  t.deepEqual(await reserve(db, other, ['a']), WRITTEN, 'dead');
});

test('P10 LANES=holdings: a lower row that has no record any more, or came late, begins before one that is being begun', async (t) => {
  const db = await prepared(t);
  await db.insert({ nonce: 2 });
  const two = await begun(db, 'a');
  await db.insert({ nonce: 3 });
  const three = await db.claimOne();
  const one = await db.insert({ nonce: 1 });
  t.deepEqual(await db.claim(), [], 'one at a time');
  t.deepEqual(await reserve(db, three, ['b']), { kind: 'earlier' });
  await db.settle(three, pending());
  t.is((await begun(db, 'b')).row.id as string, one);
  const again = await db.claimOne();
  await db.settle(two, pending());
  t.deepEqual(await reserve(db, again, ['c']), { kind: 'earlier' });
  await db.query("update mempool set available_at = 'infinity' where id = $1", [two.row.id]);
  t.deepEqual(await reserve(db, again, ['c']), WRITTEN, 'a parked one steps aside');
});

for (const [how, end] of Object.entries<(db: Prepared, claimed: ClaimedRow) => Promise<unknown>>({
  'is completed': (db, claimed) => db.settle(claimed, completed),
  'has failed': (db, claimed) => db.settle(claimed, failed),
  'is to be tried again': (db, claimed) => db.settle(claimed, pending({ wait: 60_000 })),
  'is ended by a person': (db, { row: { id } }) =>
    db.query(
      `update mempool set status = 'failed', lease_expires_at = null, sent_from = null, sent_until = null, sent_inputs = null,
              submission_id = null, submission_party = null, sent_on = null where id = $1`,
      [id],
    ),
})) {
  test(`I6 a row that waits for holdings begins as soon as the row that has them ${how}`, async (t) => {
    const db = await prepared(t);
    await insertUser(db.query, 'bob', { party: ALICE });
    await db.insert({ from: 'bob' });
    const [holder] = [await begun(db, 'a')];
    const id = await db.insert({ from: 'alice', nonce: 1 });
    const behind = await db.insert({ from: 'alice', nonce: 2 });
    const waits = await db.claimOne();
    const before = await db.row(id);
    await db.store.awaitRows(waits, [holder.row.id], 60_000);
    await db.settle(waits, pending({ attempts: -1 }));
    const after = await db.row(id);
    t.deepEqual([after.attempts, after.available_at], [0, before.available_at], 'its place, and no attempt');
    t.deepEqual(await db.claim(), [], 'neither it nor those behind it');
    const story = (row: string) => storyOf(db, row);
    t.deepEqual((await story(id)).waitsOn?.hashes, [holder.row.txHash]);
    t.like(await story(behind), { waitsOn: null, ahead: { nonce: '1' } });
    await end(db, holder);
    t.is((await story(id)).waitsOn, null);
    t.is((await db.claimOne()).row.id as string, id);
  });
}

test('I6 a row that waits for holdings begins anyway once it has waited long enough, and only whoever holds it says on what', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'bob', { party: ALICE });
  await db.insert({ from: 'bob' });
  const holder = await begun(db, 'a');
  const id = await db.insert({ from: 'alice' });
  const waits = await db.claimOne();
  await db.store.awaitRows({ row: waits.row, token: aToken() }, [holder.row.id], 60_000);
  t.is((await db.row(id)).waits_on, null);
  await db.store.awaitRows(waits, [holder.row.id, '999999' as RowId], 60_000);
  await db.settle(waits, pending());
  const again = await db.claimOne();
  t.is(again.row.id as string, id, 'one of them has ended meanwhile');
  await db.store.awaitRows(again, [holder.row.id], 0);
  await db.settle(again, pending());
  t.is((await db.claimOne()).row.id as string, id);
});

test('I6 P20 after a recheck nobody remembers what is spent: nothing of the party begins before each of its rows is decided', async (t) => {
  const db = await prepared(t);
  const [one, two] = [await db.insert({ nonce: 1 }), await db.insert({ nonce: 2 })];
  const first = await begun(db, 'a');
  await db.settle(first, pending({ record: 'keep' }));
  t.deepEqual(await recheckByHand(db.database, ['70c']), { kind: 'rechecked', rows: 2 });
  const generation = (await db.store.pinned())?.generation ?? 0n;
  const unknown = await db.store.reserved(ALICE);
  t.deepEqual(unknown.map(({ id, inputs }) => `${id} ${inputs}`).sort(), [`${one} null`, `${two} null`]);
  await db.insert({ nonce: 3 });
  const third = await db.claimOne();
  t.deepEqual(await reserve(db, third, ['z'], { generation }), { kind: 'reserved' });
  const looks = await db.look();
  t.is(looks.length, 2);
  for (const look of looks) {
    t.deepEqual(await reserve(db, third, ['z'], { generation }), { kind: 'reserved' });
    await db.settle(look, pending({ record: 'clear' }));
  }
  t.deepEqual(
    await reserve(db, third, ['z'], { generation }),
    { kind: 'earlier' },
    'decided, they begin first',
  );
});

test('I6 what nobody remembers steps aside once it is parked', async (t) => {
  const db = await prepared(t);
  const id = await db.insert({ nonce: 1 });
  await recheckByHand(db.database, ['70c']);
  const generation = (await db.store.pinned())?.generation ?? 0n;
  await db.insert({ nonce: 2 });
  const second = await db.claimOne();
  await db.store.awaitRows(second, [id as RowId], 60_000);
  await db.settle(second, pending());
  t.deepEqual(await db.claim(), []);
  await db.query("update mempool set available_at = 'infinity' where id = $1", [id]);
  t.deepEqual(await db.store.reserved(ALICE), []);
  t.deepEqual(await reserve(db, await db.claimOne(), ['a'], { generation }), WRITTEN);
});

test('I1 I2 a reservation is fenced, and written under the pins that were checked', async (t) => {
  const db = await prepared(t);
  const id = await db.insert();
  const claimed = await db.claimOne();
  t.deepEqual(await reserve(db, { row: claimed.row, token: aToken() }, ['a']), { kind: 'fenced' });
  t.deepEqual(await reserve(db, claimed, ['a'], { generation: 2n }), { kind: 'stale' });
  await db.query("update mempool_submitter_v1 set timeline = '0000FFFF'");
  t.deepEqual(await reserve(db, claimed, ['a']), { kind: 'stale' });
  t.is((await db.row(id)).sent_until, null);
});

test('P9 I6 is a constraint too: a second row of a sender on its way to its record is refused, whoever writes it', async (t) => {
  const db = await prepared(t);
  await db.insert({ nonce: 1 });
  const second = await db.insert({ nonce: 2 });
  await db.claimOne();
  await t.throwsAsync(
    () => db.query('update mempool set claim_token = gen_random_uuid() where id = $1', [second]),
    { message: /mempool_beginning_v1/ },
  );
});

test('P9 LANES=holdings: while one claim of a lane is not committed, no other takes a row of it, nor waits for it', async (t) => {
  const db = await prepared(t);
  const one = await db.insert({ nonce: 1 });
  const client = await db.pool.connect();
  await client.query('begin');
  const { rows } = await client.query("select id from mempool_claim_v1(false, 1, 'h', 1, 60000, 0, 1, 1000)");
  t.deepEqual(rows, [{ id: one }]);
  // Lower than the one that is claimed, which nobody else can see yet.
  await db.insert({ nonce: 0 });
  t.deepEqual(await db.claim(), []);
  await client.query('commit');
  client.release();
});

test('P9 LANES=holdings: claims of one sender exclude each other in every case of a race, and begin in order', async (t) => {
  const db = await prepared(t);
  await db.query(`insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
    select sha256(i::text::bytea), 's' || i % 3, 't', 'r', i, '', '' from generate_series(1, 150) i`);
  const stores = Array.from({ length: 5 }, () => db.another());
  const last = new Map<string, bigint>();
  let left = 150;
  await Promise.all(
    stores.map(async (store) => {
      while (left > 0) {
        const reply = await store.claim({
          holder: 'p',
          limit: 3,
          leaseMs: LEASE_MS,
          generation: 1n,
          sentFrom: 1n,
          windowMs: 1,
        });
        for (const { row, token } of reply.kind === 'claimed' ? reply.rows : []) {
          t.true(row.nonce > (last.get(row.fromAddress) ?? 0n), 'in order');
          last.set(row.fromAddress, row.nonce);
          const record = recordOf(token, aParty(row.fromAddress));
          t.is((await store.reserve({ row, token }, record, [`h${row.nonce}`], 1n)).kind, 'written');
          left -= 1;
        }
      }
    }),
  );
  t.is((await db.query('select 1 from mempool where sent_until is not null')).length, 150);
});

for (const [from, to] of [
  ['sender', 'holdings'],
  ['off', 'holdings'],
  ['holdings', 'sender'],
  ['holdings', 'off'],
] as const) {
  test(`P30 LANES changed from ${from} to ${to} under running instances: what is in flight ends as it should, the odd one claims nothing`, async (t) => {
    const db = await preparedWith(t, { lanes: from });
    await insertUser(db.query, 'alice');
    for (const nonce of [1, 2, 3, 4]) await db.insert({ nonce });
    const held = await db.claimOne(1);
    if (from === 'holdings') t.is((await reserve(db, held, ['a'])).kind, 'written');
    const said: string[] = [];
    await migrate(migrateOptions(db.url, { changes: { lanes: to }, say: (line) => said.push(line) }));
    const forbids = { sender: 'mempool_claimed_lane_v2', holdings: 'mempool_beginning_v1', off: 'none' }[
      from
    ];
    t.false(
      said.some((line) => line.startsWith(`dropping index ${forbids}`)),
      'it went with the pin: a claim in between would have met it',
    );
    t.deepEqual(await schemaProblems(db.database, to), []);
    t.like(await db.one('select lanes, generation::int from mempool_submitter_v1'), {
      lanes: to,
      generation: 2,
    });
    const odd = { holder: 'odd', limit: 8, leaseMs: LEASE_MS, generation: 1n };
    t.deepEqual(await db.store.claim({ ...odd, sentFrom: 1n, windowMs: 1 }), { kind: 'stale' });
    if (to === 'holdings') {
      const next = await db.claimOne();
      t.deepEqual(
        await reserve(db, next, ['b'], { generation: 2n }),
        { kind: 'reserved' },
        'what it spends is not known',
      );
      t.is((await db.settle(held, completed)).result, 'settled');
      t.is((await reserve(db, next, ['b'], { generation: 2n })).kind, 'written');
    } else {
      t.is((await db.claim()).length, to === 'off' ? 3 : 0);
      t.is((await db.settle(held, completed)).result, 'settled');
      if (to === 'sender') t.is((await db.claim()).length, 1);
    }
  });
}
