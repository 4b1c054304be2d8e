import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createWorld } from '../support/world.js';
import { cli, start } from './support.js';

const ready = (line: string): boolean => line.includes('"msg":"ready"');
const adminUrl = (line: string): string => (JSON.parse(line) as { url: string }).url;

async function setup(t: ExecutionContext) {
  const world = await createWorld(t);
  const env = {
    ...world.sandbox.env,
    DATABASE_URL: world.db.url,
    ADMIN_ADDRESS: '127.0.0.1:0',
    POLL_INTERVAL_MS: '200',
    STOP_GRACE_MS: '5000',
    INSTANCE_ID: 'under-test',
  };
  return { world, env };
}

test('run: a row that is inserted is completed; the admin server shows it; SIGTERM ends it with 0', async (t) => {
  const { world, env } = await setup(t);
  const [alice, bob] = [await world.user(), await world.user({ balance: 0 })];
  const run = start(['run'], env);
  const admin = adminUrl(await run.line((line) => line.includes('admin server listens')));
  await run.line(ready);
  const hash = await world.insert({ from: alice, to: bob, amount: 3 });
  await world.ended([hash]);
  t.is((await world.row(hash)).status, 'completed');
  await run.line((line) => line.includes('"msg":"completed"') && line.includes(hash));

  t.is((await fetch(`${admin}/readyz`)).status, 200);
  const status = (await (await fetch(`${admin}/status`)).json()) as Record<string, unknown>;
  t.like(status, {
    ready: true,
    instance: { id: 'under-test', sinceStart: { completed: 1 } },
    database: { queue: { waiting: { rows: 0 } } },
  });
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  t.regex(metrics, /^canton_submitter_submissions_total 1$/m);
  t.regex(metrics, /^api_server_ethrpc_submitter_entries_processed_total\{outcome="completed"\} 1$/m);

  run.kill('SIGTERM');
  const { code, stdout, stderr } = await run.ended;
  t.is(code, 0, stderr);
  t.regex(stdout, /"msg":"stopped"/);
  // None where the server trusts everybody (the empty text is in every text).
  const { password } = new URL(world.db.url);
  t.is(password === '' ? -1 : stdout.indexOf(password), -1);
  t.deepEqual(await world.audit(), []);
});

test('run: a second signal ends it now, with 130', async (t) => {
  const { world, env } = await setup(t);
  const [alice, bob] = [await world.user(), await world.user({ balance: 0 })];
  world.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'dropAnswer', how: 'never' } });
  const run = start(['run'], env);
  await run.line(ready);
  await world.insert({ from: alice, to: bob });
  await world.sandbox.audit.until((log) => log.entries.length === 1);
  run.kill('SIGTERM');
  await run.line((line) => line.includes('"msg":"stopping"'));
  run.kill('SIGINT');
  t.is((await run.ended).code, 130);
});

test('run: what waiting cannot mend ends it with 2', async (t) => {
  const { world, env } = await setup(t);
  const taken = createServer();
  const port = await new Promise<number>((resolve) => {
    taken.listen(0, '127.0.0.1', () => {
      const address = taken.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  t.teardown(() => taken.close());
  await world.db.query("update mempool_submitter_v1 set lanes = 'off'");
  const [nothing, busy, pinned] = await Promise.all([
    cli(['run']),
    cli(['run'], { ...env, ADMIN_ADDRESS: `127.0.0.1:${port}` }),
    cli(['run'], env),
  ]);
  t.is(nothing.code, 2);
  t.regex(nothing.stderr, /DATABASE_URL is not set/);
  t.regex(nothing.stderr, /npm run demo\n$/);
  t.is(busy.code, 2);
  t.regex(busy.stderr, /ADMIN_ADDRESS 127\.0\.0\.1:\d+ is taken/);
  t.is(pinned.code, 2);
  t.regex(pinned.stderr, /LANES is sender here and off in the database/);
});

test('run: another SAME_NONCE than pinned, and a role that lacks what only a claim with rows needs, end it with 2', async (t) => {
  const { world, env } = await setup(t);
  const other = await cli(['run'], { ...env, SAME_NONCE: 'park' });
  t.is(other.code, 2);
  t.regex(other.stderr, /SAME_NONCE is park here and pay in the database: .*`migrate --same-nonce park`/);
  const role = `svc_${randomBytes(4).toString('hex')}`;
  await world.db.query(`create role ${role} login password 'unasked';
    grant select, update on mempool, mempool_submitter_v1 to ${role}; grant select on users to ${role};
    grant select, insert on mempool_submitter_audit_v1 to ${role}; grant select on mempool_pauses_v1 to ${role};
    grant select, insert, update, delete on mempool_instances_v1 to ${role}; grant select, insert on mempool_attempts_v1 to ${role};
    grant select, insert, delete on mempool_samples_v1 to ${role}`);
  t.teardown(() => world.db.query(`drop owned by ${role}; drop role ${role}`));
  const url = new URL(world.db.url);
  url.username = role;
  url.password = 'unasked';
  const lacking = await cli(['run'], { ...env, DATABASE_URL: url.href });
  t.is(lacking.code, 2);
  t.regex(lacking.stderr, /lacks select on mempool_ended_v1: grant it; docs\/operations\.md, "Privileges"/);
});
