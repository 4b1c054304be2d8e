// What a start makes of the credentials that it finds: against a real database, a real participant and a real authority.
import { createSecretKey, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import test from 'ava';
import { loadConfig } from '../../src/config.js';
import { ConfigError } from '../../src/core/errors.js';
import { SealedKey } from '../../src/core/sealed-key.js';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { createLogger, logEvents } from '../../src/observe/log.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { monotonic } from '../../src/runtime/clock.js';
import { createSubmitter } from '../../src/submitter.js';
import { sealKey, withKey } from '../../src/transfer/key.js';
import { cli } from '../cli/support.js';
import { SCALED } from '../support/fleet.js';
import { grant, jwt, SECRET, startOauth } from '../support/oauth.js';
import { shown } from '../support/secrets.js';
import { createWorld, MASTER_KEY, type User, type World } from '../support/world.js';

const store = (world: World, user: User, sealed: string): Promise<unknown> =>
  world.db.query('update users set canton_private_key_encrypted = $2 where evm_address = $1', [
    user.address,
    sealed,
  ]);

function environment(world: World, more: Record<string, string> = {}): Record<string, string> {
  return { ...world.sandbox.env, ...SCALED, DATABASE_URL: world.db.url, ...more } as Record<string, string>;
}

/** The problems that a start ends with; none where it goes on. */
async function problemsAt(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const submitter = createSubmitter(loadConfig(env));
  try {
    await submitter.start();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  } finally {
    await submitter.stop();
  }
}

test('users hold keys: a start without the master key, or with a wrong one, ends there and says so', async (t) => {
  const world = await createWorld(t);
  const [alice, bob] = [await world.user(), await world.user()];
  const right = { CANTON_MASTER_KEY: MASTER_KEY.toString('base64') };
  const unset = { CANTON_MASTER_KEY: '' };
  const wrong = { CANTON_MASTER_KEY: randomBytes(32).toString('base64') };

  // Nobody has a key, and '' does not count as one: then nobody needs a master key.
  await store(world, alice, '');
  t.deepEqual(await problemsAt(environment(world, unset)), []);

  await store(world, alice, sealKey(randomBytes(32), MASTER_KEY));
  await store(world, bob, 'damaged');
  t.deepEqual(await problemsAt(environment(world, right)), []);
  const none = await problemsAt(environment(world, unset));
  t.is(none.length, 1);
  t.regex(none[0] ?? '', /^CANTON_MASTER_KEY is not set, and `users` contains encrypted keys/);
  t.deepEqual(await problemsAt(environment(world, wrong)), [
    'CANTON_MASTER_KEY decrypts none of the 2 keys that were tried from `users`: set it to the key that the middleware encrypts with',
  ]);

  // Exit code 2, before anything was claimed: no loop of restarts over one row after the other.
  const hash = await world.insert({ from: alice, to: bob });
  const ended = await cli(['run'], environment(world, wrong));
  t.is(ended.code, 2);
  t.regex(ended.stderr, /CANTON_MASTER_KEY decrypts none of the 2/);
  t.like(await world.row(hash), { status: 'pending', attempts: 0, claim_token: null });
});

test('with OAuth the user is pinned that the token speaks for, and no secret shows in whatever is said on the way', async (t) => {
  const user = 'mempool-submitter';
  const [stale, good] = [jwt({ sub: user, n: 'stale-one' }), jwt({ sub: user, n: 'good-one' })];
  const world = await createWorld(t, { token: good, userId: user, toleranceMs: 1_000_000 });
  const external = { parties: 'external' } as const;
  const [alice, bob] = [await world.user(), await world.user()];
  const [carol, dave] = [await world.user(external), await world.user(external)];
  // Sealed under another master key: a signature that fails.
  await store(world, dave, sealKey(randomBytes(32), randomBytes(32)));
  const oauth = await startOauth(t, (_, count) => {
    // First it fails and repeats what it was sent, then its token is not accepted any more.
    if (count === 1)
      return {
        status: 401,
        body: JSON.stringify({
          error: 'invalid_request',
          error_description: `unknown: ${SECRET}`,
        }),
      };
    return grant(count === 2 ? stale : good, 3_600);
  });
  const config = loadConfig(
    environment(world, {
      CANTON_TOKEN_FILE: '',
      CANTON_USER_ID: '',
      CANTON_OAUTH_TOKEN_URL: oauth.client.tokenUrl,
      CANTON_OAUTH_CLIENT_ID: oauth.client.clientId,
      CANTON_OAUTH_CLIENT_SECRET: SECRET,
      CANTON_OAUTH_AUDIENCE: oauth.client.audience,
      CANTON_MASTER_KEY: MASTER_KEY.toString('base64'),
    }),
  );

  const submitter = createSubmitter(config);
  t.teardown(async () => void (await submitter.stop()));
  const said: string[] = [];
  const events: SubmitterEvent[] = [];
  submitter.events$.subscribe((event) => events.push(event));
  // The log's own list of secrets is the last net; here nothing may fall into it.
  const log = createLogger({
    level: 'trace',
    instance: 'one',
    secrets: [],
    destination: { write: (line) => void said.push(line) },
  });
  logEvents(log, submitter.events$, monotonic);
  const metrics = createMetrics({
    version: '1.2.3',
    events$: submitter.events$,
    queue: () => submitter.snapshot(),
    clock: monotonic,
  });
  await submitter.start();
  const done = await world.insert({ from: alice, to: bob });
  await world.ended([done]);
  const signed = await world.insert({ from: carol, to: bob });
  const unsigned = await world.insert({ from: dave, to: bob });
  await world.ended([signed]);
  await world.until('it is parked', async () => (await world.row(unsigned)).parked);
  t.is((await world.row(signed)).status, 'completed');
  t.is(world.sandbox.audit.entries[0]?.userId, user);
  t.deepEqual(await world.db.query('select user_id from mempool_submitter_v1'), [{ user_id: user }]);
  t.true(oauth.requests.length >= 3);

  const rows = await world.db.query('select * from mempool');
  const dumps = [
    ...said,
    await metrics.text(),
    ...[events, config, submitter, submitter.health(), await submitter.snapshot(), rows].map((one) =>
      inspect(one, { depth: 12, maxArrayLength: null, maxStringLength: null }),
    ),
    JSON.stringify(events, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
    JSON.stringify(config),
  ];
  t.true(said.length > 20);
  for (const wrong of ['invalid_request', 'KEY_UNREADABLE'])
    t.true(
      said.some((line) => line.includes(wrong)),
      `${wrong} is said`,
    );
  const keys = await Promise.all([carol, dave].map((one) => storedKey(world, one)));
  const opened = withKey(new SealedKey(keys[0] ?? ''), createSecretKey(MASTER_KEY), (key) => key.slice());
  if (opened.kind !== 'opened') return t.fail(opened.detail);
  const secrets = {
    'the master key': [MASTER_KEY],
    'the client secret': [SECRET],
    'a token': [stale, good].flatMap((token) => [token, token.split('.')[1] ?? '']),
    'an encrypted key': keys.flatMap((key) => [key, Buffer.from(key, 'base64')]),
    'a private key': [opened.value],
  };
  t.is(shown(dumps, secrets), null);
  // The net has no holes: it would have caught each of them.
  for (const [what, texts] of Object.entries(secrets))
    for (const text of texts) t.not(shown([inspect({ text })], { [what]: [text] }), null);
});

async function storedKey(world: World, user: User): Promise<string> {
  const { key } = await world.db.one<{ key: string }>(
    'select canton_private_key_encrypted as key from users where evm_address = $1',
    [user.address],
  );
  return key;
}
