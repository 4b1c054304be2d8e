import test from 'ava';
import { cli } from '../cli/support.js';
import { startInstance } from '../support/fleet.js';
import { startLocal } from '../support/local.js';
import { freshDatabase } from '../support/postgres.js';
import { startProxy } from '../support/proxy.js';
import { createWorld } from '../support/world.js';

test('run waits for a database and a participant that are away, says so, and goes on by itself', async (t) => {
  const world = await createWorld(t, { timeScale: 0.2 });
  const [alice, bob] = [await world.user(), await world.user()];
  const proxy = await startProxy(t, world.db.url);
  await proxy.refuse();
  await world.sandbox.control({ kind: 'down' });
  const hash = await world.insert({ from: alice, to: bob });
  const url = proxy.through(world.db.url);
  const instance = startInstance(t, world, { DATABASE_URL: url, ADMIN_ADDRESS: '127.0.0.1:0' });
  const admin = await instance.said((line) => line.msg === 'admin server listens');
  const readyz = async (): Promise<string> => {
    const answer = await fetch(`${admin.url}/readyz`);
    return `${answer.status} ${await answer.text()}`;
  };
  const says = (what: RegExp) => world.until(`/readyz says ${what}`, async () => what.test(await readyz()));

  await says(/^503 [\s\S]*database[\s\S]*ECONNREFUSED/);
  await instance.said((line) => line.msg === 'database lost');
  t.is((await fetch(`${admin.url}/livez`)).status, 200);

  await proxy.resume();
  await instance.said((line) => line.msg === 'database back');
  await says(/^503 [\s\S]*the participant cannot be reached/);
  t.false((await readyz()).includes('"database"'), 'what is mended is not complained of');

  await world.sandbox.control({ kind: 'up' });
  await instance.said((line) => line.msg === 'ready');
  await says(/^200 /);
  await world.ended([hash]);
  t.like(await world.row(hash), { status: 'completed', attempts: 1 });
});

test('run ends with 2 where the database is not migrated, or several settings are wrong: all of them at once', async (t) => {
  const world = await createWorld(t);
  const empty = await freshDatabase(t);
  const { env } = world.sandbox;
  const [bare, wrong] = await Promise.all([
    cli(['run'], { ...env, DATABASE_URL: empty.url, ADMIN_ADDRESS: 'off' }),
    cli(['run'], {
      ...env,
      DATABASE_URL: 'mysql://nobody@nowhere/nothing',
      CANTON_URL: 'not a url',
      LEASE_MS: '1',
      LANES: 'maybe',
      ADMIN_ADDRESS: 'off',
    }),
  ]);
  t.is(bare.code, 2);
  t.regex(bare.stderr, /not migrated: run `canton-submitter migrate` first/);
  t.is(wrong.code, 2);
  for (const name of ['DATABASE_URL', 'CANTON_URL', 'LEASE_MS', 'LANES'])
    t.regex(wrong.stderr, new RegExp(name));
});

test('a participant of another API, or another one than is pinned, is named and nothing is claimed', async (t) => {
  const old = await createWorld(t, { apiVersion: '2.9.1' });
  const [alice, bob] = [await old.user(), await old.user()];
  const hash = await old.insert({ from: alice, to: bob });
  const speaks = await startLocal(t, old);
  const { blockers } = await speaks.event(
    'not-ready',
    (event) => event.blockers[0]?.reason.includes('2.9.1') ?? false,
  );
  t.deepEqual(blockers, [
    {
      part: 'participant',
      reason:
        'the participant speaks Ledger API 2.9.1; this service needs 3.x: upgrade it, or correct CANTON_URL',
    },
  ]);
  t.like(await old.row(hash), { status: 'pending', attempts: 0, claim_token: null });

  const world = await createWorld(t);
  const [carol, dave] = [await world.user(), await world.user()];
  const first = await startLocal(t, world);
  await first.event('ready');
  await first.stop();
  const pinned = world.sandbox.participantId;
  await world.sandbox.control({ kind: 'identity', participantId: 'somebody-else::1220ff', ledger: 'copy' });
  const row = await world.insert({ from: carol, to: dave });
  const second = await startLocal(t, world);
  const other = await second.event(
    'not-ready',
    (event) => event.blockers[0]?.reason.includes('pinned') ?? false,
  );
  t.deepEqual(other.blockers, [
    {
      part: 'participant',
      reason: `the participant is ${world.sandbox.participantId}, but this database is pinned to ${pinned}: point CANTON_URL back, or see \`migrate --repin\``,
    },
  ]);
  const polled = (): number =>
    second.events.filter((event) => event.kind === 'woken' && event.by === 'poll').length;
  await world.until('it has polled', () => polled() >= 3);
  t.like(await world.row(row), { status: 'pending', attempts: 0, claim_token: null });
  t.is(world.sandbox.audit.summary().ledgerCalls, 0);
});
