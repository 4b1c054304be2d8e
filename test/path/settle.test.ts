import test from 'ava';
import { StoreUnavailable } from '../../src/core/errors.js';
import { createSettler } from '../../src/path/settle.js';
import type { Store } from '../../src/ports/store.js';
import { settlementOf } from '../../src/protocol/settlement.js';
import { monotonic } from '../../src/runtime/clock.js';
import { completed, prepared } from '../store/support.js';
import { lasting } from '../support/time.js';

test('I9 an outcome that cannot be written is tried again, until the process gives up: the row is left to its lease', async (t) => {
  const db = await prepared(t);
  await db.insert();
  const claimed = await db.claimOne();
  const { row } = claimed;
  let tries = 0;
  let triedTwice = (): void => {};
  const twice = new Promise<void>((resolve) => {
    triedTwice = resolve;
  });
  let away = true;
  const store: Store = {
    ...db.store,
    async settle(batch) {
      tries += 1;
      if (tries === 2) triedTwice();
      if (away) throw new StoreUnavailable('away');
      return db.store.settle(batch);
    },
  };
  const settler = createSettler({ store, clock: monotonic, emit: () => {} });
  const settlement = settlementOf(claimed, completed);
  const settled = settler.settle(settlement);
  await twice;
  settler.giveUp();
  away = false;
  // Longer than the pause before the next try would have been.
  t.is(await Promise.race([settled, lasting(1_000).then(() => 'left alone')]), 'left alone');
  t.is((await db.row(row.id)).status, 'pending');
});

test('I9 a row that somebody keeps locked keeps its outcome: it is written when the lock is gone, and holds up no other', async (t) => {
  const db = await prepared(t);
  const locked = await db.insert({ from: 'a' });
  const other = await db.insert({ from: 'b' });
  const [first, second] = await db.claim();
  if (first === undefined || second === undefined) return t.fail();
  const client = await db.pool.connect();
  await client.query('begin');
  await client.query('select 1 from mempool where id = $1 for update', [locked]);
  let kept = (): void => {};
  const isKept = new Promise<void>((resolve) => {
    kept = resolve;
  });
  const settler = createSettler({
    store: db.store,
    clock: monotonic,
    emit: (event) => event.kind === 'fault' && kept(),
  });
  t.teardown(async () => settler.giveUp());
  const settling = settler.settle(settlementOf(first, completed));
  await isKept;
  t.is((await settler.settle(settlementOf(second, completed))).result, 'settled');
  t.is((await db.row(other)).status, 'completed');
  await client.query('commit');
  client.release();
  t.is((await settling).result, 'settled');
  t.is((await db.row(locked)).status, 'completed');
});
