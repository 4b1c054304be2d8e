// `outcomes()` as a program that embeds the library has it.
import test from 'ava';
import { ConfigError } from '../../src/core/errors.js';
import { outcomes } from '../../src/submitter/outcomes.js';
import { completed, failed, type Prepared, prepared } from '../store/support.js';
import { scaled } from '../support/pace.js';

const read = (db: Prepared, consumer: string, signal?: AbortSignal) =>
  outcomes({
    consumer,
    databaseUrl: db.url,
    pollMs: scaled(20),
    leaseMs: scaled(60_000),
    ...(signal === undefined ? {} : { signal }),
  });

async function end(db: Prepared, nonce: number): Promise<void> {
  await db.insert({ from: 'a', nonce });
  await db.settle(await db.claimOne(), nonce === 2 ? failed : completed);
}

test('for await: going on acknowledges, leaving does not; it waits for what is new, and the signal ends it', async (t) => {
  const db = await prepared(t, { outcomes: 'consumers' });
  for (const nonce of [0, 1, 2]) await end(db, nonce);
  for await (const outcome of read(db, 'billing')) {
    if (outcome.nonce === 0n) t.like(outcome, { kind: 'completed', sender: 'a', amount: 1n, offset: 42n });
    if (outcome.nonce === 1n) break;
  }
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const outcome of read(db, 'billing', stop.signal)) {
    seen.push(`${outcome.nonce} ${outcome.kind}`);
    if (outcome.nonce === 2n) await end(db, 3);
    if (outcome.nonce === 3n) stop.abort();
  }
  t.deepEqual(seen, ['1 completed', '2 failed', '3 completed']);
  const other = read(db, 'audit');
  t.is((await other.next()).value?.nonce, 0n, 'another consumer has its own place');
  await other.return();
});

test('a second process with the same consumer takes over where the first one left, and gets nothing before', async (t) => {
  const db = await prepared(t, { outcomes: 'consumers' });
  for (const nonce of [0, 1, 2]) await end(db, nonce);
  const first = read(db, 'billing');
  const second = read(db, 'billing');
  t.is((await first.next()).value?.nonce, 0n);
  const waits = second.next();
  t.is((await first.next()).value?.nonce, 1n);
  await first.return();
  t.is((await waits).value?.nonce, 1n, 'what was not acknowledged comes again');
  await second.return();
});

test('where no outcomes are kept, it says what to do instead of waiting for ever', async (t) => {
  const db = await prepared(t);
  const error = await t.throwsAsync(async () => await read(db, 'billing').next(), {
    instanceOf: ConfigError,
  });
  t.regex(error?.message ?? '', /migrate --outcomes consumers/);
});
