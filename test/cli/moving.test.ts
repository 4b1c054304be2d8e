// docs/moving.md, step by step: from a database with canton-middleware's schema to a running replacement. Long: a process for
// each step. The way back, `migrate --down`, has its own tests.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { MIDDLEWARE } from '../store/support.js';
import { startPacedSandbox } from '../support/paced-sandbox.js';
import { freshDatabase } from '../support/postgres.js';
import { cli, start } from './support.js';

const DEMO = '0xde30000000000000000000000000000000000001';

test('moving over with only docs/moving.md', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  const sandbox = await startPacedSandbox({ latencyMs: 200, timeScale: 0.05 });
  t.teardown(() => sandbox.close());
  const folder = mkdtempSync(path.join(tmpdir(), 'canton-moving-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const at = (name: string): string => path.join(folder, name);
  writeFileSync(
    at('config.yaml'),
    `database: { url: "\${API_DATABASE_URL}", ssl_mode: disable }
canton:
  domain_id: "${sandbox.env.CANTON_SYNCHRONIZER_ID}"
  issuer_party: "${sandbox.env.CANTON_ISSUER_PARTY}"
  ledger: { rpc_url: "${sandbox.url}", tls: { enabled: false } }
  identity: { user_id: "${sandbox.env.CANTON_USER_ID}", package_id: "#common" }
  token:
    user_id: "${sandbox.env.CANTON_USER_ID}"
    cip56_package_id: "#cip56-token"
    splice_transfer_package_id: "#splice-api-token-transfer-instruction-v1"
    splice_holding_package_id: "#splice-api-token-holding-v1"
token:
  supported_tokens:
    "${DEMO}": { name: Demo, symbol: DEMO, decimals: 18, instrument_id: DEMO }
eth_rpc: { chain_id: ${sandbox.env.CHAIN_ID} }
`,
  );
  const api = { API_DATABASE_URL: db.url, CANTON_MASTER_KEY: Buffer.alloc(32, 5).toString('base64') };
  const imported = await cli(['import-config', at('config.yaml'), '--tokens', at('tokens.json')], api);
  t.is(imported.code, 0, imported.stderr);
  t.regex(imported.stderr, /migrate --old-user same/);
  writeFileSync(at('submitter.env'), imported.stdout);
  const spans = {
    SUBMISSION_WINDOW_MS: sandbox.env.SUBMISSION_WINDOW_MS ?? '',
    LEDGER_TIME_TOLERANCE_MS: sandbox.env.LEDGER_TIME_TOLERANCE_MS ?? '',
    CLOCK_SKEW_MAX_MS: sandbox.env.CLOCK_SKEW_MAX_MS ?? '',
    ADMIN_ADDRESS: '127.0.0.1:0',
    SANDBOX_URL: sandbox.httpUrl,
  };
  const settings = ['--env-file', at('submitter.env')];

  const before = await cli(['doctor', ...settings], spans);
  t.regex(
    before.stdout + before.stderr,
    /migrate/,
    'before migrate, it says that the database is not prepared',
  );
  const migrated = await cli(['migrate', ...settings, '--old-user', 'same'], spans);
  t.is(migrated.code, 0, migrated.stderr);
  const run = start(['run', ...settings], spans);
  await run.line((line) => line.includes('"msg":"ready"'));
  const users = await cli(['sandbox', 'user', 'alice', 'bob', '--json', ...settings], spans);
  const [alice, bob] = users.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { address: string; privateKey: string; party: string });
  const pay = async (nonce: number): Promise<string> => {
    const words = [
      'sign',
      '--token',
      'DEMO',
      '--amount',
      '1',
      '--to',
      bob?.address ?? '',
      '--nonce',
      `${nonce}`,
    ];
    const { stdout } = await cli([...words, ...settings], { ...spans, SIGNING_KEY: alice?.privateKey ?? '' });
    const enqueued = await cli(['enqueue', stdout.trim(), ...settings], spans);
    return /^0x[0-9a-f]{64}/.exec(enqueued.stdout)?.[0] ?? enqueued.stderr;
  };
  const first = await pay(0);
  await run.line((line) => line.includes('"msg":"completed"') && line.includes(first));
  const status = await cli(['status', ...settings], spans);
  t.is(status.code, 0, status.stdout);
  run.kill('SIGTERM');
  t.is((await run.ended).code, 0);

  t.like(sandbox.balances(bob?.party ?? ''), { DEMO: { amount: '101.0000000000' } });
  t.like(sandbox.audit.summary(), { accepted: 1, doubleCommits: 0 });
});
