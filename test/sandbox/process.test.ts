// The sandbox as a process: first line, HTTP, state file, signals.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { GetLedgerApiVersionRequest } from '#proto/com/daml/ledger/api/v2/version_service.js';
import { startSandbox } from '../../src/sandbox/index.js';
import { compiled } from '../support/compiled.js';
import { endsWithUs } from '../support/ends-with-us.js';
import { call, failing, LedgerClient } from './client.js';
import { at, connect, delivered, SCALE, stage } from './setup.js';

interface Running {
  readonly child: ChildProcess;
  readonly canton: string;
  readonly http: string;
  readonly env: Record<string, string>;
}

function launch(t: ExecutionContext, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [compiled('cli/main'), 'sandbox', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Asked to, so that it takes its folder with it.
  endsWithUs(child, 'SIGTERM');
  t.teardown(async () => {
    child.kill('SIGTERM');
    await exitOf(child);
  });
  return child;
}

async function run(t: ExecutionContext, ...args: string[]): Promise<Running> {
  const child = launch(t, ['--port', '0', '--http-port', '0', '--latency-ms', '0', ...args]);
  if (!child.stdout) throw new Error('no stdout');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, ...JSON.parse(line) };
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

const clientOf = (t: ExecutionContext, { canton, env }: Running) => {
  const client = new LedgerClient({
    url: canton,
    issuer: `${env.CANTON_ISSUER_PARTY}`,
    synchronizerId: `${env.CANTON_SYNCHRONIZER_ID}`,
  });
  t.teardown(() => client.close());
  return client;
};

async function post<T>(url: string, body: unknown): Promise<T> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: text,
  });
  return { ...((await response.json()) as T), ...(response.ok ? {} : { status: response.status }) };
}

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sandbox-test-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('the first line tells a submitter everything; SIGTERM ends it and takes its files along', async (t) => {
  const { child, canton, env } = await run(t, '--time-scale', '0.02');
  t.is(env.CANTON_URL, canton);
  t.is(env.LEDGER_TIME_TOLERANCE_MS, '1200');
  t.is(env.SUBMISSION_WINDOW_MS, '600');
  for (const name of ['CANTON_USER_ID', 'CANTON_SYNCHRONIZER_ID', 'CANTON_ISSUER_PARTY', 'CHAIN_ID'])
    t.truthy(env[name]);
  const file = `${env.TOKENS_FILE}`;
  const tokens = Object.entries(
    JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, unknown>>,
  );
  t.true(tokens.length >= 3);
  for (const [address, token] of tokens) {
    t.regex(address, /^0x[0-9a-fA-F]{40}$/);
    t.like(token, { instrumentAdmin: env.CANTON_ISSUER_PARTY, instrumentId: token.symbol, steps: 1 });
  }
  child.kill('SIGTERM');
  t.is(await exitOf(child), 0);
  t.false(existsSync(file));
});

test('a taken port: exit code 2, and one line that says which', async (t) => {
  const { sandbox } = await stage(t);
  const port = sandbox.url.split(':')[1] ?? '';
  for (const args of [
    ['--port', port, '--http-port', '0'],
    ['--port', '0', '--http-port', port],
  ]) {
    const child = launch(t, args);
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    t.is(await exitOf(child), 2);
    t.regex(stderr, new RegExp(`^sandbox: port ${port} is taken[^\n]*\n$`));
  }
});

test('killed in the middle, it goes on from its state file', async (t) => {
  const file = join(folder(t), 'ledger');
  const first = await run(t, '--state', file);
  const { parties } = await post<{ parties: string[] }>(`${first.http}/parties`, [
    { hint: 'alice', holdings: [{ token: 'DEMO', amount: '5', count: 2 }] },
    { hint: 'bob' },
  ]);
  const [alice = '', bob = ''] = parties;
  const client = clientOf(t, first);
  const [coin = '', other = ''] = await client.holdings(alice);
  const done = await client.transfer({
    commandId: 'done',
    sender: alice,
    receiver: bob,
    amount: '2',
    inputs: [coin],
  });
  await post(`${first.http}/faults`, { on: 'submit', do: { kind: 'sequenceLate', ms: 30_000 } });
  const lost = failing(
    client.transfer({ commandId: 'in flight', sender: alice, receiver: bob, amount: '1', inputs: [other] }),
  );
  await t.notThrowsAsync(async () => {
    while (!readFileSync(file, 'utf8').includes('"commandId":"in flight"')) await client.ledgerEnd();
  });
  first.child.kill('SIGKILL');
  await lost;
  appendFileSync(file, '{"kind":"entry","entr');

  const second = await run(t, '--state', file);
  const again = clientOf(t, second);
  const reader = again.completionStream([alice], 0);
  t.is((await reader.completionOf('done')).updateId, done.updateId);
  t.is((await reader.completionOf('in flight')).status?.code, 0, 'what was in flight came to its end');
  t.like(await (await fetch(`${second.http}/holdings?party=${encodeURIComponent(bob)}`)).json(), {
    DEMO: { amount: '3.0000000000' },
  });
  const held = await again.holdings(bob);
  await t.notThrowsAsync(
    again.transfer({ commandId: 'later', sender: bob, receiver: alice, amount: '3', inputs: held }),
  );
});

test('a flight interrupted past its bound ends as not sequenced', async (t) => {
  const stateFile = join(folder(t), 'ledger');
  const options = { timeScale: SCALE, latencyMs: 0, stateFile };
  const sandbox = await startSandbox(options);
  const client = connect(t, sandbox);
  const [alice = ''] = sandbox.createParties([{ hint: 'alice', holdings: [{ token: 'DEMO', amount: '1' }] }]);
  const inputs = await client.holdings(alice);
  sandbox.faults.add({ on: 'submit', do: { kind: 'sequenceLate', ms: 60_000 } });
  const call = failing(
    client.transfer({ commandId: 'c1', sender: alice, receiver: alice, amount: '1', inputs }),
  );
  await sandbox.audit.until((log) => (log.entries[0]?.deliveredAt ?? null) !== null);
  await sandbox.close();
  await call;
  const later = await startSandbox({ ...options, clockSkewMs: 10_000 });
  t.teardown(() => later.close());
  const { status } = await connect(t, later).completionStream([alice], 0).completionOf('c1');
  t.regex(status?.message ?? '', /^NOT_SEQUENCED_TIMEOUT/);
});

test('a file that does not hold a ledger, or holds another participant’s: exit code 2', async (t) => {
  const file = join(folder(t), 'ledger');
  writeFileSync(file, 'hello\n');
  t.is(await exitOf(launch(t, ['--port', '0', '--http-port', '0', '--state', file])), 2);
  t.is(readFileSync(file, 'utf8'), 'hello\n', 'it is left as it was');
});

test('HTTP: parties, holdings, faults, controls, audit', async (t) => {
  const { sandbox, client, alice, bob, coins } = await stage(t);
  const url = sandbox.httpUrl;
  const { party } = await post<{ party: string }>(`${url}/parties`, {
    hint: 'dave',
    holdings: [{ token: '0xde30000000000000000000000000000000000001', amount: 1.5 }],
  });
  t.like(await (await fetch(`${url}/holdings?party=${encodeURIComponent(party)}`)).json(), {
    DEMO: { amount: '1.5000000000' },
  });
  await post(`${url}/faults`, [
    { on: 'submit', times: 1, do: { kind: 'refuse', with: { error: 'SERVER_OVERLOADED' } } },
    { kind: 'quiet', mode: 'silent' },
  ]);
  t.like(await (await fetch(`${url}/faults`)).json(), [{ on: 'submit', left: 1 }]);
  await failing(
    client.transfer({ commandId: 'c1', sender: alice, receiver: bob, amount: '1', inputs: [at(coins, 0)] }),
  );
  await client.transfer({
    commandId: 'c1',
    sender: alice,
    receiver: bob,
    amount: '1',
    inputs: [at(coins, 0)],
  });
  const lines = (await (await fetch(`${url}/audit`)).text()).trim().split('\n');
  t.deepEqual(
    lines.map((line) => (JSON.parse(line) as { outcome: { kind: string } }).outcome.kind),
    ['refused', 'accepted'],
  );
  t.is((await (await fetch(`${url}/audit?since=1`)).text()).trim().split('\n').length, 1);
  t.like(await (await fetch(`${url}/audit/summary`)).json(), { ledgerCalls: 2, commands: 1, accepted: 1 });
  await post(`${url}/control`, { kind: 'prune' });

  const problem = async (path: string, body: unknown) =>
    post<{ status?: number; error?: string }>(`${url}${path}`, body);
  t.like(await problem('/faults', '{ not json'), { status: 400 });
  const unknown = await problem('/faults', { on: 'submit', do: { kind: 'refuse', with: { error: 'NOPE' } } });
  t.is(unknown.status, 400);
  t.regex(unknown.error ?? '', /do\.with\.error: unknown Canton error id NOPE/);
  t.regex((await problem('/control', { kind: 'explode' })).error ?? '', /kind/);
  t.regex(
    (await problem('/parties', { hint: 'x', holdings: [{ token: 'DEMO', amount: '-1' }] })).error ?? '',
    /amount/,
  );
  t.regex((await problem('/parties', { hint: 'a/b' })).error ?? '', /hint/);
  t.is((await fetch(`${url}/holdings`)).status, 400);
});

test('closing an in-process sandbox ends its calls and frees its port', async (t) => {
  const on = await stage(t, { latencyMs: 60_000 });
  const call = failing(
    on.client.transfer({
      commandId: 'c1',
      sender: on.alice,
      receiver: on.bob,
      amount: '1',
      inputs: [at(on.coins, 0)],
    }),
  );
  await delivered(on, 0);
  await on.sandbox.close();
  t.is((await call).code, 14);
  const successor = await startSandbox({ port: Number(on.sandbox.url.split(':')[1]) });
  t.is(successor.url, on.sandbox.url);
  await successor.close();
});

test('--registry and --api-version: another admin’s tokens, another participant; external parties over HTTP', async (t) => {
  const { env, http, canton } = await run(t, '--registry', '--api-version', '3.6.1');
  const tokens = Object.values(
    JSON.parse(readFileSync(`${env.TOKENS_FILE}`, 'utf8')) as Record<string, Record<string, unknown>>,
  );
  t.deepEqual(
    tokens.map(({ symbol, registryUrl, steps }) => [symbol, registryUrl, steps]),
    [
      ['DEMO', undefined, 1],
      ['PROMPT', undefined, 1],
      ['USDD', undefined, 1],
      ['USDCx', http, 1],
      ['EURO', http, 2],
      ['Amulet', http, 1],
      ['GOLD', http, 1],
    ],
  );
  const { external } = await post<{ external: { party: string; privateKey: string }[] }>(`${http}/parties`, {
    hint: 'carol',
    external: true,
    holdings: [{ token: 'USDCx', amount: '7' }],
  });
  t.regex(external[0]?.privateKey ?? '', /^[0-9a-f]{64}$/);
  const held = await fetch(`${http}/holdings?party=${encodeURIComponent(`${external[0]?.party}`)}`);
  t.like(await held.json(), { USDCx: { amount: '7.0000000000' } });
  const { version } = new LedgerClient({ url: canton, issuer: '', synchronizerId: '' });
  t.teardown(() => version.close());
  const told = await call<{ version: string }>((callback) =>
    version.GetLedgerApiVersion(new GetLedgerApiVersionRequest(), callback),
  );
  t.is(told.version, '3.6.1');
});
