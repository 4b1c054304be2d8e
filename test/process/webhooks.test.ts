// Outcomes from real instances, one of which is killed between a delivery and its record.
import test from 'ava';
import { migrate } from '../../src/store/migrate/migrate.js';
import { migrateOptions } from '../store/support.js';
import { type Instance, startFleet } from '../support/fleet.js';
import { SECRET, startReceiver } from '../support/receiver.js';
import { createWorld } from '../support/world.js';

test('an instance is killed with a webhook under way: every outcome arrives, in order; what comes again has its id again', async (t) => {
  const world = await createWorld(t);
  await migrate(migrateOptions(world.db.url, { changes: { outcomes: 'webhooks' } }));
  const receiver = await startReceiver(t);
  const fleet: Instance[] = [];
  const hanging = new Set<string>();
  let killed = false;
  // The third one is received, and its answer never comes: whoever sent it dies.
  receiver.answer(async ({ id }) => {
    if (killed || receiver.received.length < 3) return 204;
    killed = true;
    hanging.add(id);
    const [first] = fleet;
    first?.signal('SIGKILL');
    await first?.exited;
    return 'hang';
  });
  const env = { WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: SECRET, WEBHOOK_TIMEOUT_MS: '2000' };
  // Only the first delivers, until it is dead.
  fleet.push(...(await startFleet(t, world, 1, env)));
  const users = await Promise.all([world.user(), world.user()]);
  const [alice, bob] = users;
  if (alice === undefined || bob === undefined) return t.fail();
  const hashes: string[] = [];
  for (let nonce = 0; nonce < 3; nonce++)
    for (const from of users)
      hashes.push(await world.insert({ from, to: from === alice ? bob : alice, nonce }));
  await receiver.until('one is under way', () => receiver.received.length >= 3);
  await startFleet(t, world, 1, { ...env, INSTANCE_ID: 'other' });
  await world.ended(hashes);
  await world.until('all are delivered', async () => {
    const waits = await world.db.query("select from mempool_outbox_v1 where delivery <> 'delivered'");
    return waits.length === 0;
  });
  t.deepEqual(await world.audit(), []);
  const told = new Map(receiver.received.map((one) => [one.id, one]));
  t.deepEqual([...told.values()].map(({ data }) => data.transactionHash).sort(), [...hashes].sort());
  for (const { address } of users)
    t.deepEqual(
      [...told.values()].filter(({ sender }) => sender === address).map(({ nonce }) => nonce),
      [0, 1, 2],
    );
  for (const id of hanging) t.is(receiver.received.filter((one) => one.id === id).length, 2);
});
