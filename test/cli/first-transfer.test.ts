// From nothing to a first transfer: `sandbox user`, `sign` and `enqueue` on a sandbox and a database that run already.
import { execFileSync } from 'node:child_process';
import test from 'ava';
import { keccak256 } from 'viem';
import { tokenOf, unitsOf } from '../../src/cli/sign.js';
import type { Token } from '../../src/core/token.js';
import { block, ROOT } from '../support/docs.js';
import { startLocal } from '../support/local.js';
import { createWorld, MASTER_KEY } from '../support/world.js';
import { cli } from './support.js';

const DOLLAR = {
  steps: 1 as const,
  offerIsDone: false,
  name: 'Demo Dollar',
  symbol: 'USDD',
  decimals: 6,
  instrumentAdmin: 'issuer::1220',
  instrumentId: 'USDD',
};

test('sandbox user, sign, enqueue: an external and a hosted user pay each other', async (t) => {
  const world = await createWorld(t);
  const env = {
    ...world.sandbox.env,
    DATABASE_URL: world.db.url,
    CANTON_MASTER_KEY: MASTER_KEY.toString('base64'),
    SANDBOX_URL: world.sandbox.httpUrl,
  };
  const [alices, bobs] = await Promise.all([
    cli(['sandbox', 'user', 'alice', '--external', '--amount', '2.5', '--json'], env),
    cli(['sandbox', 'user', 'bob'], env),
  ]);
  t.is(alices.code, 0, alices.stderr);
  t.is(bobs.code, 0, bobs.stderr);
  t.is(alices.stderr, 'alice: external, 2.5 each of DEMO, PROMPT, USDD\n');
  const alice = JSON.parse(alices.stdout) as { address: string; privateKey: string };
  const bob = Object.fromEntries(
    [...bobs.stdout.matchAll(/^export BOB_([A-Z]+)='(.*)'$/gm)].map(([, name, value]) => [name, value]),
  );
  t.deepEqual(Object.keys(bob), ['ADDRESS', 'KEY', 'PARTY']);

  const sign = (to: string, key: string, ...more: string[]) =>
    cli(['sign', '--token', 'DEMO', '--to', to, ...more], { ...env, SIGNING_KEY: key });
  const signed = await Promise.all([
    sign(bob.ADDRESS ?? '', alice.privateKey, '--amount', '1.25'),
    sign(alice.address, bob.KEY ?? '', '--amount', '0.5', '--nonce', '7'),
  ]);
  const raw = signed.map(({ stdout }) => stdout.trim() as `0x${string}`);
  const enqueued = await cli(['enqueue'], env, raw.join('\n'));
  t.is(enqueued.code, 0, enqueued.stderr);

  await startLocal(t, world);
  await world.ended(raw.map((bytes) => keccak256(bytes)));
  t.like(world.sandbox.balances(bob.PARTY ?? ''), { DEMO: { amount: '100.7500000000' } });
  t.like(world.sandbox.audit.summary(), { accepted: 2, doubleCommits: 0 });

  // The line of viem in the docs makes the very bytes that `sign` makes.
  const viem = execFileSync(process.execPath, ['--input-type=module'], {
    input: block('docs/sandbox.md', 'js', 'viem'),
    cwd: ROOT,
    env: {
      ...process.env,
      ALICE_KEY: alice.privateKey,
      BOB_ADDRESS: bob.ADDRESS,
      CHAIN_ID: world.sandbox.env.CHAIN_ID,
    },
    encoding: 'utf8',
  });
  t.is(viem, (await sign(bob.ADDRESS ?? '', alice.privateKey, '--amount', '1.5')).stdout);

  const short = `0x${'ab'.repeat(31)}`;
  const wrong = await sign(bob.ADDRESS ?? '', short, '--amount', '1');
  t.is(wrong.code, 2);
  t.is(wrong.stderr, 'canton-submitter: SIGNING_KEY: a private key is 32 bytes as 64 hex digits, above 0\n');
  const nobody = await cli(['sandbox', 'user', 'carol', '--url', 'http://127.0.0.1:1'], env);
  t.is(nobody.code, 2);
  t.regex(nobody.stderr, /^canton-submitter: no sandbox answers at http:\/\/127\.0\.0\.1:1 .*--url\n$/);
});

test('sign: an amount is exact or refused, a token is found by symbol or address, and only if there is one', (t) => {
  const [usd, other] = ['0xde30000000000000000000000000000000000003', `0x${'ab'.repeat(20)}`].map(
    (address) => ({
      ...DOLLAR,
      address,
    }),
  ) as [Token, Token];
  t.is(unitsOf('1.5', usd), 1_500_000n);
  t.is(unitsOf('0.000001', usd), 1n);
  t.is(unitsOf('12', { ...usd, decimals: 0 }), 12n);
  t.throws(() => unitsOf('1.1234567', usd), { message: /USDD has 6 decimal places, 1\.1234567 has 7/ });
  const one = new Map([[usd.address, usd]]);
  t.is(tokenOf(one, 'USDD'), usd);
  t.is(tokenOf(one, usd.address.toUpperCase().replace('0X', '0x')), usd);
  t.throws(() => tokenOf(one, 'EURO'), { message: /has no EURO, only USDD \(0xde30/ });
  const two = new Map([...one, [other.address, other]]);
  t.throws(() => tokenOf(two, 'USDD'), { message: /2 tokens called USDD: give the address/ });
  t.is(tokenOf(two, other.address), other);
});
