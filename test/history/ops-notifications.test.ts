import test from 'ava';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { openDatabase } from '../../src/store/pool.js';
import { createSubscriber } from '../../src/store/subscriber.js';
import { type Local, startLocal } from '../support/local.js';
import { PATIENT } from '../support/paced-sandbox.js';
import { createWorld } from '../support/world.js';

test('I8 forged, doubled, garbage and binary notifications cost looks, nothing else', async (t) => {
  const world = await createWorld(t, { ...PATIENT, dedup: false });
  const { audit } = world.sandbox;
  const [alice, bob] = [await world.user(), await world.user()];
  const database = openDatabase({ url: world.db.url });
  t.teardown(() => database.close());
  const heard: SubmitterEvent[] = [];
  const notifications = createSubscriber({
    listenUrl: world.db.url,
    database,
    instance: 'listens',
    canaryIntervalMs: 600_000,
    emit: (event) => heard.push(event),
  });
  // The poll stays out of it: what moves here was moved by a notification.
  const local = await startLocal(t, world, { notifications, settings: { pollMs: 600_000 } });
  await local.event('ready');
  await world.until('its own canary was heard', () => notifications.proven());
  heard.length = 0;
  const ring = (payload: string): Promise<unknown> =>
    world.db.query("select pg_notify('mempool_wakeup_v1', $1)", [payload]);
  const forged = [
    '',
    'h',
    'c:',
    'c:listens:1',
    'c:listens:999999',
    '{"id": 1, "status": "completed"}',
    '{not json',
    'null',
    '"',
    "'; drop table mempool; --",
    '\u0001\u0002\u001b[2J\u007f',
    '\u{1f4a3}\ufffd\u202e',
    'x'.repeat(7_999),
    '-1',
    String(2n ** 80n),
  ];
  for (const payload of [...forged, ...forged]) await ring(payload);
  const claims = (): number =>
    local.events.filter((event) => event.kind === 'claimed' && event.by !== 'start').length;
  await world.until('they were heard', () => claims() > 0);
  t.is(audit.entries.length, 0);

  const hashes: string[] = [];
  for (let nonce = 0; nonce < 5; nonce++) {
    hashes.push(await world.insert({ from: alice, to: bob, nonce }));
    for (const payload of forged) await ring(payload);
  }
  await world.ended(hashes);
  for (const hash of hashes) t.like(await world.row(hash), { status: 'completed', attempts: 1 });
  t.is(audit.summary().ledgerCalls, hashes.length);
  t.deepEqual(heard, [], 'it never lost the thread');
  t.false(local.events.some((event) => event.kind === 'fault'));
  t.deepEqual(await world.audit(), []);
});

test('I8 notifications that are never delivered cost latency only', async (t) => {
  const world = await createWorld(t, { ...PATIENT, dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  await world.db.query('alter table mempool disable trigger mempool_doorbell_v1');
  // No notification of any kind: neither of this instance's listener nor of the table.
  const local = await startLocal(t, world, { settings: { pollMs: 300 } });
  await local.event('ready');
  const hashes: string[] = [];
  for (let nonce = 0; nonce < 3; nonce++) {
    const hash = await world.insert({ from: alice, to: bob, nonce });
    await world.ended([hash]);
    hashes.push(hash);
  }
  for (const hash of hashes) t.like(await world.row(hash), { status: 'completed', attempts: 1 });
  t.is(world.sandbox.audit.summary().ledgerCalls, hashes.length);
  t.false(
    local.events.some((event) => event.kind === 'woken' && ['bell', 'handoff', 'listen'].includes(event.by)),
  );
  t.deepEqual(await world.audit(), []);
});

test('I8 one bell, one instance that answers; when it is gone the next one does, and only that takes longer', async (t) => {
  // A row takes longer than an instance waits that knows of nobody awake: without the signs, all of them claim.
  const world = await createWorld(t, { ...PATIENT, latencyMs: 400, dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const fleet = await Promise.all(
    ['a', 'b', 'c', 'd'].map(async (instance) => {
      const database = openDatabase({ url: world.db.url });
      t.teardown(() => database.close());
      const notifications = createSubscriber({
        listenUrl: world.db.url,
        database,
        instance,
        canaryIntervalMs: 500,
        emit() {},
      });
      const local = await startLocal(t, world, {
        notifications,
        settings: { pollMs: 600_000 },
        // By it a row is done long before whoever said that it is awake has to say so again, on a slow machine too.
        clock: { elapsed: () => performance.now() / 10 },
      });
      await local.event('ready');
      return local;
    }),
  );
  const claims = (of: Local): number => of.events.filter(({ kind }) => kind === 'claimed').length;
  let nonce = 0;
  const pay = async (): Promise<string> => {
    const hash = await world.insert({ from: alice, to: bob, nonce: nonce++ });
    await world.ended([hash]);
    return hash;
  };
  const isSettled = ({ kind }: SubmitterEvent): boolean => kind === 'settled';

  // They find out who it is: those that lose hear who has won.
  await pay();
  await pay();
  const before = fleet.map((one) => ({
    one,
    claims: claims(one),
    settled: one.events.filter(isSettled).length,
  }));
  const rows = 8;
  for (let n = 0; n < rows; n++) await pay();
  const after = before.map(({ one, ...was }) => ({
    one,
    claims: claims(one) - was.claims,
    settled: one.events.filter(isSettled).length - was.settled,
  }));
  const [first, ...others] = after.toSorted((a, b) => b.settled - a.settled);
  const idle = others.reduce((sum, { claims }) => sum + claims, 0);
  t.true(idle <= rows, `${idle} claims of those that had nothing to claim`);

  await first?.one.stop();
  const last = await pay();
  t.is((await world.row(last)).status, 'completed');
  t.is(world.sandbox.audit.summary().ledgerCalls, nonce);
  t.deepEqual(await world.audit(), []);
});
