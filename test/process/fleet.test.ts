import test from 'ava';
import { startFleet } from '../support/fleet.js';
import { createWorld } from '../support/world.js';

test('three instances, twenty senders: one call per row, no double commit', async (t) => {
  const world = await createWorld(t, { timeScale: 0.2 });
  const users = await Promise.all(Array.from({ length: 20 }, () => world.user()));
  await startFleet(t, world, 3);
  const at = (index: number) => users[index % users.length] ?? t.fail('no user');
  const hashes: string[] = [];
  for (let n = 0; n < 120; n++) {
    const from = at(n);
    const to = at(n + 7);
    if (typeof from === 'boolean' || typeof to === 'boolean') return;
    hashes.push(await world.insert({ from, to, amount: 1, nonce: n }));
  }
  await world.ended(hashes);
  const summary = world.sandbox.audit.summary();
  t.is(summary.ledgerCalls, 120);
  t.is(summary.accepted, 120);
  t.is(summary.maxInFlightPerParty, 1);
  t.deepEqual(await world.audit(), []);
});
