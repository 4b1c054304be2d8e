import { inspect } from 'node:util';
import test from 'ava';
import { shownSettings } from '../../src/config/settings.js';
import { parseTokens } from '../../src/config/tokens-file.js';
import { loadConfig, loadDatabaseSettings, loadEnqueueSettings } from '../../src/config.js';
import { ADDRESS, DEMO, file, least, problemsOf } from './environment.js';

test('the least that run needs is enough, with the defaults of production', (t) => {
  const config = loadConfig(least());
  t.like(config, {
    lanes: 'sender',
    windowMs: 30_000,
    toleranceMs: 60_000,
    concurrency: 64,
    leaseMs: 30_000,
    pollMs: 5_000,
    callTimeoutMs: 60_000,
    stopGraceMs: 30_000,
    retry: { minMs: 500, maxMs: 60_000, maxAttempts: 20 },
    probeMs: 5_000,
    lookPatienceMs: null,
    canaryMs: 10_000,
    admin: { host: '127.0.0.1', port: 9464 },
    logLevel: 'info',
    logFormat: 'json',
    traces: false,
    warnings: [],
  });
  t.is(config.database.url, 'postgres://api:s3cret@db.internal:5432/api');
  t.is(config.database.listenUrl, config.database.url);
  t.is(config.tokens.get(ADDRESS.toLowerCase())?.address, ADDRESS);
  t.is(config.tokens.get(ADDRESS.toLowerCase())?.steps, 1);
});

test('what a token takes as inputs is told, or left to who issues it', (t) => {
  const token = {
    name: 'Gem',
    symbol: 'GEM',
    decimals: 6,
    instrumentAdmin: 'bank::1220ab',
    instrumentId: 'GEM',
  };
  const parsed = (change: object) => parseTokens({ [ADDRESS]: { ...token, ...change } }, 'T');
  const read = (change: object) => {
    const loaded = parsed(change);
    return 'tokens' in loaded ? loaded.tokens.get(ADDRESS.toLowerCase()) : loaded.problems;
  };
  t.like(read({}), { takesExpiredLocks: undefined, maxInputs: undefined });
  t.like(read({ takesExpiredLocks: false, maxInputs: 7 }), { takesExpiredLocks: false, maxInputs: 7 });
  t.deepEqual(read({ takesExpiredLocks: 'no', maxInputs: 0 }), [
    `T: ${ADDRESS}: takesExpiredLocks must be true or false`,
    `T: ${ADDRESS}: maxInputs must be 1 or more`,
  ]);
});

test('two processes of one host never share a holder', (t) => {
  const [a, b] = [loadConfig(least({ INSTANCE_ID: 'one' })), loadConfig(least({ INSTANCE_ID: 'one' }))];
  t.true(a.holder.startsWith('one/'));
  t.not(a.holder, b.holder);
});

test('all problems are reported at once, each with what to do', (t) => {
  const problems = problemsOf(t, () =>
    loadConfig({
      LEASE_MS: '199',
      POLL_INTERVAL_MS: '5s',
      RETRY_MIN_MS: '10',
      CANTON_URL: 'http://ledger:5001',
    }),
  );
  const wanted = [
    /^DATABASE_URL is not set/,
    /^CANTON_URL is "http:\/\/ledger:5001": give host:port/,
    /^CANTON_USER_ID is not set: give the ledger user/,
    /^CANTON_SYNCHRONIZER_ID is not set/,
    /^CANTON_ISSUER_PARTY is not set/,
    /^TOKENS_FILE is not set/,
    /^LEASE_MS is "199": give a whole number of milliseconds, 200 to /,
    /^POLL_INTERVAL_MS is "5s"/,
  ];
  for (const pattern of wanted)
    t.true(
      problems.some((line) => pattern.test(line)),
      String(pattern),
    );
  t.is(problems.length, wanted.length);
});

for (const [name, refused, taken] of [
  ['LEASE_MS', '199', '200'],
  ['POLL_INTERVAL_MS', '49', '50'],
  ['CALL_TIMEOUT_MS', '99', '100'],
  ['STOP_GRACE_MS', '-1', '0'],
  ['SUBMISSION_WINDOW_MS', '499', '500'],
  ['SUBMISSION_WINDOW_MS', '60001', '60000'],
  ['CONCURRENCY', '0', '1'],
  ['LANES', 'on', 'off'],
  ['ADMIN_ADDRESS', '127.0.0.1:70000', '0.0.0.0:0'],
  ['LOG_LEVEL', 'verbose', 'debug'],
  ['LOG_FORMAT', 'pretty', 'text'],
  ['CANTON_URL', 'participant', 'https://[::1]:5001'],
  ['CIP56_PACKAGE', 'cip56-token', '#cip56-token'],
] as const) {
  test(`${name}: ${refused} is refused, ${taken} is taken`, (t) => {
    const problems = problemsOf(t, () => loadConfig(least({ [name]: refused })));
    t.is(problems.length, 1);
    t.true(problems[0]?.startsWith(`${name} is `));
    t.notThrows(() => loadConfig(least({ [name]: taken })));
  });
}

test('relations between settings are checked', (t) => {
  const problems = problemsOf(t, () =>
    loadConfig(
      least({
        RETRY_MIN_MS: '2000',
        RETRY_MAX_MS: '1000',
        CANTON_TLS_KEY_FILE: file('key'),
        CANTON_URL: 'participant.internal:5001',
      }),
    ),
  );
  t.is(problems.length, 3);
  const { warnings } = loadConfig(
    least({
      LEASE_MS: '1000',
      CALL_TIMEOUT_MS: '1000',
      ADMIN_ADDRESS: '0.0.0.0:9464',
      DATABASE_POOL_SIZE: '1',
    }),
  );
  t.deepEqual(
    warnings.map((line) => line.split(' ')[0]),
    ['POLL_INTERVAL_MS', 'CALL_TIMEOUT_MS', 'DATABASE_POOL_SIZE', 'ADMIN_ADDRESS'],
  );
});

test('an empty variable counts as absent', (t) => {
  t.is(loadConfig(least({ LEASE_MS: '', ADMIN_TOKEN: '' })).leaseMs, 30_000);
  t.true(
    problemsOf(t, () => loadConfig(least({ DATABASE_URL: '' })))[0]?.startsWith('DATABASE_URL is not set'),
  );
});

test('secrets appear in no dump and in no problem', (t) => {
  const config = loadConfig(
    least({ ADMIN_TOKEN: 'hush', DATABASE_LISTEN_URL: 'postgres://l:other@db/api?sslpassword=third' }),
  );
  t.is(config.admin?.token, 'hush');
  for (const dump of [
    inspect(config, { depth: 9 }),
    JSON.stringify(config),
    inspect({ ...config }, { depth: 9 }),
  ]) {
    t.notRegex(dump, /s3cret|hush|other|third/);
    t.regex(dump, /postgres:\/\/api:\*\*\*@db\.internal/);
  }
  const problems = problemsOf(t, () =>
    loadConfig(least({ DATABASE_URL: 'mysql://api:s3cret@db', ADMIN_TOKEN: 'hush hush' })),
  );
  t.is(problems.length, 2);
  t.notRegex(problems.join('\n'), /s3cret|hush/);
});

test('the settings that a log shows: what is set, secrets as ***', (t) => {
  t.deepEqual(
    shownSettings({
      DATABASE_URL: 'postgres://api:s3cret@db/api?password=other',
      CANTON_MASTER_KEY: 'key',
      CANTON_OAUTH_CLIENT_SECRET: 'client',
      ADMIN_TOKEN: 'token',
      LEASE_MS: '20000',
      LANES: '',
      PATH: '/bin',
    }),
    {
      DATABASE_URL: 'postgres://api:***@db/api?password=***',
      CANTON_OAUTH_CLIENT_SECRET: '***',
      CANTON_MASTER_KEY: '***',
      LEASE_MS: '20000',
      ADMIN_TOKEN: '***',
    },
  );
});

test('a misspelt name is pointed out, somebody else’s name is not', (t) => {
  const { warnings } = loadConfig(
    least({
      CANTON_TOKENFILE: '/x',
      LEASE_MSEC: '1',
      CONCURENCY: '3',
      CANTON_COLOUR: 'red',
      DATABASE_HOST: 'db',
      PATH: '/bin',
    }),
  );
  t.deepEqual(warnings, [
    'CANTON_TOKENFILE is not a setting: did you mean CANTON_TOKEN_FILE?',
    'LEASE_MSEC is not a setting: did you mean LEASE_MS?',
    'CONCURENCY is not a setting: did you mean CONCURRENCY?',
    'CANTON_COLOUR is not a setting, and has no effect',
  ]);
});

test('TOKENS_FILE: every wrong field is named', (t) => {
  const wrong = file({
    [ADDRESS]: { ...DEMO, decimals: 19, offerIsDone: 'yes', registryURL: 'x' },
    [ADDRESS.toLowerCase()]: DEMO,
    '0x12': DEMO,
    '0xDE30000000000000000000000000000000000003': { ...DEMO, instrumentAdmin: 'nobody', steps: 3 },
    '0xDE30000000000000000000000000000000000004': 'DEMO',
  });
  const problems = problemsOf(t, () => loadConfig(least({ TOKENS_FILE: wrong })));
  const wanted = [
    /1: decimals must be 0 to 18$/,
    /1: offerIsDone must be true or false$/,
    /1: registryURL is not a field of a token/,
    /0x12 is not a contract address/,
    /3: instrumentAdmin must be a party id/,
    /3: steps must be 1 or 2$/,
    /4: must be an object$/,
  ];
  for (const pattern of wanted)
    t.true(
      problems.some((line) => pattern.test(line)),
      String(pattern),
    );
  t.is(problems.length, wanted.length);
  for (const [content, said] of [
    ['{', /is not JSON/],
    [[], /must contain an object/],
    [{ [ADDRESS]: DEMO, [ADDRESS.toLowerCase()]: DEMO }, /appears twice/],
  ] as const) {
    t.regex(problemsOf(t, () => loadConfig(least({ TOKENS_FILE: file(content) })))[0] ?? '', said);
  }
  t.regex(problemsOf(t, () => loadConfig(least({ TOKENS_FILE: '/nowhere' })))[0] ?? '', /cannot be read/);
});

test('other commands ask for what they need, and no more', (t) => {
  const database = { DATABASE_URL: 'postgres://db/api' };
  t.is(loadDatabaseSettings(database).database.url, 'postgres://db/api');
  t.deepEqual(
    problemsOf(t, () => loadEnqueueSettings(database)),
    ['TOKENS_FILE is not set', 'CHAIN_ID is not set'],
  );
  t.is(loadEnqueueSettings(least({ CHAIN_ID: '31337' })).chainId, 31337);
});
