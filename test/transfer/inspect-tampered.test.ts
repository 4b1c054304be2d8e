// Each way to tamper with our own token's transfer is refused by its name. The hash is always that of the content, so
// that the content alone gives it away.
import { PreparedTransaction } from '@canton-network/core-ledger-proto';
import test from 'ava';
import { inspectPrepared } from '../../src/transfer/inspect.js';
import { messageOf, ownScenario, seal } from './prepared.js';
import { MALLORY } from './prepared-contracts.js';
import { exerciseOf } from './prepared-edit.js';
import { effects } from './tamperings-effects.js';
import { words } from './tamperings-words.js';

for (const [title, reason, change] of [...words, ...effects]) {
  test(`no signature for ${title}`, async (t) => {
    const scenario = ownScenario();
    const message = messageOf(scenario);
    change(message);
    const transaction = PreparedTransaction.toBinary(message);
    const hash = await seal(message).then(
      (sealed) => sealed.hash,
      // A hash that the package cannot compute: the participant answers any.
      () => Buffer.alloc(32),
    );
    const seen = await inspectPrepared({ transaction, hash, scheme: 2, askedScheme: 2 }, scenario.expected);
    t.is(seen.kind, 'tampered');
    if (seen.kind === 'tampered') t.regex(seen.reason, reason);
  });
}

test('prepared far after the bound: no signature, and no row parks for a clock that runs ahead', async (t) => {
  const scenario = ownScenario();
  const message = messageOf(scenario);
  const after = (ms: number) => scenario.expected.askedMaxRecordTime + BigInt(ms) * 1_000n;
  Object.assign(message.metadata ?? {}, {
    preparationTime: after(60_001),
    minLedgerEffectiveTime: after(60_001),
    maxLedgerEffectiveTime: after(60_001),
  });
  t.deepEqual(await inspectPrepared(await seal(message), scenario.expected), {
    kind: 'clocks-apart',
    reason:
      "the participant prepared this 60 s after the bound that the database's clock gave it: set both clocks by NTP",
  });
});

test('no signature for a circle, and no hash of one, which would be computed for ever', async (t) => {
  const scenario = ownScenario();
  const prepared = await seal(messageOf(scenario));
  const message = messageOf(scenario);
  exerciseOf(message, 2).children.push('0');
  const transaction = PreparedTransaction.toBinary(message);
  t.deepEqual(await inspectPrepared({ ...prepared, transaction }, scenario.expected), {
    kind: 'tampered',
    reason: 'extra node: 0 is not there, or has two parents',
  });
});

test('no signature for another hash than the content has, or of another scheme', async (t) => {
  const scenario = ownScenario();
  const prepared = await seal(messageOf(scenario));
  for (const [change, reason] of [
    [{ hash: Buffer.alloc(32, 7) }, /^hash: 0707/],
    [{ hash: new Uint8Array() }, /^hash: , where/],
    [{ scheme: 3 }, /^hash: [0-9a-f]{64}, where/],
    [{ scheme: 4 }, /^hash: of scheme 4/],
    [{ scheme: 0 }, /^hash: of scheme 0/],
  ] as const) {
    const seen = await inspectPrepared({ ...prepared, ...change }, scenario.expected);
    t.is(seen.kind, 'tampered');
    if (seen.kind === 'tampered') t.regex(seen.reason, reason);
  }
});

test("no signature for a factory of another issuer's in our own's place", async (t) => {
  const scenario = ownScenario();
  const expected = { ...scenario.expected, issuerParty: MALLORY };
  t.like(await inspectPrepared(await seal(messageOf(scenario)), expected), { kind: 'tampered' });
});
