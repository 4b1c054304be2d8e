// `doctor` as an operator starts it, against a real database and a participant over real gRPC.
import test, { type ExecutionContext } from 'ava';
import type { Finding } from '../../src/preflight/finding.js';
import { startInstance } from '../support/fleet.js';
import { createWorld, DEMO, MASTER_KEY, type World } from '../support/world.js';
import { cli } from './support.js';

type Env = Readonly<Record<string, string>>;

async function setup(t: ExecutionContext, options: Parameters<typeof createWorld>[1] = {}) {
  const world = await createWorld(t, options);
  const [alice, bob] = [await world.user({ parties: 'external' }), await world.user({ parties: 'hosted' })];
  const env = {
    ...world.sandbox.env,
    DATABASE_URL: world.db.url,
    CANTON_MASTER_KEY: MASTER_KEY.toString('base64'),
  };
  return { world, env, alice, bob };
}

interface Said {
  readonly code: number | null;
  readonly stderr: string;
  readonly findings: readonly Finding[];
  of(check: string): Finding | undefined;
}

async function doctor(env: Env, ...flags: string[]): Promise<Said> {
  const { code, stdout, stderr } = await cli(['doctor', '--json', ...flags], env);
  const findings = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Finding);
  return { code, stderr, findings, of: (check) => findings.find((one) => one.check.startsWith(check)) };
}

const calls = (world: World): number => world.sandbox.audit.summary().ledgerCalls;

for (const [apiVersion, clock] of [
  ['3.4.8', /the ledger is not ahead/],
  ['3.5.1', /the ledger and the database agree/],
] as const) {
  test(`all is well on ${apiVersion}: a line for each check, 0, and nothing is submitted`, async (t) => {
    const { world, env } = await setup(t, { registry: true, apiVersion });
    const said = await doctor(env);
    t.is(said.code, 0, JSON.stringify(said.findings.filter(({ status }) => status !== 'ok')));
    for (const check of [
      'database',
      'privileges',
      'version',
      'participant id',
      'user',
      'synchronizer',
      'issuer',
      'issuer rights',
      'factory',
      'holding package',
      'token DEMO',
      'token USDCx',
      'pins',
      'user rights',
      'packages',
      'hashing',
      'completions',
      'clocks',
      'checkpoints',
    ]) {
      t.is(said.of(check)?.status, 'ok', check);
    }
    t.is(said.of('deduplication')?.status, 'skipped');
    t.regex(said.of('clocks')?.what ?? '', clock);
    t.regex(said.of('hashing')?.what ?? '', /^V[23]/);
    t.regex(said.of('packages')?.what ?? '', /cip56-token 1\.0\.0/);
    // One of the sandbox's two registry tokens is offered.
    t.like(said.of('steps of USDCx'), { status: 'ok', what: 'direct for the receiver that was asked about' });
    t.like(said.of('steps of EURO'), { status: 'warn' });
    t.is(calls(world), 0);
    t.is((await world.db.query('select 1 from mempool')).length, 0);

    const plain = await cli(['doctor'], env);
    t.is(
      plain.stdout.split('\n').filter((line) => /^(ok|warn|skipped) {2,}\S/.test(line)).length,
      said.findings.length,
    );
  });
}

test('what is wrong is said line by line, with what to do; 1', async (t) => {
  const { world, env, alice, bob } = await setup(t);
  await world.sandbox.control({
    kind: 'rights',
    rights: { actAs: [], readAs: 'any', executeAs: [alice.party] },
  });
  await world.db.query("update mempool_submitter_v1 set halted = 'for this test'");
  const said = await doctor({
    ...env,
    CANTON_SYNCHRONIZER_ID: `${world.sandbox.synchronizerId}::35-0`,
    HOLDING_PACKAGE: '#splice-api-token-holding-v9',
    CANTON_PARTICIPANT_ID: 'somebody::1220',
    LOOK_PATIENCE_MS: '100',
  });
  t.is(said.code, 1);
  t.like(said.of('synchronizer'), {
    status: 'fail',
    todo: `set CANTON_SYNCHRONIZER_ID=${world.sandbox.synchronizerId}`,
  });
  t.like(said.of('participant id'), { status: 'fail' });
  t.like(said.of('holding package'), { status: 'fail', todo: 'correct HOLDING_PACKAGE' });
  t.regex(said.of('holding package')?.what ?? '', /PACKAGE_NAMES_NOT_FOUND/);
  t.like(said.of('user rights'), { status: 'fail', todo: `grant CanActAs ${bob.party}` });
  t.like(said.of('packages'), { status: 'fail' });
  t.like(said.of('pins'), { status: 'fail', what: 'halted: for this test' });
  t.like(said.of('checkpoints'), { status: 'warn' });
});

test('a user that may not read, a participant and a database that are not there', async (t) => {
  const { world, env } = await setup(t);
  await world.sandbox.control({ kind: 'rights', rights: { actAs: [], readAs: [] } });
  const blind = await doctor(env, '--patience', '5');
  t.is(blind.code, 1);
  t.like(blind.of('issuer rights'), {
    status: 'wait',
    todo: `grant mempool-submitter CanReadAs for ${world.sandbox.issuer}`,
  });
  t.like(blind.of('completions'), { status: 'fail' });
  t.like(blind.of('token DEMO'), { status: 'skipped' });

  await world.sandbox.control({ kind: 'down' });
  const away = await doctor({
    ...env,
    DATABASE_URL: world.db.url.replace(/\/[^/]+$/, '/nothing-of-that-name'),
  });
  t.is(away.code, 1);
  t.like(away.of('database'), { status: 'fail', todo: 'correct DATABASE_URL' });
  t.like(away.of('version'), { status: 'wait' });
  t.regex(away.of('version')?.what ?? '', /^the participant cannot be reached/);
  t.is((await doctor({})).code, 2, 'without settings');
});

test('--transfer puts a row in, which a running instance does once; without a terminal only after --yes', async (t) => {
  const { world, env, alice, bob } = await setup(t);
  const named = ['--from', alice.party, '--to', bob.address, '--token', DEMO];
  const asked = await doctor(env, '--transfer', '1.5', ...named);
  t.is(asked.code, 2);
  t.regex(asked.stderr, /; pass --yes to confirm$/m);
  t.is((await doctor(env, '--transfer', '0', ...named, '--yes')).code, 2);
  t.is((await doctor(env, '--from', alice.party)).code, 2);
  t.is(
    (
      await doctor(
        env,
        '--transfer',
        '1',
        '--from',
        alice.party,
        '--to',
        'nobody::1220',
        '--token',
        DEMO,
        '--yes',
      )
    ).code,
    1,
  );
  t.is((await world.db.query('select 1 from mempool')).length, 0);

  const instance = startInstance(t, world);
  await instance.said((line) => line.msg === 'ready', 60_000);
  const said = await doctor(env, '--transfer', '1.5', ...named, '--yes', '--patience', '60');
  t.is(said.code, 0, JSON.stringify(said.findings));
  t.regex(said.of('transfer')?.what ?? '', /^1\.5 DEMO from .*: completed in .*, update 1220/);
  t.is(calls(world), 1);
  t.deepEqual(await world.audit(), []);
});
