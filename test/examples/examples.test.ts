// The examples and the script, run as their reader runs them, against a real Postgres and a sandbox.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { signed } from '../../src/outbox/signature.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { cli } from '../cli/support.js';
import { completed, migrateOptions, prepared } from '../store/support.js';
import { compiled } from '../support/compiled.js';
import { ROOT } from '../support/docs.js';
import { endsWithUs } from '../support/ends-with-us.js';
import { SCALED, startFleet } from '../support/fleet.js';
import { outputOf } from '../support/output.js';
import { SECRET } from '../support/receiver.js';
import { createWorld } from '../support/world.js';

/** A folder with the example in it, and what its README says to install. */
function installed(t: ExecutionContext, example: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'canton-examples-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const library = path.join(folder, 'node_modules', 'canton-mempool-submitter');
  mkdirSync(library, { recursive: true });
  writeFileSync(path.join(library, 'package.json'), '{"type":"module","exports":"./index.js"}');
  // The sources as they are, instead of what was built and packed some time.
  const index = compiled('index').replace('/src/', '/parts/src/');
  writeFileSync(path.join(library, 'index.js'), `export * from '${pathToFileURL(index).href}';`);
  symlinkSync(
    path.dirname(createRequire(import.meta.url).resolve('pg/package.json')),
    path.join(folder, 'node_modules', 'pg'),
  );
  copyFileSync(path.join(ROOT, 'examples', example), path.join(folder, example));
  return folder;
}

function run(t: ExecutionContext, folder: string, args: readonly string[], env: Record<string, string>) {
  const child: ChildProcess = endsWithUs(
    spawn(process.execPath, args, { cwd: folder, env: { PATH: process.env.PATH ?? '', ...env } }),
  );
  const output = outputOf(child);
  t.teardown(async () => {
    child.kill('SIGKILL');
    await output.ended;
  });
  return {
    ...output,
    async end(signal: NodeJS.Signals): Promise<number | null> {
      child.kill(signal);
      return await output.ended;
    },
  };
}

const port = async (program: ReturnType<typeof run>): Promise<number> =>
  Number((await program.said(/listening on (\d+)/))[1]);

test('embed.mjs: submits, tells outcomes, answers for its health, and stops cleanly', async (t) => {
  const folder = installed(t, 'embed.mjs');
  const wrong = run(t, folder, ['embed.mjs'], {});
  t.is(await wrong.ended, 2);
  t.regex(wrong.text(), /^DATABASE_URL/m);

  const world = await createWorld(t);
  const [alice, bob] = await Promise.all([world.user(), world.user()]);
  const env = { ...world.sandbox.env, ...SCALED, DATABASE_URL: world.db.url, PORT: '0' };
  const service = run(t, folder, ['embed.mjs'], env);
  const at = `http://127.0.0.1:${await port(service)}`;
  const [paid, short] = await Promise.all([
    world.insert({ from: alice, to: bob, nonce: 0 }),
    world.insert({ from: bob, to: alice, amount: 1_000 }),
  ]);
  await Promise.all([
    service.said(new RegExp(`^${paid} completed$`, 'm')),
    service.said(new RegExp(`^${short} failed$`, 'm')),
  ]);
  const parked = await world.insert({ from: alice, to: bob, nonce: 1, contract: `0x${'ff'.repeat(20)}` });
  await service.said(new RegExp(`^${parked} waits for a person: UNKNOWN_TOKEN`, 'm'));
  const health = await fetch(at);
  t.deepEqual([health.status, await health.json()], [200, []]);
  const queue = (await (await fetch(`${at}/queue`)).json()) as object;
  t.regex(JSON.stringify(queue), /"parked":\{"rows":1/);
  t.is(await service.end('SIGTERM'), 0, service.text());
});

test('webhooks.mjs: takes what is signed, keeps each outcome once and a sender’s in order, though it is killed', async (t) => {
  const world = await createWorld(t);
  await migrate(migrateOptions(world.db.url, { changes: { outcomes: 'webhooks' } }));
  const folder = installed(t, 'webhooks.mjs');
  const kept = () =>
    readFileSync(path.join(folder, 'outcomes.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
  const env = { WEBHOOK_SECRET: SECRET, PORT: '0' };
  const first = run(t, folder, ['webhooks.mjs'], env);
  const PORT = String(await port(first));
  const url = `http://127.0.0.1:${PORT}/`;
  await startFleet(t, world, 2, { WEBHOOK_URL: url, WEBHOOK_SECRET: SECRET, WEBHOOK_TIMEOUT_MS: '2000' });
  const users = await Promise.all([world.user(), world.user(), world.user()]);
  const hashes: string[] = [];
  for (let nonce = 0; nonce < 4; nonce++)
    for (const [at, from] of users.entries())
      hashes.push(await world.insert({ from, to: users[(at + 1) % users.length] ?? from, nonce }));
  await first.said(/transfer\.completed/);
  await first.end('SIGKILL');
  // As if it had been killed in the middle of a line.
  writeFileSync(path.join(folder, 'outcomes.ndjson'), '{"id":"half', { flag: 'a' });
  const second = run(t, folder, ['webhooks.mjs'], { ...env, PORT });
  await port(second);
  const delivered = async (): Promise<boolean> =>
    (await world.db.query("select from mempool_outbox_v1 where delivery = 'delivered'")).length ===
    hashes.length;
  await world.ended(hashes);
  await world.until('all are delivered', delivered);

  const before = kept();
  t.deepEqual(before.map((one) => one.transactionHash ?? '').sort(), [...hashes].sort());
  for (const { address } of users)
    t.deepEqual(
      before.filter((one) => one.sender === address).map((one) => one.nonce),
      ['0', '1', '2', '3'],
    );

  // Everything again, under the same ids.
  const again = await cli(['webhooks', 'replay', '--since', '1h'], { DATABASE_URL: world.db.url });
  t.is(again.code, 0, again.stderr);
  await world.until('all are delivered again', delivered);
  t.deepEqual(kept(), before);

  const post = async (
    id: string,
    { hash = hashes[0] ?? '', seconds = Date.now() / 1000, key = SECRET } = {},
  ) => {
    const body = JSON.stringify({ type: 'transfer.completed', data: { transactionHash: hash } });
    const bytes = Buffer.from(key.replace('whsec_', ''), 'base64');
    const headers = signed([bytes], { id, seconds: Math.round(seconds), body });
    return (await fetch(url, { method: 'POST', headers: { ...headers }, body })).status;
  };
  t.is(await post('found again after a failover'), 204);
  t.deepEqual(kept(), before);
  const other = `whsec_${Buffer.alloc(32, 'another').toString('base64')}`;
  t.is(await post('not signed by ours', { hash: '0x01', key: other }), 401);
  t.is(await post('an old one', { hash: '0x02', seconds: Date.now() / 1000 - 3_600 }), 401);
  t.is(await post('a new one', { hash: '0x03' }), 204);
  t.deepEqual(kept().slice(before.length), [
    { id: 'a new one', type: 'transfer.completed', transactionHash: '0x03' },
  ]);
  t.is(await second.end('SIGTERM'), 0, second.text());
});

test('outcomes.mjs: books each completed transfer once, and goes on where it was killed', async (t) => {
  const folder = installed(t, 'outcomes.mjs');
  const db = await prepared(t, { outcomes: 'consumers' });
  const settle = async (nonce: number): Promise<void> => {
    await db.insert({ from: 'a', nonce });
    await db.settle(await db.claimOne(), completed);
  };
  const env = { DATABASE_URL: db.url };
  await settle(0);
  const first = run(t, folder, ['outcomes.mjs'], env);
  await first.said(/^0x[0-9a-f]{64} booked$/m);
  await first.end('SIGKILL');
  // As if it had been killed before it asked for the next one, and its lease had run out.
  await db.query('update mempool_outbox_consumers_v1 set acknowledged = 0, token = null');
  await settle(1);
  const second = run(t, folder, ['outcomes.mjs'], env);
  await second.said(/^0x[0-9a-f]{64} booked$/m);
  const booked = await db.query<{ tx_hash: string }>('select tx_hash from booked');
  t.is(booked.length, 2);
  t.is(await second.end('SIGTERM'), 0, second.text());
  t.is((second.text().match(/booked/g) ?? []).length, 1);
});

test('replay-stuck.ts: shows, then makes due what has waited for so long, and leaves what is parked', async (t) => {
  const db = await prepared(t);
  for (const [from, age, at] of [
    ['old', '2 hours', "now() + interval '1 hour'"],
    ['young', '2 minutes', "now() + interval '1 hour'"],
    ['parked', '2 hours', "'infinity'"],
  ]) {
    await db.insert({ from: from ?? '' });
    await db.query(
      `update mempool set created_at = now() - interval '${age}', available_at = ${at} where from_address = '${from}'`,
    );
  }
  const due = async (): Promise<unknown[]> =>
    (
      await db.query<{ from_address: string }>('select from_address from mempool where available_at <= now()')
    ).map((row) => row.from_address);
  const script = (...args: string[]) => [
    ...['--import', 'tsx', path.join(ROOT, 'scripts', 'replay-stuck.ts')],
    ...args,
  ];
  const env = { DATABASE_URL: db.url };
  const wrong = run(t, ROOT, script(), env);
  t.is(await wrong.ended, 1);
  t.regex(wrong.text(), /say for how many minutes/);
  const shown = run(t, ROOT, script('60'), { ...env, DRY_RUN: '1' });
  t.is(await shown.ended, 0, shown.text());
  t.regex(shown.text(), /^0x[0-9a-f]{64} backoff \n$/);
  t.deepEqual(await due(), []);
  const replayed = run(t, ROOT, script('60'), env);
  t.is(await replayed.ended, 0, replayed.text());
  t.deepEqual(await due(), ['old']);
});
