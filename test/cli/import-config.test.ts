// canton-middleware's configuration becomes ours, or one says what is missing.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { readMiddleware } from '../../src/cli/import-config/middleware.js';
import { translate } from '../../src/cli/import-config/translate.js';
import { exportLines, plainLines } from '../../src/cli/support/shell.js';
import { parseTokens } from '../../src/config/tokens-file.js';
import { loadConfig } from '../../src/config.js';
import { file } from '../config/environment.js';
import { ROOT } from '../support/docs.js';
import { cli } from './support.js';

const FILE = readFileSync(path.join(ROOT, 'test/fixtures/middleware/config.api-server.yaml'), 'utf8');
const ENVIRONMENT = {
  API_SERVER_DATABASE_URL: 'postgres://api:s3cret@db.internal/erc20_api',
  CANTON_DOMAIN_ID: `global-domain::1220${'cd'.repeat(32)}`,
  CANTON_ISSUER_PARTY: `issuer::1220${'ab'.repeat(32)}`,
  CANTON_AUTH_CLIENT_SECRET: 'hush-hush',
  API_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
};

function imported(yaml: string, environment: NodeJS.ProcessEnv, admins = new Map<string, string>()) {
  const read = readMiddleware(yaml, environment);
  if (read.kind === 'wrong') throw new Error(read.problems.join('\n'));
  return translate(read.config, { admins, environment, unset: read.unset });
}

test('a whole configuration: what is made of it is one that run takes', (t) => {
  const { env, tokens, problems, notes } = imported(FILE, ENVIRONMENT);
  t.deepEqual(problems, []);
  t.deepEqual(env, {
    DATABASE_URL: 'postgres://api:s3cret@db.internal/erc20_api?sslmode=disable',
    CANTON_URL: 'https://participant.internal:5001',
    CANTON_TLS_CA_FILE: '/etc/ca.pem',
    CANTON_OAUTH_TOKEN_URL: 'https://login.internal/oauth/token',
    CANTON_OAUTH_CLIENT_ID: 'api',
    CANTON_OAUTH_CLIENT_SECRET: 'hush-hush',
    CANTON_OAUTH_AUDIENCE: 'https://ledger',
    CANTON_SYNCHRONIZER_ID: ENVIRONMENT.CANTON_DOMAIN_ID,
    CANTON_ISSUER_PARTY: ENVIRONMENT.CANTON_ISSUER_PARTY,
    CANTON_MASTER_KEY: ENVIRONMENT.API_MASTER_KEY,
    TRANSFER_PACKAGE: '55ba4deb0ad4662c4168b39859738a0e91388d252286480c7331b3f71a517281',
    CHAIN_ID: '1337',
    LOG_LEVEL: 'debug',
    LOG_FORMAT: 'text',
  });
  const loaded = parseTokens(tokens, 'T');
  t.like('tokens' in loaded ? loaded.tokens.get('0xde30000000000000000000000000000000000001') : {}, {
    symbol: 'DEMO',
    instrumentAdmin: ENVIRONMENT.CANTON_ISSUER_PARTY,
    steps: 1,
  });
  t.like('tokens' in loaded ? loaded.tokens.get('0xc1a0000000000000000000000000000000000001') : {}, {
    instrumentAdmin: 'bridge::1220ab',
    registryUrl: 'https://registry.internal',
    steps: 2,
    offerIsDone: false,
  });
  t.notThrows(() =>
    loadConfig({ ...env, CANTON_TLS_CA_FILE: file('ca'), TOKENS_FILE: file(JSON.stringify(tokens)) }),
  );
  t.is(notes.length, 3);
  t.regex(
    notes.join('\n'),
    /insecure_skip_verify has no counterpart.*\n.*--old-user same\nUSDCx: .*offerIsDone/,
  );
});

test('the ledger user is the one that the old submitter sends as: the subject of its token, unless the identity names a user', (t) => {
  const users = (identity: string, token: string) =>
    imported(
      FILE.replace('  identity:\n', `  identity:\n    user_id: "${identity}"\n`).replace(
        '  token:\n',
        `  token:\n    user_id: "${token}"\n`,
      ),
      ENVIRONMENT,
    );
  for (const token of ['', 'ledger-user']) {
    const { env, notes, problems } = users('', token);
    t.deepEqual([env.CANTON_USER_ID, problems], [undefined, []]);
    t.regex(
      notes.join('\n'),
      /sends as the subject of its token, since canton\.identity\.user_id is empty, /,
    );
  }
  const named = users('identity-user', 'ledger-user');
  t.deepEqual([named.env.CANTON_USER_ID, named.problems], ['ledger-user', []]);
  t.regex(named.notes.join('\n'), /sends as ledger-user, .*--old-user same/);
  t.regex(
    users('identity-user', '').problems.join('\n'),
    /^canton\.token\.user_id is empty, .*: give the ledger user/,
  );
  t.regex(users('$NOT_HERE', '').notes.join('\n'), /user_id is empty \(not set here: NOT_HERE; /);
});

test('what is missing is said, each with what to do; no secret in it', (t) => {
  const bare = imported(FILE.replace(/ *external_tokens:\n.*\n.*\n/, ''), {
    CANTON_AUTH_CLIENT_SECRET: 'hush',
  });
  t.is(bare.problems.length, 4, bare.problems.join('\n'));
  t.true(
    bare.problems.some((one) =>
      /^database\.url is empty \(not set here: API_SERVER_DATABASE_URL, /.test(one),
    ),
  );
  t.true(bare.problems.some((one) => /which party administers USDCx: add --admin USDCx=PARTY/.test(one)));
  t.regex(bare.notes.join('\n'), /set CANTON_MASTER_KEY.* to what API_MASTER_KEY is for the API/);
  const broken = readMiddleware('a: "hush\nb: [', {});
  t.regex(
    broken.kind === 'wrong' ? broken.problems.join() : '',
    /^not YAML: [A-Z_]+ in line \d+, column \d+$/,
  );
  const other = readMiddleware('canton_ledger: {}', {});
  t.regex(
    other.kind === 'wrong' ? other.problems.join('\n') : '',
    /database: .*\n(.*\n)*is this the configuration of the API server/,
  );
});

test('lines for a shell: whatever is in a value', (t) => {
  t.is(exportLines({ A: "it's $5", B: '' }), "export A='it'\\''s $5'\nexport B=''\n");
});

test('bare lines, for systemd, docker and kubectl: a value that they would read differently is named, and not shown', async (t) => {
  const values = {
    A: 'postgres://u:p%40@h/d?x=1#y',
    B: '$5;',
    C: "it's",
    D: 'a\\b',
    E: ' a',
    F: 'a\nb',
    G: '"',
  };
  const { lines, unfit } = plainLines(values);
  t.deepEqual(unfit, ['C', 'D', 'E', 'F', 'G']);
  t.true(lines.startsWith('A=postgres://u:p%40@h/d?x=1#y\nB=$5;\n'));

  const folder = mkdtempSync(path.join(tmpdir(), 'canton-import-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const yaml = path.join(folder, 'config.yaml');
  writeFileSync(yaml, FILE);
  const words = ['import-config', yaml, '--plain', '--tokens', path.join(folder, 'tokens.json')];
  const done = await cli(words, ENVIRONMENT);
  t.is(done.code, 0, done.stderr);
  t.regex(done.stdout, /^DATABASE_URL=postgres:\/\/api:s3cret@db\.internal\/erc20_api\?sslmode=disable$/m);
  t.regex(done.stderr, /^note: where CANTON_MASTER_KEY_FILE is set, .* delete its line/m);
  const unfitting = await cli(words, { ...ENVIRONMENT, CANTON_AUTH_CLIENT_SECRET: "hush'hush" });
  t.is(unfitting.code, 2);
  t.regex(unfitting.stderr, /CANTON_OAUTH_CLIENT_SECRET contains a quote/);
  t.notRegex(unfitting.stderr + unfitting.stdout, /hush/);
});
