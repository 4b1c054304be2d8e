import test from 'ava';
import { startInstance } from '../support/fleet.js';
import { LONG } from '../support/long.js';
import { startProxy } from '../support/proxy.js';
import { HANG_MS } from '../support/time.js';
import { createWorld } from '../support/world.js';

const OUTAGE_MS = LONG ? 10_000 : 3_000;

test('I8 the listener heals: backend killed, black hole, seconds away; the poll moves rows meanwhile', async (t) => {
  const world = await createWorld(t);
  const proxy = await startProxy(t, world.db.url);
  const [alice, bob] = [await world.user({ balance: 1_000 }), await world.user()];
  const instance = startInstance(t, world, {
    // Only the listener goes through the proxy.
    DATABASE_LISTEN_URL: proxy.through(world.db.url),
    // Too long to help: what moves without a notification is moved because the listener is known to be deaf.
    POLL_INTERVAL_MS: '600000',
    LEASE_MS: '10000',
  });
  await instance.said((line) => line.msg === 'ready');
  let nonce = 0;
  /** Completes one more row; what had it claimed. */
  const move = async (): Promise<unknown> => {
    const hash = await world.insert({ from: alice, to: bob, nonce: nonce++ });
    await world.ended([hash]);
    const at = instance.log.findIndex((line) => line.msg === 'taken' && line.txHash === hash);
    const claim = instance.log.slice(0, at).findLast((line) => line.msg === 'claimed');
    return claim?.by;
  };
  /** A notification is heard again. */
  const hears = async (what: string): Promise<void> => {
    const from = performance.now();
    while ((await move()) !== 'bell') {
      if (performance.now() - from > HANG_MS) return t.fail(`${what}: no notification in ${HANG_MS} ms`);
    }
    t.pass();
  };
  const recreated = (): number => instance.log.filter((line) => line.msg === 'listener recreated').length;
  const deaf = (): number => instance.log.filter((line) => line.msg === 'listener deaf').length;
  await hears('at the start');

  const killed = await world.db.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name like '% listen'`,
  );
  t.is(killed.length, 1);
  await world.until('it listens again', () => recreated() === 1);
  await hears('after its backend was killed');

  proxy.blackHole();
  // Nobody tells it; the poll is short as soon as its own canary is late.
  const meanwhile = new Set<unknown>();
  while (deaf() === 0 || !meanwhile.has('poll')) meanwhile.add(await move());
  t.false(meanwhile.has('bell'));
  await proxy.resume();
  await hears('after the black hole');

  await proxy.refuse();
  const end = performance.now() + OUTAGE_MS;
  meanwhile.clear();
  while (performance.now() < end) meanwhile.add(await move());
  t.true(meanwhile.has('poll'));
  t.false(meanwhile.has('bell'));
  await proxy.resume();
  await hears('after seconds without it');
  t.true(recreated() >= 3);
  t.deepEqual(await world.audit(), []);
});
