import test from 'ava';
import { onEvent, STARTING } from '../../src/observe/health.js';
import { openDatabase } from '../../src/store/pool.js';
import { oldestSnapshot } from '../../src/store/snapshots.js';
import { lasting } from '../support/time.js';
import { prepared } from './support.js';

test('a transaction that stays open elsewhere is seen, with who holds it, and said where it is old', async (t) => {
  const db = await prepared(t);
  const keeper = await db.pool.connect();
  t.teardown(async () => keeper.release());
  await keeper.query("set application_name = 'a report'; begin isolation level repeatable read; select 1");
  await db.insert();
  // The server is every test's: what is older than ours ends before it.
  let seen = await oldestSnapshot(db.database);
  while (!/a report/.test(seen.holder)) {
    await lasting(20);
    seen = await oldestSnapshot(db.database);
  }
  t.regex(seen.holder, /^session \d+ \(a report\)$/);
  t.true(seen.ageMs !== null && seen.ageMs >= 0);
  t.true(seen.transactions >= 1);
  await keeper.query('commit');
  t.notRegex((await oldestSnapshot(db.database)).holder, /a report/);

  // A role that may not see since when still sees how much has happened since.
  await keeper.query('begin isolation level repeatable read; select 1');
  const role = `watcher_${process.pid}`;
  await db.query(`create role ${role} login password 'watcher'`);
  const url = Object.assign(new URL(db.url), { username: role, password: 'watcher' });
  const watcher = openDatabase({ url: url.href });
  t.teardown(async () => {
    await watcher.close();
    await db.query(`drop role ${role}`);
  });
  const half = await oldestSnapshot(watcher);
  t.like(half, { kind: 'snapshot', ageMs: null });
  t.not(half.holder, '');
  await keeper.query('commit');
});

test('an old snapshot is said in /readyz, and keeps nobody from claiming', (t) => {
  const ready = onEvent(STARTING, { kind: 'ready' });
  const young = {
    kind: 'snapshot',
    ageMs: 60_000,
    transactions: 9e9,
    holder: 'session 7 (a report)',
  } as const;
  t.deepEqual(onEvent(ready, young), ready);
  const old = onEvent(ready, { ...young, ageMs: 600_000 });
  t.true(old.ready);
  t.like(old.blockers[0], { part: 'snapshot' });
  t.regex(old.blockers[0]?.reason ?? '', /^session 7 \(a report\) has kept a snapshot for 10 min/);
  const unseen = onEvent(ready, { ...young, ageMs: null });
  t.regex(unseen.blockers[0]?.reason ?? '', /for 9000000000 transactions/);
  t.deepEqual(onEvent(old, young), ready);
});
