// What a slip of the hand, a pipe or a full disk does to a command: as processes, as a shell has them.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { encodeFunctionData, erc20Abi, keccak256 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { onScreen } from '../../src/cli/status.js';
import { confirmed } from '../../src/cli/support/confirm.js';
import { linesOf } from '../../src/cli/support/lines.js';
import { insertRow, MIDDLEWARE } from '../store/support.js';
import { compiled } from '../support/compiled.js';
import { endsWithUs } from '../support/ends-with-us.js';
import { freshDatabase, migratedDatabase } from '../support/postgres.js';
import { startProxy } from '../support/proxy.js';
import { createWorld } from '../support/world.js';
import { cli, start } from './support.js';

const DEMO = '0xDE30000000000000000000000000000000000002';
const TOKEN = {
  name: 'Demo',
  symbol: 'DEMO',
  decimals: 18,
  instrumentAdmin: `issuer::1220${'ab'.repeat(32)}`,
  instrumentId: 'DEMO',
};
const account = privateKeyToAccount(`0x${'22'.repeat(32)}`);
const sign = (nonce: number, to: `0x${string}` = DEMO) =>
  account.signTransaction({
    type: 'eip1559',
    chainId: 31337,
    to,
    nonce,
    gas: 21_000n,
    maxFeePerGas: 1n,
    data: encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [account.address, 5n] }),
  });

async function setup(t: ExecutionContext) {
  const db = await migratedDatabase(t);
  const folder = mkdtempSync(path.join(tmpdir(), 'canton-slips-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const TOKENS_FILE = path.join(folder, 'tokens.json');
  writeFileSync(TOKENS_FILE, JSON.stringify({ [DEMO]: TOKEN }));
  return { db, env: { DATABASE_URL: db.url, TOKENS_FILE, CHAIN_ID: '31337' } };
}

/** A command whose stdout is this; what it says on stderr, and how it ends. */
function into(
  stdout: 'gone' | number,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
) {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [compiled('cli/main'), ...args], {
    env: { PATH, HOME, ...env },
    stdio: ['pipe', stdout === 'gone' ? 'pipe' : stdout, 'pipe'],
  });
  endsWithUs(child);
  // Before it has written anything: as `| head -0`.
  if (stdout === 'gone') child.stdout?.destroy();
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, stderr })),
  );
  return { ended, kill: (signal: NodeJS.Signals) => child.kill(signal) };
}

test('a reader that is gone ends status --watch quietly, and does not stop enqueue', async (t) => {
  const { db, env } = await setup(t);
  const watched = await into('gone', ['status', '--watch', '0.1'], env).ended;
  t.deepEqual(watched, { code: 0, stderr: '' });
  const batch = await Promise.all(Array.from({ length: 40 }, (_, nonce) => sign(nonce)));
  const enqueued = await into('gone', ['enqueue'], env, batch.join('\n')).ended;
  t.is(enqueued.code, 0, enqueued.stderr);
  t.regex(enqueued.stderr, /^40 rows inserted/);
  t.is((await db.query('select 1 from mempool')).length, 40);
});

test('a reader that is gone does not stop migrate and prune', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  const env = { DATABASE_URL: db.url };
  t.deepEqual(await into('gone', ['migrate'], env).ended, { code: 0, stderr: '' });
  t.is((await db.query('select 1 from mempool_submitter_v1')).length, 1);
  await insertRow(db.query);
  await db.query("update mempool set status = 'mined', updated_at = now() - interval '2 days'");
  t.is((await into('gone', ['prune', '--older-than', '1d', '--yes'], env).ended).code, 0);
  t.deepEqual(await db.query('select 1 from mempool'), []);
});

test('the service goes on without anybody to read its log, and on a full disk', async (t) => {
  const world = await createWorld(t);
  const [alice, bob] = [await world.user(), await world.user({ balance: 0 })];
  const env = { ...world.sandbox.env, DATABASE_URL: world.db.url, ADMIN_ADDRESS: 'off', LOG_LEVEL: 'trace' };
  const outputs = ['gone' as const, ...(existsSync('/dev/full') ? [openSync('/dev/full', 'w')] : [])];
  for (const output of outputs) {
    const run = into(output, ['run'], env);
    const hash = await world.insert({ from: alice, to: bob });
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    run.kill('SIGTERM');
    const { code, stderr } = await run.ended;
    t.is(code, 0, stderr);
  }
});

test('enqueue on a full disk inserts all the same, and says that it could not say so', async (t) => {
  const { db, env } = await setup(t);
  const output = existsSync('/dev/full') ? openSync('/dev/full', 'w') : ('gone' as const);
  const { code, stderr } = await into(output, ['enqueue'], env, `${await sign(0)}\n${await sign(1)}\n`).ended;
  t.is((await db.query('select 1 from mempool')).length, 2);
  t.is(code, output === 'gone' ? 0 : 1);
  t.is(/could not be written: .*ENOSPC/.test(stderr), output !== 'gone', stderr);
});

test('enqueue: a line of 10 MB is refused with its reason, the rest goes in; each refusal names its line and its hash', async (t) => {
  const { db, env } = await setup(t);
  const [good, other, late] = [await sign(0), await sign(1, account.address), await sign(2)];
  const long = `0x${'ab'.repeat(5 * 1024 * 1024)}`;
  const almost = `0x${'ab'.repeat(128 * 1024 + 1)}`;
  const ended = await cli(['enqueue'], env, `${good}\n${long}\n\n${other}\n${almost}\nnonsense\n${late}`);
  t.is(ended.code, 3, ended.stderr);
  const refusals = ended.stderr.split('\n').filter((line) => line.includes('refused:'));
  t.deepEqual(
    refusals.map((line) => line.replace(/refused: .*\(/, '(')).sort(),
    [
      `line 2: (begins with "${long.slice(0, 20)}")`,
      `line 4: (${keccak256(other)})`,
      'line 5: (begins with "0xababababababababab")',
      'line 6: (begins with "nonsense")',
    ].sort(),
  );
  t.regex(ended.stderr, /line 2: refused: longer than 131072 bytes/);
  t.regex(ended.stderr, /2 rows inserted, 0 already known, 4 refused/);
  t.is((await db.query('select 1 from mempool')).length, 2);
  const [json] = (await cli(['enqueue', '--json', 'zz'], env)).stdout.split('\n');
  t.like(JSON.parse(json ?? ''), { place: 1, line: 1, hash: null, result: 'refused' });
});

test('lines keep their numbers wherever the chunks of a stream end', async (t) => {
  const read = async (...chunks: string[]) => {
    const lines: string[] = [];
    async function* stream() {
      yield* chunks;
    }
    for await (const one of linesOf(stream(), 8))
      lines.push(`${one.number} ${one.kind === 'line' ? one.text : `too long: ${one.begin}`}`);
    return lines;
  };
  t.deepEqual(await read('a', 'b\r\n\nc', '\n', 'd'), ['1 ab', '2 ', '3 c', '4 d']);
  t.deepEqual(await read('12345', '6789', '0\nx\n'), ['1 too long: 1234567890', '2 x']);
  t.deepEqual(await read('12345678'), ['1 12345678']);
  t.deepEqual(await read(), []);
});

test('status --watch says that the database is away, and goes on when it is back', async (t) => {
  const { db, env } = await setup(t);
  const proxy = await startProxy(t, db.url);
  const status = start(['status', '--json', '--watch', '0.1'], {
    ...env,
    DATABASE_URL: proxy.through(db.url),
  });
  await status.line((line) => line.startsWith('{'));
  await proxy.refuse();
  await status.said(/retrying: /);
  await proxy.resume();
  const { length } = status.stdout().split('\n');
  await status.line(() => status.stdout().split('\n').length > length + 1);
  status.kill('SIGINT');
  t.is((await status.ended).code, 0);
});

test('status --watch shows as much as the terminal does', (t) => {
  const text = Array.from({ length: 40 }, (_, n) => `${n} ${'x'.repeat(200)}`).join('\n');
  t.is(onScreen(text, {}), `${text}\n`, 'all of it, where it is not a terminal');
  const shown = onScreen(text, { isTTY: true, columns: 60, rows: 10 });
  t.true(shown.startsWith('\u001b[H\u001b[2J0 x'));
  const lines = shown.slice('\u001b[H\u001b[2J'.length).split('\n');
  t.is(lines.length, 10, 'the cursor stands on the last one');
  t.true(lines.every((line) => line.length <= 60));
  t.regex(lines[8] ?? '', /enlarge the window/);
});

test('a question that is not answered with yes is answered with no: Ctrl-C and the end of the terminal too', async (t) => {
  const asked = async (typed: string | null): Promise<boolean> => {
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
    const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
    output.resume();
    const answer = confirmed('Pay twice? [y/N] ', { input, output });
    if (typed === null) input.end();
    else input.write(typed);
    return await answer;
  };
  for (const no of ['\u0003', '\u0004', null, '\n', 'no\n', 'yess\n'])
    t.false(await asked(no), JSON.stringify(no));
  for (const yes of ['y\n', 'YES\r\n']) t.true(await asked(yes));
});
