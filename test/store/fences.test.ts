// What a person, or another instance, decides between a look and its settlement: nothing final is written on what was
// true before it. And what people may not do to pins.
import { randomBytes } from 'node:crypto';
import test from 'ava';
import pg from 'pg';
import { CommandRefused } from '../../src/core/errors.js';
import type { TxHash } from '../../src/core/ids.js';
import { migrateDown } from '../../src/store/migrate/down.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { forceNew, previewForceNew } from '../../src/store/operator/force-new.js';
import { remark, repin } from '../../src/store/operator/repin.js';
import { advance } from '../support/marks.js';
import {
  aParty,
  completed,
  failed,
  insertUser,
  migrateOptions,
  type Prepared,
  pending,
  prepared,
} from './support.js';

const participant = { id: 'participant-1', userId: 'user-1', synchronizerId: 'sync-1' };
const agreed = async () => true;
const quiet = () => {};
const dead = pending({ record: 'clear', lastError: 'DEAD: its bound has passed' });

/** A row that is being looked at, and what `dead` would be settled of it. */
async function looking(db: Prepared) {
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  await db.settle(await db.claimOne(), pending({ record: 'keep' }));
  const [look] = await db.look();
  if (look === undefined) throw new Error('nothing to look at');
  return { id, look };
}

const between: Record<
  string,
  { readonly act: (db: Prepared, id: string) => Promise<unknown>; readonly why: string }
> = {
  'another instance halts': {
    act: (db) => db.another().halt('an acceptance after its bound', 1),
    why: 'claims were halted meanwhile',
  },
  'somebody raises the tolerance, which moves the bound': {
    act: (db) => migrate(migrateOptions(db.url, { changes: { toleranceMs: 90_000 } })),
    why: 'the pins were changed meanwhile',
  },
  'the bound alone is moved': {
    act: (db, id) =>
      db.query("update mempool set sent_until = sent_until + interval '1 ms' where id = $1", [id]),
    why: 'its bound was moved meanwhile',
  },
  'it becomes boundless': {
    act: (db, id) => db.query("update mempool set sent_until = 'infinity' where id = $1", [id]),
    why: 'its bound was moved meanwhile',
  },
  'the database fails over': {
    act: (db) => db.query("update mempool_submitter_v1 set timeline = '0000FFFF'"),
    why: 'the database is not the one that was pinned',
  },
};
for (const [what, { act, why }] of Object.entries(between)) {
  test(`I4 a death that was read before is not settled after: ${what}`, async (t) => {
    const db = await prepared(t);
    const { id, look } = await looking(db);
    await act(db, id);
    const before = await db.row(id);
    t.deepEqual(await db.settle(look, dead), { result: { refused: why }, laneWaits: false });
    t.deepEqual(await db.row(id), before, 'the record is there, for the next look');
    // An acceptance is true whatever has changed, and what keeps the record concludes nothing.
    t.is((await db.settle(look, completed)).result, 'settled');
  });
}

test('I4 a death is settled where nothing has changed, one of a record without a bound too', async (t) => {
  const db = await prepared(t);
  const { id, look } = await looking(db);
  t.is((await db.settle(look, dead)).result, 'settled');
  t.is((await db.row(id)).sent_until, null);
  await db.settle(await db.claimOne(), pending({ record: 'keep' }));
  await db.query("update mempool set sent_until = 'infinity' where id = $1", [id]);
  const [boundless] = await db.look();
  if (boundless === undefined) return t.fail();
  t.is((await db.settle(boundless, dead)).result, 'settled');
});

test('I5 nothing becomes failed while claims are halted, nor under pins that have changed; a certain refusal is tried again as ever', async (t) => {
  const db = await prepared(t);
  for (const from of ['a', 'b', 'c', 'd']) await db.insert({ from });
  const [a, b, c, d] = await db.claim();
  if (a === undefined || b === undefined || c === undefined || d === undefined) return t.fail();
  await migrate(migrateOptions(db.url, { changes: { clockSkewMaxMs: 90_000 } }));
  t.deepEqual((await db.settle(a, failed)).result, { refused: 'the pins were changed meanwhile' });
  await db.store.halt('an acceptance after its bound', 1);
  t.deepEqual((await db.settle(b, failed)).result, { refused: 'claims were halted meanwhile' });
  t.is((await db.settle(c, pending({ wait: 1_000 }))).result, 'settled');
  t.is((await db.settle(d, completed)).result, 'settled');
  t.is((await db.query("select 1 from mempool where status = 'failed'")).length, 0);
});

test('migrate alone changes no pin, whatever the settings say: it says what differs, and which flag would', async (t) => {
  const db = await prepared(t);
  const pins = () => db.one('select * from mempool_submitter_v1');
  await db.store.halt('an acceptance after its bound', 1);
  const before = await pins();
  const said: string[] = [];
  await migrate(
    migrateOptions(db.url, {
      lanes: 'off',
      toleranceMs: 1_000,
      clockSkewMaxMs: 90_000,
      sameNonce: 'park',
      say: (line) => said.push(line),
    }),
  );
  t.deepEqual(await pins(), before);
  for (const flag of ['--lanes off', '--lower-tolerance 1000', '--clock-skew 90000', '--same-nonce park'])
    t.true(
      said.some((line) => line.includes(`nothing was changed. \`migrate ${flag}`)),
      flag,
    );
});

test('a bound is lowered by a flag of its own, and never while it is halted', async (t) => {
  const db = await prepared(t);
  const change = (changes: Parameters<typeof migrateOptions>[1]) => migrate(migrateOptions(db.url, changes));
  const refuses = (changes: Parameters<typeof migrateOptions>[1], message: RegExp) =>
    t.throwsAsync(() => change(changes), { instanceOf: CommandRefused, message });
  const before = await db.store.pinned();
  await refuses({ changes: { toleranceMs: 59_999, clearsHalt: true } }, /--lower-tolerance 59999/);
  await refuses({ changes: { clockSkewMaxMs: 59_999 } }, /--lower-clock-skew 59999/);
  await refuses({ changes: { toleranceMs: 60_001, lowers: true } }, /use --tolerance/);
  t.deepEqual(await db.store.pinned(), before);
  await change({ changes: { toleranceMs: 50_000, lowers: true } });
  await change({ changes: { clockSkewMaxMs: 50_000, lowers: true } });
  t.like(await db.store.pinned(), { toleranceMs: 50_000, clockSkewMaxMs: 50_000, generation: 3n });
  t.deepEqual(
    (await db.query('select action from mempool_submitter_audit_v1 order by id')).map(
      (entry) => entry.action,
    ),
    ['tolerance', 'pins'],
  );
  await db.store.halt('an acceptance after its bound', 1);
  await refuses({ changes: { toleranceMs: 40_000, lowers: true } }, /halted/);
  await refuses({ changes: { clockSkewMaxMs: 40_000, lowers: true } }, /halted/);
});

test('a halt ends above the lateness that was seen, the greatest of them, and not below', async (t) => {
  const db = await prepared(t);
  t.true(await db.store.halt('late', 5_000));
  t.false(await db.another().halt('later still', 9_000));
  const tolerance = (toleranceMs: number) =>
    migrate(migrateOptions(db.url, { changes: { toleranceMs, clearsHalt: true } }));
  for (const tooLow of [60_000, 65_000, 68_999])
    await t.throwsAsync(() => tolerance(tooLow), {
      instanceOf: CommandRefused,
      message: /at least 69000 ms/,
    });
  t.is((await db.store.pinned())?.halted, 'late');
  await tolerance(69_000);
  t.like(await db.store.pinned(), { halted: null, toleranceMs: 69_000 });
});

/** Parked rows of hosted senders; with their hashes. */
async function parked(db: Prepared, senders: readonly string[], lastError = 'PARKED: for a person') {
  const hashes: TxHash[] = [];
  for (const from of senders) {
    const hash = randomBytes(32);
    hashes.push(`0x${hash.toString('hex')}` as TxHash);
    await db.insert({ from, hash });
  }
  for (const claimed of await db.claim()) await db.settle(claimed, pending({ wait: 'parked', lastError }));
  return hashes;
}

test('replay --force-new sends exactly the rows that were shown, as they were shown', async (t) => {
  const db = await prepared(t);
  await parked(db, ['a', 'b']);
  const { rows } = await previewForceNew(db.database, { parked: true });
  t.is(rows.length, 2);
  await parked(db, ['c', 'd']);
  await db.query("update mempool set last_error = 'FOREIGN_ACCEPTANCE: another' where from_address = 'b'");
  const sent = await forceNew(db.database, rows);
  t.deepEqual(
    sent.map((row) => row.sender),
    ['a'],
    'the new ones were not shown, and b is not what it was',
  );
  t.is((await db.query("select 1 from mempool where available_at = 'infinity'")).length, 3);
});

test('replay --force-new takes what the ledger holds, and what can still be accepted, by its hash alone', async (t) => {
  const db = await prepared(t);
  for (const from of ['open', 'past', 'boundless']) await insertUser(db.query, from);
  const [foreign] = await parked(db, ['foreign'], 'FOREIGN_ACCEPTANCE: update u');
  await parked(db, ['lost'], 'LOST_DUPLICATE: of 7');
  await parked(db, ['offer'], 'OFFER_MADE: update v');
  for (const from of ['open', 'past', 'boundless', 'fresh']) await db.insert({ from });
  for (const claimed of await db.claim())
    await db.settle(claimed, pending({ record: 'keep', wait: 'parked', lastError: 'UNDECIDED: x' }));
  await db.query("update mempool set sent_until = 'infinity' where from_address = 'boundless'");
  await db.query("update mempool set sent_until = now() - interval '59 s' where from_address = 'open'");
  await db.query("update mempool set sent_until = now() - interval '61 s' where from_address = 'past'");
  const { rows, byHashAlone } = await previewForceNew(db.database, { olderThanMs: 0 });
  t.deepEqual(
    rows.map(({ row }) => row.sender),
    ['past', 'fresh'],
  );
  t.deepEqual(
    byHashAlone.map((row) => row.sender),
    ['foreign', 'lost', 'offer', 'open', 'boundless'],
  );
  if (foreign === undefined) return t.fail();
  t.is((await previewForceNew(db.database, { hash: foreign })).rows.length, 1);
});

test('migrate --down and --repin are refused while an instance listens or holds a row, and change nothing where nobody agrees', async (t) => {
  const db = await prepared(t);
  await db.store.pinParticipant(1n, participant);
  const ways = { down: migrateDown, repin };
  const instance = new pg.Client({ connectionString: db.url, application_name: 'host-1 listen' });
  await instance.connect();
  for (const way of Object.values(ways)) {
    await t.throwsAsync(() => way(db.url, agreed, quiet), {
      instanceOf: CommandRefused,
      message: /host-1 is connected/,
    });
  }
  const ended = new Promise((resolve) => instance.once('end', resolve));
  await instance.end();
  await ended;
  const id = await db.insert();
  await db.claimOne();
  await t.throwsAsync(() => repin(db.url, agreed, quiet), { message: /test holds 1 claimed rows/ });
  await db.expire(id);
  await db.store.rescue();
  const before = await db.one('select * from mempool_submitter_v1');
  for (const way of Object.values(ways)) await way(db.url, async () => false, quiet);
  t.deepEqual(await db.one('select * from mempool_submitter_v1'), before);
});

test('migrate --down says which updates are forgotten, and keeps the audit and the memory of what has ended', async (t) => {
  const db = await prepared(t);
  await db.store.pinParticipant(1n, participant);
  const [ended] = await parked(db, ['alice']);
  const { rows } = await previewForceNew(db.database, { parked: true });
  await forceNew(db.database, rows);
  await db.settle(await db.claimOne(), completed);
  await db.query('delete from mempool');
  await db.insert({ from: 'bob' });
  await db.settle(await db.claimOne(), completed);
  const shown: unknown[] = [];
  await migrateDown(db.url, async (preview) => shown.push(preview) === 1, quiet);
  t.deepEqual(shown, [{ updates: 1, participant: 'participant-1' }]);
  await migrate(migrateOptions(db.url));
  t.deepEqual(
    (await db.query('select action, change from mempool_submitter_audit_v1 order by id')).map(
      ({ action }) => action,
    ),
    ['force-new', 'down'],
  );
  await db.insert({ from: 'alice', hash: Buffer.from(ended?.slice(2) ?? '', 'hex') });
  t.deepEqual(await db.claim(), []);
});

test('marks of several parties are kept, the newest of each, and any of them may be the one that was shown', async (t) => {
  const db = await prepared(t);
  const mark = (offset: bigint, name: string) => ({ offset, updateId: `u${offset}`, party: aParty(name) });
  const marks = async () => {
    const pinned = await db.store.pinned();
    return [pinned?.mark, ...(pinned?.otherMarks ?? [])].map((one) => one && `${one.offset} ${one.party}`);
  };
  const move = (next: ReturnType<typeof mark>, old: ReturnType<typeof mark> | null) =>
    advance(db.store, { ledgerEnd: 99n, mark: next, oldMark: old });
  await move(mark(1n, 'a'), null);
  await move(mark(2n, 'b'), mark(1n, 'a'));
  await move(mark(3n, 'b'), mark(2n, 'b'));
  t.deepEqual(await marks(), ['3 b::1220', '1 a::1220']);
  // b's rights are gone, say: the stream shows a's.
  await move(mark(4n, 'c'), mark(1n, 'a'));
  t.deepEqual(await marks(), ['4 c::1220', '3 b::1220', '1 a::1220']);
  await move(mark(5n, 'd'), { ...mark(1n, 'a'), updateId: 'another history' });
  await move(mark(5n, 'd'), null);
  t.deepEqual((await marks()).length, 3);
  for (let n = 5n; n < 15n; n++) await move(mark(n, `p${n}`), mark(n - 1n, n === 5n ? 'c' : `p${n - 1n}`));
  t.deepEqual((await marks()).length, 8);
  t.is((await db.store.pinned())?.otherMarks.at(-1)?.offset, 7n);
});

test('migrate --remark forgets the marks and nothing else, under a new generation, with an entry', async (t) => {
  const db = await prepared(t);
  await t.throwsAsync(() => remark(db.url, agreed, quiet), { message: /nothing is marked/ });
  await db.store.pinParticipant(1n, participant);
  await advance(db.store, {
    ledgerEnd: 9n,
    mark: { offset: 8n, updateId: 'u', party: aParty('p') },
    oldMark: null,
  });
  const shown: unknown[] = [];
  await remark(db.url, async (preview) => shown.push(preview) === 0, quiet);
  t.truthy((await db.store.pinned())?.mark, 'nobody agreed');
  await remark(db.url, async (preview) => shown.push(preview) === 2, quiet);
  t.deepEqual(shown[1], { participant: 'participant-1', marks: ['8'] });
  t.like(await db.store.pinned(), { mark: null, otherMarks: [], ledgerEnd: 9n, participant, generation: 3n });
  t.like(await db.one('select action, change from mempool_submitter_audit_v1'), {
    action: 'remark',
    change: { mark_offset: '8', mark_update_id: 'u' },
  });
});
