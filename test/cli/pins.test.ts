// `migrate` and `prune` as a person types them: what asks, what refuses, and what a slip does.
import { randomBytes } from 'node:crypto';
import test from 'ava';
import { whoRuns } from '../../src/cli/support/who.js';
import { insertRow, insertUser, MIDDLEWARE } from '../store/support.js';
import { freshDatabase, migratedDatabase } from '../support/postgres.js';
import { cli } from './support.js';

test('migrate with settings that differ changes no pin and says so; a lower tolerance has its own flag, which says what it risks', async (t) => {
  const db = await migratedDatabase(t);
  const env = { DATABASE_URL: db.url };
  const pins = () => db.one('select * from mempool_submitter_v1');
  await db.query("update mempool_submitter_v1 set halted = 'late', halted_above_ms = 65000");
  const before = await pins();
  const plain = await cli(['migrate'], { ...env, LEDGER_TIME_TOLERANCE_MS: '1000', LANES: 'off' });
  t.is(plain.code, 0);
  t.regex(plain.stdout, /LANES is off here, and sender is pinned; nothing was changed/);
  t.regex(plain.stdout, /LEDGER_TIME_TOLERANCE_MS is 1000 here, and 60000 is pinned/);
  for (const slip of [
    ['--tolerance', '1000'],
    ['--tolerance', '64999'],
    ['--lower-tolerance', '1000', '--yes'],
  ]) {
    const slipped = await cli(['migrate', ...slip], env);
    t.is(slipped.code, 1, slip.join(' '));
    t.regex(slipped.stderr, /refused/);
  }
  const unasked = await cli(['migrate', '--lower-clock-skew', '1000'], env);
  t.is(unasked.code, 2);
  t.regex(unasked.stdout, /be paid twice/);
  t.deepEqual(await pins(), before);
  t.is((await cli(['migrate', '--tolerance', '65000'], env)).code, 0);
  t.is((await cli(['migrate', '--lower-tolerance', '61000', '--yes'], env)).code, 0);
  t.like(await pins(), { tolerance_ms: 61_000, halted: null });
  t.is((await cli(['migrate', '--same-nonce', 'park'], env)).code, 0);
  t.like(await pins(), { same_nonce: 'park', tolerance_ms: 61_000 });
  const both = await cli(['migrate', '--lanes', 'off', '--same-nonce', 'pay'], env);
  t.is(both.code, 2);
});

test('migrate --down, --repin and --remark ask, and without a terminal want --yes', async (t) => {
  const db = await migratedDatabase(t);
  const env = { DATABASE_URL: db.url };
  await db.query(
    "update mempool_submitter_v1 set participant_id = 'p1', user_id = 'u', synchronizer_id = 's', mark_offset = 8, mark_update_id = 'u', mark_party = 'p'",
  );
  const said = {
    '--down': /forgets which ledger update completed 0 rows, and what is pinned \(p1\)/,
    '--repin': /The pinned participant is p1\. Its 0 undecided rows will be parked/,
    '--remark': /Marks on p1: offsets 8\./,
  };
  for (const [way, lost] of Object.entries(said)) {
    const unasked = await cli(['migrate', way], env);
    t.is(unasked.code, 2, way);
    t.regex(unasked.stdout, lost);
    t.regex(unasked.stderr, /no terminal to ask on; pass --yes to confirm/);
  }
  await db.query(
    'update mempool_submitter_v1 set recheck_from = 1, recheck_until = now(), recheck_at = now()',
  );
  t.regex(
    (await cli(['migrate', '--repin'], env)).stdout,
    /less than seven days ago.* on another one it would be paid again/,
  );
  const changes = [
    ['--remark'],
    ['--repin'],
    ['--clock-skew', '70000'],
    ['--tolerance', '70000'],
    ['--outcomes', 'consumers'],
  ];
  for (const way of [...changes, ['--down']])
    t.is((await cli(['migrate', ...way, '--yes', '--reason', `ticket ${way[0]}`], env)).code, 0);
  t.deepEqual(
    await db.query('select action, by_person, reason from mempool_submitter_audit_v1 order by id'),
    [
      ['remark', '--remark'],
      ['repin', '--repin'],
      ['pins', '--clock-skew'],
      ['tolerance', '--tolerance'],
      ['pins', '--outcomes'],
      ['down', '--down'],
    ].map(([action, way]) => ({ action, by_person: whoRuns(), reason: `ticket ${way}` })),
  );
});

test('the first migrate asks for the old user where rows are pending', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  await insertUser(db.query, 'alice', { key: 'c2VjcmV0' });
  await insertRow(db.query);
  const env = { DATABASE_URL: db.url };
  const unsaid = await cli(['migrate'], env);
  t.is(unsaid.code, 2);
  t.regex(unsaid.stderr, /--old-user: required here/);
  const printed = await cli(['migrate', '--print'], env);
  t.regex(printed.stdout, /raise exception 'rows are pending: print this with --old-user/);
  t.is((await cli(['migrate', '--old-user', 'api-server'], env)).code, 0);
  t.is((await db.one('select sent_by from mempool')).sent_by, 'api-server');
});

test('the first migrate pins what a flag says, whatever the environment does; park needs lanes there too', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  const env = { DATABASE_URL: db.url, LEDGER_TIME_TOLERANCE_MS: '1000' };
  const pins = () => db.one('select * from mempool_submitter_v1');
  for (const way of [[], ['--print']]) {
    const slip = await cli(['migrate', ...way], { ...env, LANES: 'off', SAME_NONCE: 'park' });
    t.is(slip.code, 1, way.join());
    t.regex(slip.stderr, /SAME_NONCE=park .*needs lanes/);
  }
  t.is((await cli(['migrate', '--same-nonce', 'park'], { ...env, LANES: 'off' })).code, 1);
  const parks = await cli(['migrate', '--same-nonce', 'park'], env);
  t.is(parks.code, 0);
  t.regex(parks.stdout, /pinned: lanes sender, tolerance 1000 ms, clock skew 60000 ms, same nonce park/);
  t.like(await pins(), { lanes: 'sender', same_nonce: 'park', tolerance_ms: 1000 });
  for (const [flags, pinned] of [
    [['--lanes', 'off'], { lanes: 'off', tolerance_ms: 1000 }],
    [['--tolerance', '70000'], { lanes: 'sender', tolerance_ms: 70_000 }],
  ] as const) {
    t.is((await cli(['migrate', '--down', '--yes'], env)).code, 0);
    t.is((await cli(['migrate', ...flags], env)).code, 0);
    t.like(await pins(), { generation: '1', ...pinned });
  }
});

test('prune counts, asks, and deletes what was mined long ago', async (t) => {
  const db = await migratedDatabase(t);
  const env = { DATABASE_URL: db.url };
  for (let n = 0; n < 3; n++) await insertRow(db.query, { from: `s${n}`, hash: randomBytes(32) });
  await db.query(
    "update mempool set status = 'mined', updated_at = now() - interval '100 days' where from_address <> 's2'",
  );
  await db.query(`insert into mempool_attempts_v1 (row_id, tx_hash, kind, number, outcome, ended_at)
    select id, tx_hash, 'attempt', 1, 'retry', a from mempool, unnest(array[now(), now() - interval '91 days', now() - interval '92 days']) a`);
  t.is((await cli(['prune'], env)).code, 2);
  t.is((await cli(['prune', '--older-than', 'yesterday'], env)).code, 2);
  const dry = await cli(['prune', '--older-than', '90d', '--dry-run'], env);
  t.is(dry.stdout, '2 mined rows and 6 entries of stories would be deleted; the hashes are remembered\n');
  t.is((await cli(['prune', '--older-than', '90d'], env)).code, 2);
  t.is((await db.query('select 1 from mempool')).length, 3);
  const done = await cli(['prune', '--older-than', '90d', '--yes'], env);
  t.regex(done.stdout, /^2 mined rows and 6 entries of stories deleted$/m);
  t.is((await db.query('select 1 from mempool')).length, 1);
  t.is((await db.query('select 1 from mempool_ended_v1')).length, 2);
  t.is((await db.query('select 1 from mempool_attempts_v1')).length, 3);
});
