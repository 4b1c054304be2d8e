import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import test from 'ava';
import { secretsOf } from '../../src/config/secrets.js';
import { loadConfig } from '../../src/config.js';
import { jwt } from '../support/oauth.js';
import { shown } from '../support/secrets.js';
import { file, least, problemsOf } from './environment.js';

const KEY = randomBytes(32);
const TEXT = KEY.toString('base64');

test('the master key comes from the environment, or from a file', (t) => {
  t.is(loadConfig(least()).masterKey, null);
  for (const env of [
    { CANTON_MASTER_KEY: TEXT },
    { CANTON_MASTER_KEY_FILE: file(TEXT) },
    { CANTON_MASTER_KEY_FILE: file(`${TEXT}\n`) },
  ]) {
    t.deepEqual(Buffer.from(loadConfig(least(env)).masterKey ?? []), KEY);
  }
});

test('an invalid master key is refused at start, and never shown', (t) => {
  const short = randomBytes(24).toString('base64');
  for (const [env, said] of [
    [{ CANTON_MASTER_KEY: short }, /^CANTON_MASTER_KEY must be 32 bytes in base64.*it has 24$/],
    [{ CANTON_MASTER_KEY: KEY.toString('hex') }, /^CANTON_MASTER_KEY must be 32 bytes in base64.*it has 48$/],
    [{ CANTON_MASTER_KEY: 'no base64!' }, /^CANTON_MASTER_KEY must be base64/],
    [{ CANTON_MASTER_KEY_FILE: file(short) }, /^CANTON_MASTER_KEY_FILE must be 32 bytes/],
    [{ CANTON_MASTER_KEY_FILE: file('') }, /^CANTON_MASTER_KEY_FILE must be 32 bytes.*it has 0$/],
    [{ CANTON_MASTER_KEY_FILE: '/nowhere' }, /^CANTON_MASTER_KEY_FILE cannot be read/],
    [{ CANTON_MASTER_KEY: TEXT, CANTON_MASTER_KEY_FILE: file(TEXT) }, /both set: remove one/],
  ] as const) {
    const problems = problemsOf(t, () => loadConfig(least(env)));
    t.is(problems.length, 1);
    t.regex(problems[0] ?? '', said);
    for (const secret of [short, TEXT, KEY.toString('hex'), 'no base64!'])
      t.false(problems.join().includes(secret));
  }
});

const OAUTH = {
  CANTON_OAUTH_TOKEN_URL: 'https://auth.example/oauth/token',
  CANTON_OAUTH_CLIENT_ID: 'submitter',
  CANTON_OAUTH_CLIENT_SECRET: 'hush-hush',
  CANTON_OAUTH_AUDIENCE: 'https://canton.example',
};

test('OAuth takes its four settings, all or none, and no token file beside them', (t) => {
  t.is(loadConfig(least()).canton.oauth, null);
  const { canton, warnings } = loadConfig(least(OAUTH));
  t.deepEqual(
    { ...canton.oauth, secret: canton.oauth?.clientSecret },
    {
      tokenUrl: OAUTH.CANTON_OAUTH_TOKEN_URL,
      clientId: 'submitter',
      audience: 'https://canton.example',
      secret: 'hush-hush',
    },
  );
  t.deepEqual(warnings, []);
  t.is(
    loadConfig(least({ ...OAUTH, CANTON_OAUTH_SCOPE: 'api://x/.default' })).canton.oauth?.scope,
    'api://x/.default',
  );
  t.regex(
    problemsOf(t, () => loadConfig(least({ CANTON_OAUTH_SCOPE: 'alone' }))).join(),
    /^CANTON_OAUTH_TOKEN_URL, .* are not set: all four/,
  );
  for (const left of Object.keys(OAUTH)) {
    t.deepEqual(
      problemsOf(t, () => loadConfig(least({ ...OAUTH, [left]: '' }))),
      [`${left} is not set: all four CANTON_OAUTH_* are needed, with or without a scope`],
    );
  }
  t.deepEqual(
    problemsOf(t, () => loadConfig(least({ CANTON_OAUTH_AUDIENCE: 'a' }))),
    [
      'CANTON_OAUTH_TOKEN_URL, CANTON_OAUTH_CLIENT_ID, CANTON_OAUTH_CLIENT_SECRET are not set: all four CANTON_OAUTH_* are needed, with or without a scope',
    ],
  );
  t.deepEqual(
    problemsOf(t, () => loadConfig(least({ ...OAUTH, CANTON_TOKEN_FILE: file('token') }))),
    ['CANTON_TOKEN_FILE and CANTON_OAUTH_* are both set: remove one of them'],
  );
});

test('the token URL is one of http, without a password in it; in plaintext it is warned of', (t) => {
  for (const url of [
    'auth.example',
    'ftp://auth.example',
    'https://me:hush-hush@auth.example/',
    'https://',
  ]) {
    const problems = problemsOf(t, () => loadConfig(least({ ...OAUTH, CANTON_OAUTH_TOKEN_URL: url })));
    t.deepEqual(problems, [
      'CANTON_OAUTH_TOKEN_URL must look like https://host/path, with no user or password in it',
    ]);
  }
  const warned = (url: string) => loadConfig(least({ ...OAUTH, CANTON_OAUTH_TOKEN_URL: url })).warnings;
  t.regex(
    warned('http://auth.example/token').join(),
    /^CANTON_OAUTH_TOKEN_URL is plain http to another machine/,
  );
  t.regex(warned('http://127.0.0.1.example.org/').join(), /plain http/);
  for (const url of [
    'http://localhost:8080/',
    'http://127.0.0.1/',
    'http://[::1]:1/',
    'https://auth.example',
  ])
    t.deepEqual(warned(url), []);
});

test('looking before signing is the default; without it there is a warning that names the risk', (t) => {
  t.is(loadConfig(least()).verifyPrepared, true);
  t.is(loadConfig(least({ VERIFY_PREPARED: 'on' })).verifyPrepared, true);
  const off = loadConfig(least({ VERIFY_PREPARED: 'off' }));
  t.is(off.verifyPrepared, false);
  t.regex(
    off.warnings.join(),
    /^VERIFY_PREPARED is off: .*sign whatever the participant prepares, even with another receiver or amount$/,
  );
  t.is(problemsOf(t, () => loadConfig(least({ VERIFY_PREPARED: 'false' }))).length, 1);
});

test('the user is whom the token speaks for, asked at start, where none is named', (t) => {
  const without = (more: NodeJS.ProcessEnv) => () => loadConfig(least({ CANTON_USER_ID: '', ...more }));
  t.is(loadConfig(least()).userId, 'submitter');
  t.is(without({ CANTON_TOKEN_FILE: file(`${jwt({ sub: 'from-token' })}\n`) })().userId, null);
  t.is(without(OAUTH)().userId, null);
  t.is(loadConfig(least(OAUTH)).userId, 'submitter');
  t.is(loadConfig(least({ CANTON_TOKEN_FILE: file('opaque') })).userId, 'submitter');
  for (const [more, said] of [
    [{}, /^CANTON_USER_ID is not set: give the ledger user, or its token/],
    [{ CANTON_TOKEN_FILE: file('opaque') }, /^CANTON_USER_ID is not set, and the token .* has no subject/],
    [{ CANTON_TOKEN_FILE: '/nowhere' }, /^CANTON_TOKEN_FILE cannot be read/],
  ] as const) {
    const problems = problemsOf(t, without(more));
    t.is(problems.length, 1);
    t.regex(problems[0] ?? '', said);
  }
  t.is(problemsOf(t, () => loadConfig(least({ CANTON_TOKEN_FILE: '/nowhere' }))).length, 1);
});

test('what is wrong with credentials is told together with everything else', (t) => {
  const problems = problemsOf(t, () =>
    loadConfig(
      least({
        CANTON_USER_ID: '',
        LEASE_MS: '1',
        CANTON_MASTER_KEY: 'x',
        CANTON_MASTER_KEY_FILE: '/nowhere',
        CANTON_OAUTH_AUDIENCE: 'a',
        CANTON_TOKEN_FILE: '/nowhere/else',
        VERIFY_PREPARED: 'perhaps',
      }),
    ),
  );
  for (const said of [
    /^LEASE_MS is/,
    /^CANTON_MASTER_KEY must/,
    /^CANTON_MASTER_KEY and CANTON_MASTER_KEY_FILE are/,
    /^CANTON_MASTER_KEY_FILE cannot/,
    /^CANTON_OAUTH_TOKEN_URL, .* are not set/,
    /^CANTON_TOKEN_FILE and CANTON_OAUTH_\* are/,
    /^CANTON_TOKEN_FILE cannot/,
    /^VERIFY_PREPARED is/,
  ])
    t.is(problems.filter((problem) => said.test(problem)).length, 1, String(said));
  t.is(problems.length, 8);
});

test('neither the master key nor the client secret is in any dump, and both are taken out of logs', (t) => {
  const config = loadConfig(least({ ...OAUTH, CANTON_MASTER_KEY: TEXT, ADMIN_TOKEN: 'guarded-admin' }));
  const dumps = [
    inspect(config, { depth: 9 }),
    inspect({ ...config }, { depth: 9 }),
    inspect(config.canton.oauth),
    JSON.stringify(config),
  ];
  t.is(shown(dumps, { 'the master key': [KEY], 'the client secret': ['hush-hush'] }), null);
  t.deepEqual(secretsOf(config), ['s3cret', 'guarded-admin', 'hush-hush', TEXT, KEY.toString('hex')]);
});
