// From a judged row to the transfer that is sent: holdings, times, the factory, the command.
import test from 'ava';
import { dbMillis, microsOf, party } from '../../src/core/ids.js';
import type { Read } from '../../src/ports/ledger.js';
import { executeBefore, externalExecuteBefore, hostedExecuteBefore } from '../../src/protocol/bound.js';
import type { Outcome, Refusal } from '../../src/protocol/outcome.js';
import { requestedAt, transferTerms } from '../../src/transfer/check.js';
import { createFactoryCache } from '../../src/transfer/factory.js';
import { demo, ISSUER, rowOf } from './rows.js';

test('requestedAt lies in the past of both clocks, executeBefore comes from the written bound alone', (t) => {
  const now = dbMillis(1_700_000_100_000);
  t.is(requestedAt(dbMillis(1_700_000_000_000.7), now), microsOf(1_700_000_000_000));
  t.is(requestedAt(dbMillis(1_700_000_099_999), now), microsOf(1_700_000_095_000));
  t.is(requestedAt(dbMillis(1_800_000_000_000), now), microsOf(1_700_000_095_000));
  t.is(executeBefore(dbMillis(1_700_000_190_000), 60_000), microsOf(1_700_000_130_000));
});

const parts = {
  row: rowOf(),
  checked: { kind: 'ok', token: demo, amount: 5n },
  sender: party('alice::1'),
  receiver: party('bob::1'),
  inputs: ['c1'],
  now: dbMillis(1_700_000_100_000),
  executeBefore: microsOf(1_700_000_130_000),
} as const;

test('the terms of a transfer are those of its row, its token and its parties', (t) => {
  t.deepEqual(transferTerms(parts), {
    sender: party('alice::1'),
    receiver: party('bob::1'),
    admin: ISSUER,
    instrumentId: 'DEMO',
    amount: 5n,
    holdings: ['c1'],
    requestedAt: microsOf(1_700_000_000_000),
    executeBefore: microsOf(1_700_000_130_000),
  });
});

const lifetimes = { toleranceMs: 60_000, offerLifetimeMs: 24 * 3_600_000 };

test('a hosted transfer ends with the written bound, however late it is made', (t) => {
  const written = dbMillis(1_700_000_190_000);
  for (const now of [parts.now, dbMillis(1_700_000_125_000)]) {
    t.is(hostedExecuteBefore(written, now, lifetimes), microsOf(1_700_000_130_000));
  }
});

test('an unbounded record, and an external party, still give the ledger an end: a day from now', (t) => {
  const day = microsOf(1_700_000_100_000 + 24 * 3_600_000);
  t.is(hostedExecuteBefore(null, parts.now, lifetimes), day);
  t.is(externalExecuteBefore(parts.now, lifetimes.offerLifetimeMs), day);
});

const options = { timeoutMs: 1000 };
const refused = (errorId: string): Outcome => ({
  kind: 'refused',
  refusal: { kind: 'try-again', blame: 'sender', errorId, detail: '', retryAfterMs: null } satisfies Refusal,
});

/** Answers each question in turn, and counts them. */
function asked(...answers: Read<readonly string[]>[]) {
  const questions: string[] = [];
  const cache = createFactoryCache({
    async transferFactories(admin) {
      questions.push(admin);
      return answers[questions.length - 1] ?? { kind: 'read', value: [] };
    },
  });
  return { cache, questions };
}
const found = (...value: string[]): Read<readonly string[]> => ({ kind: 'read', value });

const through = (contractId: string) => ({ admin: 'a', factory: { kind: 'own', contractId } }) as const;

test('the factory is asked for once, by however many at a time', async (t) => {
  const { cache, questions } = asked(found('f1'), found('f2'));
  const reads = await Promise.all([1, 2, 3].map(() => cache.get('a', 1n, options)));
  t.deepEqual([...reads, await cache.get('a', 2n, options)], Array(4).fill({ kind: 'read', value: 'f1' }));
  t.deepEqual(questions, ['a']);
});

test('it is forgotten when it may be gone, and only the one that was used', async (t) => {
  const { cache, questions } = asked(found('f1'), found('f2'));
  await cache.get('a', 1n, options);
  cache.observe(through('f1'), refused('LOCAL_VERDICT_LOCKED_CONTRACTS'));
  cache.observe(through('f1'), { kind: 'unknown', detail: '' });
  cache.observe(through('f0'), refused('CONTRACT_NOT_FOUND'));
  t.like(await cache.get('a', 1n, options), { value: 'f1' });
  cache.observe(through('f1'), refused('CONTRACT_NOT_FOUND'));
  t.like(await cache.get('a', 1n, options), { value: 'f2' });
  t.is(questions.length, 2);
});

test('none, several and a failed read are refusals of the token or the ledger, and are not remembered', async (t) => {
  const failed: Read<never> = {
    kind: 'failed-read',
    pruned: false,
    refusal: {
      kind: 'not-the-row',
      blame: 'all',
      errorId: 'GRPC_UNAVAILABLE',
      detail: '',
      retryAfterMs: null,
    },
  };
  const { cache } = asked(failed, found(), found('f1', 'f2'), found('f1'));
  t.like(await cache.get('a', 1n, options), failed);
  t.like(await cache.get('a', 1n, options), { refusal: { errorId: 'NO_TRANSFER_FACTORY', blame: 'token' } });
  t.like(await cache.get('a', 1n, options), {
    refusal: { errorId: 'SEVERAL_TRANSFER_FACTORIES', blame: 'token' },
  });
  t.like(await cache.get('a', 1n, options), { kind: 'read', value: 'f1' });
});
