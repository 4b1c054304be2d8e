import test from 'ava';
import { advance } from '../support/marks.js';
import { aParty, prepared, until } from './support.js';

const participant = { id: 'participant-1', userId: 'user-1', synchronizerId: 'sync-1' };

test('the first instance pins the participant, under a new generation; the second reads what it pinned', async (t) => {
  const db = await prepared(t);
  const [a, b] = await Promise.all([
    db.store.pinParticipant(1n, participant),
    db.another().pinParticipant(1n, { ...participant, id: 'participant-2' }),
  ]);
  t.is([a, b].filter((one) => one === null).length, 1);
  const pinned = await db.store.pinned();
  t.deepEqual(pinned, a ?? b);
  t.is(pinned?.generation, 2n);
  t.is(await db.store.pinParticipant(2n, participant), null);
});

test('a pin waits for a claim that has looked, and a claim for a pin that changes: what was checked holds', async (t) => {
  const db = await prepared(t);
  await db.insert();
  const claimer = await db.pool.connect();
  await claimer.query('begin');
  await claimer.query("select * from mempool_claim_v1(false, 1, 'h', 1, 1000, 0, 1, 1)");
  const pinning = db.store.pinParticipant(1n, participant);
  await until(db.query, "select 1 from pg_locks where mode = 'ShareRowExclusiveLock' and not granted");
  await claimer.query('commit');
  claimer.release();
  t.is((await pinning)?.generation, 2n);

  const changer = await db.pool.connect();
  await changer.query('begin; lock table mempool in share row exclusive mode');
  await changer.query('update mempool_submitter_v1 set generation = generation + 1');
  const claiming = db.store.claim({
    holder: 'h',
    limit: 1,
    leaseMs: 1,
    generation: 2n,
    sentFrom: 1n,
    windowMs: 1,
  });
  await until(db.query, "select 1 from pg_locks where mode = 'RowExclusiveLock' and not granted");
  await changer.query('commit');
  changer.release();
  t.deepEqual(await claiming, { kind: 'stale' });
});

test('marks move forward only, the mark only by a stream that showed the old one', async (t) => {
  const db = await prepared(t);
  const mark = (offset: bigint, updateId = `u${offset}`) => ({ offset, updateId, party: aParty('p') });
  const moved = async (
    ledgerEnd: bigint,
    next: ReturnType<typeof mark> | null,
    old: ReturnType<typeof mark> | null,
  ) => {
    await advance(db.store, { ledgerEnd, mark: next, oldMark: old });
    const pinned = await db.store.pinned();
    return [pinned?.ledgerEnd, pinned?.mark?.offset];
  };
  t.deepEqual(await moved(10n, null, null), [10n, undefined]);
  t.deepEqual(await moved(5n, null, null), [10n, undefined], 'never lower');
  t.deepEqual(await moved(11n, mark(7n), null), [11n, 7n]);
  t.deepEqual(await moved(12n, mark(9n), null), [12n, 7n], 'it did not show the mark of before');
  t.deepEqual(await moved(12n, mark(9n), mark(7n, 'another update')), [12n, 7n], 'another history');
  t.deepEqual(await moved(12n, mark(6n), mark(7n)), [12n, 7n], 'backwards');
  t.deepEqual(await moved(12n, mark(9n), mark(7n)), [12n, 9n]);
  t.is((await db.store.pinned())?.generation, 1n);
});

test('marks beyond 2^53 come back as they were', async (t) => {
  const db = await prepared(t);
  const ledgerEnd = 9_007_199_254_740_993n;
  await advance(db.store, { ledgerEnd, mark: null, oldMark: null });
  t.is((await db.store.pinned())?.ledgerEnd, ledgerEnd);
});
