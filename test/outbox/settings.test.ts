import { inspect } from 'node:util';
import test from 'ava';
import { secretsOf } from '../../src/config/secrets.js';
import { loadConfig } from '../../src/config.js';
import { outcomesProblem } from '../../src/submitter/outcomes.js';
import { file, least, problemsOf } from '../config/environment.js';
import { prepared } from '../store/support.js';

const SECRET = `whsec_${Buffer.alloc(24, 5).toString('base64')}`;
const URL_ = 'https://wallet.internal/hooks/tenant-17';

test('webhooks: a secret for each start, in a variable or a file, and nothing of it or of the path is shown', (t) => {
  const { webhook, ...config } = loadConfig(
    least({ WEBHOOK_URL: URL_, WEBHOOK_SECRET_FILE: file(`${SECRET}\n`) }),
  );
  t.like(webhook, { url: URL_, shown: 'https://wallet.internal', timeoutMs: 15_000, giveUpMs: 259_200_000 });
  t.deepEqual(
    webhook?.secrets.map((secret) => Buffer.from(secret)),
    [Buffer.alloc(24, 5)],
  );
  t.notRegex(inspect(webhook, { depth: 9 }), /tenant-17|BQUF/);
  const all = loadConfig(least({ WEBHOOK_URL: URL_, WEBHOOK_SECRET: SECRET }));
  t.true([URL_, SECRET.slice(6)].every((text) => secretsOf(all).includes(text)));
  t.is(config.outcomes, null);
});

for (const [what, env, problem] of [
  ['no secret', { WEBHOOK_URL: URL_ }, /^WEBHOOK_SECRET is not set, .*openssl rand/],
  ['a secret alone', { WEBHOOK_SECRET: SECRET }, /without WEBHOOK_URL/],
  [
    'two places for it',
    { WEBHOOK_URL: URL_, WEBHOOK_SECRET: SECRET, WEBHOOK_SECRET_FILE: file(SECRET) },
    /both set/,
  ],
  [
    'half a secret',
    { WEBHOOK_URL: URL_, WEBHOOK_SECRET: SECRET.slice(0, 20) },
    /^WEBHOOK_SECRET must be whsec_/,
  ],
  [
    'plain http elsewhere',
    { WEBHOOK_URL: 'http://wallet.internal/', WEBHOOK_SECRET: SECRET },
    /ALLOW_PLAINTEXT=webhook/,
  ],
] as const) {
  test(`webhooks: ${what} is refused, with what to do`, (t) => {
    const problems = problemsOf(t, () => loadConfig(least(env)));
    t.is(problems.length, 1);
    t.regex(problems[0] ?? '', problem);
  });
}

test('a start whose settings do not fit what the database keeps is refused: nobody would be told anything', async (t) => {
  const off = await prepared(t);
  const on = await prepared(t, { outcomes: 'webhooks' });
  const { webhook } = loadConfig(least({ WEBHOOK_URL: URL_, WEBHOOK_SECRET: SECRET }));
  t.regex(
    (await outcomesProblem({ outcomes: null, webhook }, off.database)) ?? '',
    /migrate --outcomes webhooks/,
  );
  t.regex(
    (await outcomesProblem({ outcomes: 'consumers', webhook: null }, on.database)) ?? '',
    /--outcomes consumers/,
  );
  t.is(await outcomesProblem({ outcomes: 'webhooks', webhook }, on.database), null);
  t.is(await outcomesProblem({ outcomes: null, webhook: null }, on.database), null);
});
