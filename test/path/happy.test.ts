import test from 'ava';
import { startLocal } from '../support/local.js';
import { createWorld } from '../support/world.js';

test('an inserted transfer is performed once and completed', async (t) => {
  const world = await createWorld(t);
  const [alice, bob] = [await world.user(), await world.user()];
  await startLocal(t, world);
  const hash = await world.insert({ from: alice, to: bob, amount: 1.5 });
  await world.ended([hash]);
  t.is((await world.row(hash)).status, 'completed');
  t.is(world.sandbox.audit.summary().ledgerCalls, 1);
  t.deepEqual(await world.audit(), []);
});
