// Look before you sign: what a participant may have made of a transfer, what is signed,
// and what is not.
import type { PreparedTransaction } from '@canton-network/core-ledger-proto';
import test from 'ava';
import fc from 'fast-check';
import { type Expected, inspectPrepared, readBound } from '../../src/transfer/inspect.js';
import { archive, messageOf, ownScenario, seal } from './prepared.js';
import { ALICE, ASKED, BOB, event, ISSUER, ownHolding, UNIT } from './prepared-contracts.js';
import { addNode, metadataOf, rootOf } from './prepared-edit.js';
import { amuletScenario, registryScenario } from './prepared-registry.js';
import { v } from './prepared-values.js';

const inspected = async (message: PreparedTransaction, expected: Expected) =>
  inspectPrepared(await seal(message), expected);

test('what was asked for is signed, and what is signed is the hash of what was read', async (t) => {
  for (const scenario of [ownScenario(), registryScenario('direct'), registryScenario('offer')]) {
    const prepared = await seal(messageOf(scenario));
    const seen = await inspectPrepared(prepared, scenario.expected);
    if (seen.kind !== 'ok') return t.fail(seen.reason);
    t.deepEqual(Buffer.from(seen.hash), Buffer.from(prepared.hash));
    t.not(seen.hash, prepared.hash);
    t.is(seen.maxRecordTime, ASKED);
    t.is(readBound(prepared), ASKED);
  }
});

test('under V3 the bound is signed too; what V2 cannot hash is signed under V3 alone', async (t) => {
  for (const scenario of [ownScenario(), registryScenario('offer'), amuletScenario('direct')]) {
    const message = messageOf(scenario);
    t.like(await inspectPrepared(await seal(message, 3), scenario.expected), { kind: 'ok' });
  }
  const scenario = ownScenario();
  const message = messageOf(scenario);
  // An LF version whose contracts may have keys; the official package does not look.
  rootOf(message).lfVersion = '2.3';
  const v2 = await inspectPrepared(await seal(message), scenario.expected);
  t.is(v2.kind, 'unsignable');
  if (v2.kind === 'unsignable') t.regex(v2.reason, /^SCHEME: .*protocol version 35/);
  t.like(await inspectPrepared(await seal(message, 3), scenario.expected), { kind: 'ok' });
});

test('V2 instead of V3 is fine where the synchronizer has no V3, and a trick where it has', async (t) => {
  const scenario = ownScenario();
  const message = messageOf(scenario);
  const downgraded = async () => ({ ...(await seal(message)), askedScheme: 3 });
  t.like(await inspectPrepared(await downgraded(), scenario.expected), { kind: 'ok' });
  Object.assign(metadataOf(message), { synchronizerId: 'sync::1220bb::35-0' });
  t.deepEqual(await inspectPrepared(await downgraded(), scenario.expected), {
    kind: 'tampered',
    reason: 'hash: of scheme V2, where V3 was asked for',
  });
});

test('without change, to oneself, with a physical synchronizer, with an earlier bound: all of these are fine', async (t) => {
  const exact = ownScenario();
  const noChange = messageOf({
    ...exact,
    inputs: [ownHolding('00c1', ALICE, 4n * UNIT), ownHolding('00c2', ALICE, UNIT)],
    steps: exact.steps.filter((step) => !('create' in step && step.create.id === '00d2')),
  });
  t.like(await inspected(noChange, exact.expected), { kind: 'ok' });

  const self = ownScenario();
  const toSelf = {
    ...self.expected,
    terms: { ...self.expected.terms, receiver: ALICE },
  };
  const steps = self.steps.map((step) => {
    if (!('create' in step)) return step;
    if (step.create.id === '00d1') return { create: ownHolding('00d1', ALICE, 5n * UNIT) };
    return step.create.id === '00ee' ? { create: event({ toParty: v.some(v.party(ALICE)) }) } : step;
  });
  t.like(await inspected(messageOf({ ...self, expected: toSelf, steps }), toSelf), { kind: 'ok' });

  const scenario = ownScenario();
  for (const change of [
    (m) => Object.assign(metadataOf(m), { synchronizerId: 'sync::1220bb::35-0' }),
    (m) => Object.assign(metadataOf(m), { maxRecordTime: ASKED - 1n }),
    (m) => addNode(m, { fetch: ownHolding('00c1', ALICE, 4n * UNIT) }),
  ] satisfies ((message: PreparedTransaction) => void)[]) {
    const message = messageOf(scenario);
    change(message);
    t.like(await inspected(message, scenario.expected), { kind: 'ok' }, `${change}`);
  }
});

test('however many inputs a transfer has, it is signed', async (t) => {
  const scenario = ownScenario();
  const ids = Array.from({ length: 3_000 }, (_, index) => `00c1${(index + 4096).toString(16)}`);
  const inputs = ids.map((id) => ownHolding(id, ALICE, UNIT));
  const terms = { ...scenario.expected.terms, amount: 3_000n * UNIT, holdings: ids };
  const many = {
    ...scenario,
    expected: { ...scenario.expected, terms },
    inputs,
    steps: [
      ...inputs.flatMap((input) => [{ fetch: input }, archive(input, [ISSUER])]),
      { create: ownHolding('00d1', BOB, 3_000n * UNIT) },
      { create: event({ amount: v.numeric(3_000n * UNIT) }) },
    ],
  };
  t.like(inspectPrepared(await seal(messageOf(many), 3), many.expected), { kind: 'ok' });
});

test('far more nodes than its inputs account for are refused, and are not walked', async (t) => {
  const scenario = ownScenario();
  const [input] = scenario.inputs;
  if (input === undefined) return t.fail();
  const steps = [...scenario.steps, ...Array.from({ length: 5_100 }, () => ({ fetch: input }))];
  const seen = inspectPrepared(await seal(messageOf({ ...scenario, steps }), 3), scenario.expected);
  t.like(seen, { kind: 'tampered', reason: 'extra node: 5108 nodes' });
});

test('hostile bytes are refused, without an error or a signature', async (t) => {
  const scenario = ownScenario();
  const prepared = await seal(messageOf(scenario));
  const refused = async (transaction: Uint8Array) => {
    const { kind } = await inspectPrepared({ ...prepared, transaction }, scenario.expected);
    return kind === 'tampered';
  };
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), refused), { numRuns: 100 });
  // The same transaction, and 11 MiB of a field that nobody knows: more than a participant takes in one message.
  const padding = 11 * 1024 * 1024;
  const padded = Buffer.concat([
    prepared.transaction,
    varint((99 << 3) | 2),
    varint(padding),
    Buffer.alloc(padding),
  ]);
  t.true(await refused(padded));
  // A stack ends, sooner or later; and what is just not too deep has still to be hashed.
  for (const depth of [100, 1_000, 100_000]) t.true(await refused(nested(depth)), `${depth}`);
  t.is(readBound({ ...prepared, transaction: Buffer.from([0xff, 0xff]) }), null);
  t.is(readBound({ ...prepared, transaction: nested(100_000) }), null);
});

/** A preparation whose metadata holds an optional in an optional in an optional. */
function nested(depth: number): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  const wrap = (field: number): void => {
    const header = Buffer.concat([varint((field << 3) | 2), varint(length)]);
    parts.push(header);
    length += header.length;
  };
  for (let level = 0; level < depth; level++) {
    wrap(1);
    wrap(10);
  }
  for (const field of [2, 8, 2]) wrap(field);
  return Buffer.concat(parts.reverse());
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 127) | 128);
  }
}

test('what people read of it is one short line, whatever a participant writes', async (t) => {
  const scenario = ownScenario();
  const message = messageOf(scenario);
  Object.assign(rootOf(message), { choiceId: `a\u0000b\n${'x'.repeat(5000)}` });
  const seen = await inspected(message, scenario.expected);
  if (seen.kind !== 'tampered') return t.fail(seen.kind);
  t.regex(seen.reason, /^root: its choice is a b xx/);
  t.true(seen.reason.length <= 300);
});
