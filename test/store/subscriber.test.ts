// The listener against everything that makes pg-listen deaf (I8). Outages are shortened where a constant allows it;
// the two that the design names (ten seconds of outage, a half-open connection) run at their real length.
import test from 'ava';
import { openDatabase } from '../../src/store/pool.js';
import { createSubscriber, type ListenerEvent } from '../../src/store/subscriber.js';
import { LONG } from '../support/long.js';
import { migratedDatabase, type TestDatabase } from '../support/postgres.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { lasting } from '../support/time.js';
import { insertRow, until } from './support.js';

interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

/** What happens, in order, to be waited for. */
function recorder<T>() {
  const all: T[] = [];
  let wake = (): void => {};
  return {
    all,
    push(one: T) {
      all.push(one);
      wake();
    },
    /** The first one from `from` on that fits. */
    async next(fits: (one: T) => boolean, from = 0): Promise<T> {
      for (;;) {
        const found = all.slice(from).find(fits);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

interface Listening {
  readonly db: TestDatabase;
  readonly proxy: TcpProxy;
  readonly heard: ReturnType<typeof recorder<string>>;
  readonly events: ReturnType<typeof recorder<ListenerEvent>>;
  readonly subscriber: ReturnType<typeof createSubscriber>;
  readonly stop: () => Promise<void>;
}

/** LISTEN goes through the proxy; canaries go straight, unless told otherwise. */
async function listening(t: Teardown, canaryIntervalMs = 200, poolThroughProxy = false): Promise<Listening> {
  const db = await migratedDatabase(t);
  const proxy = await startProxy(t, db.url);
  const database = openDatabase({ url: poolThroughProxy ? proxy.through(db.url) : db.url });
  const heard = recorder<string>();
  const events = recorder<ListenerEvent>();
  const subscriber = createSubscriber({
    listenUrl: proxy.through(db.url),
    database,
    instance: 'me',
    canaryIntervalMs,
    emit: (event) => events.push(event),
    random: () => 0.5,
  });
  const stop = async (): Promise<void> => {
    await subscriber.stop();
    await database.close();
  };
  t.teardown(stop);
  await subscriber.start((source) => heard.push(source));
  return { db, proxy, heard, events, subscriber, stop };
}

/** Of a span that is the product's own, whatever the machine. */
const atLength = LONG ? test : test.skip;

const state = (wanted: string) => (event: ListenerEvent) =>
  event.kind === 'listener' && event.state === wanted;
const canaryHeard = (event: ListenerEvent) => event.kind === 'canary' && event.tookMs !== null;

test('a bell, a handoff, and a look at the start; the canary proves the way', async (t) => {
  const { db, heard, events, subscriber } = await listening(t, 600_000);
  t.deepEqual(heard.all, ['connected']);
  await events.next(canaryHeard);
  t.true(subscriber.proven());
  await insertRow(db.query);
  await heard.next((one) => one === 'bell');
  await db.query("select pg_notify('mempool_wakeup_v1', 'h')");
  await heard.next((one) => one === 'handoff');
});

test('I8 whatever somebody else notifies is a bell at most: not JSON, forged canaries, the longest payload', async (t) => {
  const { db, heard, events } = await listening(t, 600_000);
  await events.next(canaryHeard);
  const seen = events.all.length;
  for (const payload of ['{"broken', 'x'.repeat(7_999), '%s $1 ;']) {
    const from = heard.all.length;
    await db.query('select pg_notify($1, $2)', ['mempool_wakeup_v1', payload]);
    await heard.next((one) => one === 'bell', from);
  }
  await db.query(
    "select pg_notify('mempool_wakeup_v1', 'c:me:999999'), pg_notify('mempool_wakeup_v1', 'c:other:1')",
  );
  await heard.next((one) => one === 'other');
  const from = heard.all.length;
  await insertRow(db.query);
  await heard.next((one) => one === 'bell', from);
  t.deepEqual(events.all.slice(seen), [], 'nothing was lost, and nothing passed for a canary');
});

test('a killed connection is replaced, and the first thing is a look', async (t) => {
  const { db, heard, events, subscriber } = await listening(t);
  await events.next(canaryHeard);
  const from = heard.all.length;
  await db.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'me listen' and datname = current_database()",
  );
  await events.next(state('lost'));
  await heard.next((one) => one === 'connected', from);
  await events.next(canaryHeard, events.all.findIndex(state('lost')));
  t.true(subscriber.proven());
  await insertRow(db.query);
  await heard.next((one) => one === 'bell', from);
});

test('a channel that is not listened to any more, on a connection that works, is found by the canary', async (t) => {
  const { heard, events, proxy } = await listening(t);
  await events.next(canaryHeard);
  const before = proxy.connections();
  // What a transaction pooler does to LISTEN: the session behind it is another one. Here: it listens to nothing.
  const from = heard.all.length;
  proxy.blackHole();
  await events.next(state('deaf'));
  await proxy.resume();
  await heard.next((one) => one === 'connected', from);
  t.true(proxy.connections() > before);
});

test('connected, but to where nobody rings: only the canary sees that', async (t) => {
  const [db, elsewhere] = [await migratedDatabase(t), await migratedDatabase(t)];
  const database = openDatabase({ url: db.url });
  const events = recorder<ListenerEvent>();
  const subscriber = createSubscriber({
    listenUrl: elsewhere.url,
    database,
    instance: 'me',
    canaryIntervalMs: 100,
    emit: (event) => events.push(event),
  });
  await subscriber.start(() => {});
  await events.next(state('deaf'));
  await events.next(state('recreated'));
  t.false(subscriber.proven());
  await subscriber.stop();
  await database.close();
});

atLength(
  'a half-open connection is noticed and replaced within 15 s, at the real interval of canaries',
  async (t) => {
    const { heard, events, proxy, subscriber } = await listening(t, 10_000);
    await events.next(canaryHeard);
    const since = performance.now();
    const from = heard.all.length;
    proxy.blackHole();
    const lost = events.next(state('lost'), events.all.length).then(() => proxy.resume());
    await lost;
    t.false(subscriber.proven());
    await heard.next((one) => one === 'connected', from);
    t.true(performance.now() - since < 15_000);
  },
);

test('ten seconds of outage are over soon after them', async (t) => {
  const { db, heard, events, proxy } = await listening(t, 1_000, true);
  await events.next(canaryHeard);
  const since = performance.now();
  await proxy.refuse();
  const from = heard.all.length;
  await lasting(10_000);
  await proxy.resume();
  await heard.next((one) => one === 'connected', from);
  await insertRow(db.query);
  await heard.next((one) => one === 'bell', from);
  // Without its limit the pause that the outage ends in would last until the 19th second.
  t.true(performance.now() - since < 18_000);
});

test('with no LISTEN at all it starts, says so, and never claims to be proven', async (t) => {
  const db = await migratedDatabase(t);
  const database = openDatabase({ url: db.url });
  const events = recorder<ListenerEvent>();
  const subscriber = createSubscriber({
    listenUrl: 'postgres://nobody@127.0.0.1:1/nothing',
    database,
    instance: 'me',
    canaryIntervalMs: 100,
    emit: (event) => events.push(event),
  });
  await subscriber.start(() => t.fail());
  await events.next(state('lost'));
  t.false(subscriber.proven());
  await subscriber.stop();
  await database.close();
});

test('stop ends everything, also in the middle of reconnecting: no session is left behind', async (t) => {
  const { db, events, proxy, stop } = await listening(t);
  await events.next(canaryHeard);
  await proxy.refuse();
  await events.next(state('lost'));
  await proxy.resume();
  await stop();
  await stop();
  await until(
    db.query,
    `select 1 where not exists (select from pg_stat_activity where application_name = 'me listen' and datname = current_database())`,
  );
  t.pass();
});

test('a certificate that cannot be read is an outage like any other', async (t) => {
  const db = await migratedDatabase(t);
  const database = openDatabase({ url: db.url });
  t.teardown(() => database.close());
  const events = recorder<ListenerEvent>();
  const url = new URL(db.url);
  url.searchParams.set('sslrootcert', '/nowhere/ca.pem');
  const subscriber = createSubscriber({
    listenUrl: url.href,
    database,
    instance: 'me',
    canaryIntervalMs: 200,
    emit: (event) => events.push(event),
  });
  await subscriber.start(() => {});
  const lost = (event: ListenerEvent): boolean => event.kind === 'listener' && event.state === 'lost';
  const first = await events.next(lost);
  t.regex(first.kind === 'listener' ? first.detail : '', /ENOENT.*ca\.pem/);
  await events.next(lost, events.all.indexOf(first) + 1);
  await subscriber.stop();
});
