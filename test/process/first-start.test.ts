// The first start on a database: what contradicts the ledger is refused with the words of `doctor`, before anything is
// pinned and before it has cost a row; what may pass is waited for.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { cli, start } from '../cli/support.js';
import { startInstance } from '../support/fleet.js';
import { createWorld, DEMO, MASTER_KEY, type Parties, type World } from '../support/world.js';

type Env = Readonly<Record<string, string>>;
type Tokens = Record<string, Record<string, unknown>>;

/** One row each of a hosted and of an external sender, which a wrong setting must not cost. */
async function setup(t: ExecutionContext, options: Parameters<typeof createWorld>[1] = {}) {
  const world = await createWorld(t, options);
  const bob = await world.user();
  const rows = await Promise.all(
    (['hosted', 'external'] as Parties[]).map(async (parties) =>
      world.insert({ from: await world.user({ parties }), to: bob }),
    ),
  );
  const env = {
    ...world.sandbox.env,
    DATABASE_URL: world.db.url,
    ADMIN_ADDRESS: 'off',
    POLL_INTERVAL_MS: '200',
    CANTON_MASTER_KEY: MASTER_KEY.toString('base64'),
  };
  return { world, rows, env };
}

const tokensOf = (world: World): Tokens =>
  JSON.parse(readFileSync(world.sandbox.env.TOKENS_FILE ?? '', 'utf8')) as Tokens;

function tokensFile(t: ExecutionContext, tokens: Tokens): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'canton-submitter-test-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'tokens.json');
  writeFileSync(file, JSON.stringify(tokens));
  return file;
}

async function untouched(
  t: ExecutionContext,
  world: World,
  rows: readonly string[],
  why: string,
): Promise<void> {
  for (const hash of rows) {
    const row = await world.row(hash);
    t.like(row, { status: 'pending', attempts: 0, parked: false, last_error: null }, why);
  }
  t.like(
    await world.db.one('select participant_id, synchronizer_id from mempool_submitter_v1'),
    { participant_id: null, synchronizer_id: null },
    why,
  );
}

test('the first run refuses what contradicts the ledger, with 2, and nothing is pinned', async (t) => {
  const { world, rows, env } = await setup(t, { registry: true, timeScale: 1 });
  const { synchronizerId, issuer } = world.sandbox;
  const nobody = issuer.replace('issuer', 'issuing');
  const tokens = tokensOf(world);
  const changed = (address: string, change: Record<string, unknown>): Env => ({
    TOKENS_FILE: tokensFile(t, { ...tokens, [address]: { ...tokens[address], ...change } }),
  });
  const demo = Object.keys(tokens).find((address) => address.toLowerCase() === DEMO) ?? '';
  // One of each kind; test/preflight has all that is found.
  const wrong: [what: string, env: Env, said: RegExp][] = [
    [
      'a physical synchronizer id',
      { CANTON_SYNCHRONIZER_ID: `${synchronizerId}::35-0` },
      /synchronizer: .* is a physical id.*; set CANTON_SYNCHRONIZER_ID=global-domain::1220[0-9a-f]{64}$/m,
    ],
    [
      'an issuer nobody knows',
      { CANTON_ISSUER_PARTY: nobody },
      /issuer: the participant does not host issuing::/,
    ],
    [
      'an instrument that nobody holds',
      changed(demo, { instrumentId: 'demo' }),
      /token DEMO .*: no holding is of demo of issuer::.* are of DEMO, PROMPT, USDD; .*\(DEMO\?\)/,
    ],
  ];
  for (const [what, change, said] of wrong) {
    const { code, stderr } = await cli(['run'], { ...env, ...change });
    t.is(code, 2, `${what}: ${stderr}`);
    t.regex(stderr, said, what);
    await untouched(t, world, rows, what);
  }
});

test('where the token may not ask, the check is skipped and the first run goes on', async (t) => {
  const { world, rows, env } = await setup(t);
  for (const on of [
    'StateService/GetConnectedSynchronizers',
    'UserManagementService/ListUserRights',
  ] as const) {
    world.sandbox.faults.add({ on, do: { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } } });
  }
  const run = start(['run'], env);
  await run.line((line) => line.includes('"msg":"ready"'));
  await world.ended(rows, 60_000);
  for (const hash of rows) t.is((await world.row(hash)).status, 'completed');
  run.kill('SIGTERM');
  await run.ended;
});

test('a synchronizer that is not connected yet is waited for, and told; once pinned, a contradiction holds up nobody', async (t) => {
  const { world, rows } = await setup(t);
  const [fault] = [
    world.sandbox.faults.add({
      on: 'StateService/GetConnectedSynchronizers',
      do: { kind: 'refuse', with: { error: 'NOT_CONNECTED_TO_ANY_SYNCHRONIZER' } },
    }),
  ];
  const first = startInstance(t, world);
  const { blockers } = await first.said((line) => line.msg.startsWith('not ready'));
  t.regex(JSON.stringify(blockers), /synchronizers cannot be read now: NOT_CONNECTED_TO_ANY_SYNCHRONIZER/);
  await untouched(t, world, rows, 'nothing is claimed meanwhile');
  world.sandbox.faults.remove(fault.id);
  await world.ended(rows, 60_000);
  first.signal('SIGTERM');
  await first.exited;

  const tokens = tokensOf(world);
  const demo = Object.keys(tokens).find((address) => address.toLowerCase() === DEMO) ?? '';
  const later = startInstance(t, world, {
    TOKENS_FILE: tokensFile(t, {
      ...tokens,
      '0xde30000000000000000000000000000000000009': { ...tokens[demo], instrumentId: 'NEWER', symbol: 'NEW' },
    }),
  });
  const alarm = await later.said((line) => line.msg === 'alarm');
  t.regex(`${alarm.what}`, /token NEW .*: no holding is of NEWER/);
  const [alice, bob] = [await world.user(), await world.user()];
  const row = await world.insert({ from: alice, to: bob });
  await world.ended([row], 60_000);
  t.is((await world.row(row)).status, 'completed');
});
