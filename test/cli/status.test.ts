import test from 'ava';
import { statusText } from '../../src/cli/status/text.js';
import { readStatus, tellScheme } from '../../src/store/status.js';
import { prepared } from '../store/support.js';
import { startFleet } from '../support/fleet.js';
import { createWorld } from '../support/world.js';

test('status shows the hashing scheme that external senders sign under, once one has', async (t) => {
  const { database } = await prepared(t);
  const before = await readStatus(database);
  t.is(before.hashingScheme, null);
  t.notRegex(statusText(before), /hashing scheme/);
  await tellScheme(database, 2);
  await tellScheme(database, 3);
  const status = await readStatus(database);
  t.is(status.hashingScheme, 3);
  t.regex(statusText(status), /^External senders sign under hashing scheme V3$/m);
});

test('an instance tells which scheme the participant prepares in', async (t) => {
  const world = await createWorld(t, { parties: 'external', apiVersion: '3.5.7', timeScale: 0.2 });
  await startFleet(t, world, 1);
  const row = await world.insert({ from: await world.user(), to: await world.user() });
  await world.ended([row]);
  const scheme = (): Promise<{ scheme_in_force: number | null }> =>
    world.db.one('select scheme_in_force from mempool_submitter_v1');
  await world.until('it is told', async () => (await scheme()).scheme_in_force === 3);
  t.is((await world.row(row)).status, 'completed');
});
