import test from 'ava';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { Store } from '../../src/core/ports.js';
import { settlementOf } from '../../src/core/settlement.js';
import { createSettler } from '../../src/path/settle.js';
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
