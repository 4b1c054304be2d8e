// "Speed up" in a wallet: the same sender and nonce under another hash (SAME_NONCE).
import { migrate } from '../../src/store/migrate/migrate.js';
import { migrateOptions } from '../store/support.js';
import { forBoth } from '../support/both.js';
import { startLocal } from '../support/local.js';
import { createWorld } from '../support/world.js';

forBoth(
  'SAME_NONCE=park: of two hashes of one nonce one is paid; the other is set aside, and said',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    await migrate(migrateOptions(world.db.url, { changes: { sameNonce: 'park' } }));
    const [alice, bob] = [await world.user(), await world.user()];
    const first = await world.insert({ from: alice, to: bob, nonce: 7 });
    const second = await world.insert({ from: alice, to: bob, nonce: 7 });
    const local = await startLocal(t, world);
    await world.ended([first]);
    const said = await local.event('parked', (event) => event.txHash === second);
    t.regex(said.reason, /^SAME_NONCE: /);
    t.like(await world.row(second), { status: 'pending', parked: true, attempts: 0 });
    t.is(world.sandbox.audit.summary().accepted, 1);
    t.true(
      local.events.some((event) => event.kind === 'taken' && event.txHash === first && event.nonceShared),
    );
  },
);

forBoth(
  'SAME_NONCE=pay: both are paid, and the first is counted as one that shares its nonce',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob] = [await world.user(), await world.user()];
    const hashes = [
      await world.insert({ from: alice, to: bob, nonce: 7 }),
      await world.insert({ from: alice, to: bob, nonce: 7 }),
    ];
    const local = await startLocal(t, world);
    await world.ended(hashes);
    t.is(world.sandbox.audit.summary().accepted, 2);
    const shared = local.events.filter((event) => event.kind === 'taken' && event.nonceShared);
    t.is(shared.length, 1);
  },
);
