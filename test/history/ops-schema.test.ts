// Triggers and indexes that go missing under running instances.
import test from 'ava';
import { migrate } from '../../src/store/migrate/migrate.js';
import { type Local, startLocal } from '../support/local.js';
import { PATIENT } from '../support/paced-sandbox.js';
import { createWorld, type World } from '../support/world.js';

const missing = (local: Local): string | undefined =>
  local.health().blockers.find(({ part }) => part === 'schema')?.reason;

const migrated = (world: World) =>
  migrate({
    url: world.db.url,
    lanes: null,
    toleranceMs: null,
    clockSkewMaxMs: null,
    oneStepTokens: [],
    say: () => {},
  });

test('I4 a trigger disabled under a running instance: nothing is claimed before it is enabled, by hand or by migrate', async (t) => {
  const world = await createWorld(t, PATIENT);
  const [alice, bob] = [await world.user(), await world.user()];
  const local = await startLocal(t, world);
  await local.event('ready');
  const enabled = [
    () => world.db.query('alter table mempool enable trigger all'),
    () => migrated(world),
  ] as const;
  for (const [nonce, enable] of enabled.entries()) {
    await world.db.query('alter table mempool disable trigger all');
    await world.until('it is noticed', () => missing(local) !== undefined);
    t.regex(
      missing(local) ?? '',
      /trigger mempool_remember_v1 is missing or disabled.*`canton-submitter migrate`/,
    );
    t.false(local.health().ready);
    const hash = await world.insert({ from: alice, to: bob, nonce });
    const polls = (): number =>
      local.events.filter((event) => event.kind === 'woken' && event.by === 'poll').length;
    const before = polls();
    await world.until('it has polled', () => polls() >= before + 3);
    t.like(await world.row(hash), { status: 'pending', claim_token: null, attempts: 0 });
    await enable();
    const disabled =
      "select tgname from pg_trigger where tgrelid = 'mempool'::regclass and not tgisinternal and tgenabled = 'D'";
    t.deepEqual(await world.db.query(disabled), []);
    await world.ended([hash]);
    t.true(local.health().ready);
  }
  t.deepEqual(await world.audit(), []);
});

test('P20 a table replaced by a copy has no triggers: after the recheck nothing is claimed before migrate has made them', async (t) => {
  const world = await createWorld(t, PATIENT);
  const [alice, bob] = [await world.user(), await world.user()];
  const local = await startLocal(t, world);
  await local.event('ready');
  const readies = (): number => local.events.filter(({ kind }) => kind === 'ready').length;
  await world.db.query(`begin;
    create table copied (like mempool including all);
    insert into copied select * from mempool;
    alter table mempool rename to replaced;
    alter table copied rename to mempool;
    commit`);
  const hash = await world.insert({ from: alice, to: bob });
  await local.event('alarm', ({ what }) => what.includes('the database changed'));
  await world.until('it is noticed', () => missing(local) !== undefined);
  t.regex(
    missing(local) ?? '',
    /index mempool_claimed_lane_v2 is missing: table replaced has the one of this name/,
  );
  t.regex(missing(local) ?? '', /trigger mempool_guard_v1 is missing/);
  await t.throwsAsync(() => migrated(world), { message: /is on table replaced/ });
  t.is(readies(), 1, 'not for a moment');
  t.like(await world.row(hash), { status: 'pending', attempts: 0 });
  await world.db.query(`alter sequence mempool_id_seq owned by mempool.id; drop table replaced`);
  await migrated(world);
  await world.until('it goes on', () => local.health().ready);
  t.is(readies(), 2);
});
