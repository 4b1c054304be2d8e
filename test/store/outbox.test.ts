// The outbox in the database: an entry commits with its outcome, whoever writes it; a reader misses none of them; a sender's
// outcomes belong to one deliverer at a time.
import test from 'ava';
import type { Delivery } from '../../src/ports/outbox.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { complete } from '../../src/store/operator/complete.js';
import { forgetConsumer, pruneOutcomes } from '../../src/store/operator/prune-outcomes.js';
import { createConsumer, createDeliveries } from '../../src/store/outbox.js';
import type { Outcomes } from '../../src/store/pins.js';
import { scaled } from '../support/pace.js';
import {
  aHash,
  completed,
  failed,
  migrateOptions,
  type Prepared,
  pending,
  prepared,
  until,
} from './support.js';

interface EntryTuple {
  readonly kind: string;
  readonly tx_hash: Buffer;
  readonly reason: string | null;
  readonly update_id: string | null;
  readonly delivery: string;
}

const entries = (db: Prepared) =>
  db.query<EntryTuple & Record<string, unknown>>('select * from mempool_outbox_v1 order by id');
const kinds = async (db: Prepared) => (await entries(db)).map(({ kind }) => kind);
const LEASE_MS = 30_000;
const claimOf = (db: Prepared, limit = 8, leaseMs = LEASE_MS) =>
  createDeliveries(db.database).claim({ limit, each: 10, leaseMs });
const ids = ({ entries }: Delivery): string[] => entries.map(({ entryId }) => entryId);
const GIVE_UP_MS = 60_000;

/** Rows of these senders, each completed: one entry each. */
async function ended(db: Prepared, ...senders: readonly string[]): Promise<void> {
  for (const [nonce, from] of senders.entries()) {
    await db.insert({ from, nonce });
    await db.settle(await db.claimOne(), completed);
  }
}

test('an outcome and its entry commit together: settled, parked, completed by hand; a retry makes no entry', async (t) => {
  const db = await prepared(t, { outcomes: 'consumers' });
  await db.insert({ from: 'a' });
  await db.settle(await db.claimOne(), pending({ wait: 'now', lastError: 'BUSY: later' }));
  t.deepEqual(await kinds(db), []);
  await db.settle(await db.claimOne(), completed);
  await db.insert({ from: 'b' });
  await db.settle(await db.claimOne(), failed);
  const hash = aHash();
  await db.insert({ from: 'c', hash: Buffer.from(hash.slice(2), 'hex') });
  await db.settle(await db.claimOne(), pending({ wait: 'parked', lastError: 'UNKNOWN_TOKEN: add it' }));
  await complete(db.database, hash, { id: 'found by hand', offset: 7n });
  t.like(await entries(db), [
    { kind: 'completed', update_id: 'update-1', completion_offset: '42', reason: null },
    { kind: 'failed', reason: 'for the wallet' },
    { kind: 'parked', reason: 'UNKNOWN_TOKEN: add it' },
    { kind: 'completed', update_id: 'found by hand' },
  ]);
  // Rolled back together.
  const client = await db.pool.connect();
  await db.insert({ from: 'd' });
  await client.query("begin; update mempool set status = 'failed' where from_address = 'd'; rollback");
  client.release();
  t.is((await kinds(db)).length, 4);
});

test('what the claim itself parks or ends is told too: a used nonce, and a hash that has ended', async (t) => {
  const db = await prepared(t, { outcomes: 'consumers', sameNonce: 'park' });
  await db.insert({ from: 'a', nonce: 1 });
  await db.settle(await db.claimOne(), completed);
  await db.insert({ from: 'a', nonce: 1 });
  t.deepEqual(await db.claim(), []);
  const hash = Buffer.alloc(32, 7);
  await db.query("insert into mempool_ended_v1 values ($1, 'failed', 'as it was', null, now())", [hash]);
  // As an insert whose snapshot did not see the end yet.
  await db.query('alter table mempool disable trigger mempool_answer_v1');
  await db.insert({ from: 'b', hash });
  t.deepEqual(await db.claim(), []);
  const [, parked, answered] = await entries(db);
  t.is(parked?.kind, 'parked');
  t.regex(parked?.reason ?? '', /^SAME_NONCE/);
  t.like(answered, { kind: 'failed', reason: 'as it was' });
});

test('off: not one row, and nothing of it in the table; on and off by migrate, while claims go on', async (t) => {
  const db = await prepared(t);
  const triggers = () => db.query("select from pg_trigger where tgname = 'mempool_outcome_v1'");
  const turn = (outcomes: Outcomes) => migrate(migrateOptions(db.url, { changes: { outcomes } }));
  await db.insert({ from: 'a' });
  const held = await db.claimOne();
  t.deepEqual(await triggers(), []);
  await ended(db, 'b');
  t.deepEqual(await entries(db), []);
  await turn('webhooks');
  t.is(
    (await db.settle(held, completed)).result,
    'settled',
    'claimed before, settled under the same generation',
  );
  t.deepEqual(await kinds(db), ['completed']);
  await migrate(migrateOptions(db.url));
  t.is((await triggers()).length, 1, 'a plain migrate leaves it');
  await turn('off');
  await ended(db, 'c');
  t.deepEqual(await kinds(db), ['completed']);
});

test('entries that commit out of the order of their ids: a consumer reads all of them, each once', async (t) => {
  const db = await prepared(t, { outcomes: 'consumers' });
  const consumer = createConsumer(db.database, 'billing', LEASE_MS);
  const read = async (): Promise<string[]> => {
    const batch = await consumer.read(100);
    if (batch === 'held') throw new Error('nobody else reads');
    const last = batch.at(-1);
    if (last !== undefined) await consumer.acknowledge(last.position);
    return batch.map(({ sender }) => sender);
  };
  for (const from of ['late', 'later', 'early']) await db.insert({ from });
  const end = (from: string) => `update mempool set status = 'failed' where from_address = '${from}'`;
  const [one, two] = [await db.pool.connect(), await db.pool.connect()];
  await one.query(`begin; ${end('late')}`);
  await two.query(`begin; ${end('later')}`);
  await db.query(end('early'));
  t.deepEqual(await read(), ['early'], 'its id is the highest');
  await two.query('commit');
  t.deepEqual(await read(), ['later']);
  await one.query('rollback');
  await one.query(end('late'));
  t.deepEqual(await read(), ['late']);
  for (const client of [one, two]) client.release();
  t.deepEqual(await read(), []);
});

test('one process reads for a consumer: another one waits for its lease, and what it acknowledges late is not', async (t) => {
  const db = await prepared(t, { outcomes: 'consumers' });
  await ended(db, 'a', 'b');
  const first = createConsumer(db.database, 'billing', LEASE_MS);
  const second = createConsumer(db.database, 'billing', LEASE_MS);
  const batch = await first.read(10);
  t.is(await second.read(10), 'held');
  t.is((await createConsumer(db.database, 'audit', LEASE_MS).read(10)).length, 2, 'each has its own place');
  await db.query(
    "update mempool_outbox_consumers_v1 set lease_expires_at = now() where consumer = 'billing'",
  );
  t.deepEqual(await second.read(10), batch);
  t.false(await first.acknowledge(2n));
  t.true(await second.acknowledge(1n));
  await second.leave();
  t.is((await first.read(10)).length, 1);
});

test('a sender’s outcomes belong to one deliverer, in order; others’ are free; a lease that ran out is taken over', async (t) => {
  const db = await prepared(t, { outcomes: 'webhooks' });
  const deliveries = createDeliveries(db.database);
  await ended(db, 'a', 'a');
  const [a, ...rest] = await claimOf(db);
  if (a === undefined) return t.fail();
  t.deepEqual(rest, []);
  t.deepEqual(
    a.entries.map(({ outcome }) => Number(outcome.nonce)),
    [0, 1],
  );
  await ended(db, 'a', 'b');
  const [b, ...none] = await claimOf(db);
  t.deepEqual([b?.entries[0]?.outcome.sender, none.length], ['b', 0]);
  await db.query('update mempool_outbox_lanes_v1 set due_at = now() where lane = $1', [a.lane]);
  const [again] = await claimOf(db);
  t.is(again?.entries.length, 3, 'with what came meanwhile');
  t.is(await deliveries.release(a, { entryIds: ids(a), failed: null }, GIVE_UP_MS), 'fenced');
  if (again === undefined || b === undefined) return t.fail();
  t.is(await deliveries.release(again, { entryIds: ids(again), failed: null }, GIVE_UP_MS), 'released');
  t.is(await deliveries.release(b, { entryIds: ids(b), failed: null }, GIVE_UP_MS), 'released');
  t.deepEqual(await claimOf(db), []);
  t.deepEqual(
    (await entries(db)).map(({ delivery }) => delivery),
    Array(4).fill('delivered'),
  );
  t.deepEqual(await db.query('select * from mempool_outbox_lanes_v1'), [], 'the queue is empty');
});

test('what failed holds up its sender for its backoff, and is dead when it has been tried for long enough', async (t) => {
  const db = await prepared(t, { outcomes: 'webhooks' });
  const deliveries = createDeliveries(db.database);
  await ended(db, 'a', 'a');
  const fail = async (giveUpMs: number, waitMs: number) => {
    const [delivery] = await claimOf(db);
    const entryId = delivery?.entries[0]?.entryId;
    if (delivery === undefined || entryId === undefined) throw new Error('nothing is due');
    return await deliveries.release(
      delivery,
      { entryIds: [], failed: { entryId, error: 'HTTP 500', waitMs } },
      giveUpMs,
    );
  };
  t.is(await fail(0, scaled(3_600_000)), 'released', 'the first attempt never ends it');
  t.deepEqual(await claimOf(db), [], 'the next one waits for it');
  await db.query('update mempool_outbox_lanes_v1 set due_at = now()');
  t.is(await fail(0, 0), 'dead');
  const [next] = await claimOf(db);
  t.deepEqual(
    next?.entries.map(({ outcome }) => Number(outcome.nonce)),
    [1],
  );
  t.like(await entries(db), [
    { delivery: 'dead', attempts: 2, last_error: 'HTTP 500' },
    { delivery: 'due', attempts: 0 },
  ]);
});

test('an entry that is queued while its sender is being released is not left behind', async (t) => {
  const db = await prepared(t, { outcomes: 'webhooks' });
  const deliveries = createDeliveries(db.database);
  await ended(db, 'a');
  const [first] = await claimOf(db);
  if (first === undefined) return t.fail();
  await ended(db, 'a');
  const queueing = await db.pool.connect();
  await queueing.query('begin; select mempool_outbox_number_v1()');
  const released = deliveries.release(first, { entryIds: ids(first), failed: null }, GIVE_UP_MS);
  const waits = until(
    db.query,
    "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%mempool_outbox_release%' and datname = current_database()",
  );
  await Promise.race([released, waits]);
  await queueing.query('commit');
  queueing.release();
  t.is(await released, 'released');
  t.is((await claimOf(db)).length, 1);
});

test('only what every consumer has acknowledged is pruned; one that never comes back is forgotten by a person', async (t) => {
  const db = await prepared(t, { outcomes: 'consumers' });
  await ended(db, 'a', 'b');
  const prune = (): Promise<number> => pruneOutcomes(db.database, 0, { dryRun: false });
  const [here, gone] = ['here', 'gone'].map((name) => createConsumer(db.database, name, LEASE_MS));
  await Promise.all([here?.read(10), gone?.read(10)]);
  await here?.acknowledge(1n);
  t.is(await prune(), 0);
  t.false(await forgetConsumer(db.database, 'gone'), 'a process reads for it');
  await gone?.leave();
  t.true(await forgetConsumer(db.database, 'gone'));
  t.is(await prune(), 1);
  t.is((await here?.read(10))?.length, 1);
});
