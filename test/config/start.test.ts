// What a start makes of the credentials that it finds: against a real database, a real participant and a real authority.
import { randomBytes } from 'node:crypto';
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
import { sealKey } from '../../src/transfer/key.js';
import { createSigner } from '../../src/transfer/signer.js';
import { cli } from '../cli/support.js';
import { SCALED } from '../support/fleet.js';
import { grant, jwt, SECRET, startOauth } from '../support/oauth.js';
import { createWorld, type User, type World } from '../support/world.js';

const MASTER = randomBytes(32);

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
  const right = { CANTON_MASTER_KEY: MASTER.toString('base64') };
  const wrong = { CANTON_MASTER_KEY: randomBytes(32).toString('base64') };

  // Nobody has a key, '' among them: then nobody needs a master key, and a wrong one cannot be told.
  await store(world, alice, '');
  t.deepEqual(await problemsAt(environment(world)), []);
  t.deepEqual(await problemsAt(environment(world, wrong)), []);

  await store(world, alice, sealKey(randomBytes(32), MASTER));
  await store(world, bob, 'damaged');
  t.deepEqual(await problemsAt(environment(world, right)), []);
  const none = await problemsAt(environment(world));
  t.is(none.length, 1);
  t.regex(none[0] ?? '', /^CANTON_MASTER_KEY: it is not set, and `users` holds encrypted keys/);
  t.deepEqual(await problemsAt(environment(world, wrong)), [
    'CANTON_MASTER_KEY: it opens none of 2 keys that were tried in `users`; set it to the one that the middleware encrypts with',
  ]);

  // Exit code 2, before anything was claimed: no loop of restarts over one row after the other.
  const hash = await world.insert({ from: alice, to: bob });
  const ended = await cli(['run'], environment(world, wrong));
  t.is(ended.code, 2);
  t.regex(ended.stderr, /CANTON_MASTER_KEY: it opens none of 2/);
  t.like(await world.row(hash), { status: 'pending', attempts: 0, claim_token: null });
});

test('with OAuth the user is pinned that the token speaks for, and no secret shows in whatever is said on the way', async (t) => {
  const user = 'mempool-submitter';
  const [stale, good] = [jwt({ sub: user, n: 'stale-one' }), jwt({ sub: user, n: 'good-one' })];
  const world = await createWorld(t, { token: good, userId: user });
  const [alice, bob, carol, dave] = [
    await world.user(),
    await world.user(),
    await world.user(),
    await world.user(),
  ];
  // A key that opens, and one that does not; neither may be seen.
  const privateKey = randomBytes(32);
  const keys = [sealKey(privateKey, MASTER), sealKey(randomBytes(32), randomBytes(32))] as const;
  await store(world, carol, keys[0]);
  await store(world, dave, keys[1]);
  const oauth = await startOauth(t, (_, count) => {
    // First it fails and repeats what it was sent, then its token is no good any more.
    if (count === 1)
      return {
        status: 400,
        body: JSON.stringify({
          error: 'invalid_request',
          error_description: `${SECRET} ${good}`.slice(0, 60),
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
      CANTON_MASTER_KEY: MASTER.toString('base64'),
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
    events$: submitter.events$,
    queue: () => submitter.snapshot(),
    clock: monotonic,
  });
  await submitter.start();
  const blocked = events.find(({ kind }) => kind === 'not-ready');
  const done = await world.insert({ from: alice, to: bob });
  await world.ended([done]);
  const external = [
    await world.insert({ from: carol, to: bob }),
    await world.insert({ from: dave, to: bob }),
  ];
  for (const hash of external)
    await world.until('it has ended, or waits', async () => {
      const row = await world.row(hash);
      return row.parked || row.status !== 'pending' || row.last_error !== null;
    });
  t.is(world.sandbox.audit.entries[0]?.userId, user);
  t.deepEqual(await world.db.query('select user_id from mempool_submitter_v1'), [{ user_id: user }]);
  t.true(oauth.requests.length >= 3);

  const signer = createSigner(config.masterKey);
  const signed = keys.map((key) => signer.sign(new SealedKey(key), randomBytes(32)));
  t.deepEqual(
    signed.map(({ kind }) => kind),
    ['signed', 'unreadable'],
  );
  const rows = await world.db.query('select * from mempool');
  const dumps = [
    ...said,
    await metrics.text(),
    ...[events, config, submitter, submitter.health(), await submitter.snapshot(), signed, rows, blocked].map(
      (one) => inspect(one, { depth: 12, maxArrayLength: null, maxStringLength: null }),
    ),
    JSON.stringify(events, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
    JSON.stringify(config),
  ];
  t.true(said.length > 20);
  t.true(
    said.some((line) => line.includes('invalid_request')),
    'what went wrong is said',
  );
  const secrets = {
    'the master key': [
      MASTER.toString('base64'),
      MASTER.toString('hex'),
      [...MASTER.subarray(0, 6)].join(', '),
    ],
    'the client secret': [SECRET, encodeURIComponent(SECRET)],
    'a token': [stale, good, stale.split('.')[1] ?? '', good.split('.')[1] ?? ''],
    'an encrypted key': [...keys],
    'a private key': [
      privateKey.toString('hex'),
      privateKey.toString('base64'),
      [...privateKey.subarray(0, 6)].join(', '),
    ],
  };
  for (const [what, texts] of Object.entries(secrets))
    for (const text of texts)
      for (const dump of dumps) t.false(dump.includes(text), `${what} in ${dump.slice(0, 300)}`);
});
