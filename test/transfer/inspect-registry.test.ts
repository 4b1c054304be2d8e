// A registry's token: templates that nobody here knows, and still nothing beyond what was asked for.
import type { PreparedTransaction, Value } from '@canton-network/core-ledger-proto';
import test from 'ava';
import type { AnyValue } from '../../src/core/transfer.js';
import { type Expected, inspectPrepared } from '../../src/transfer/inspect.js';
import { archive, messageOf, seal } from './prepared.js';
import {
  ALICE,
  BOB,
  create,
  MALLORY,
  other,
  REGISTRAR,
  registryHolding,
  UNIT,
} from './prepared-contracts.js';
import { addInput, addNode, createdBy, rootOf, setField } from './prepared-edit.js';
import { registryScenario } from './prepared-registry.js';
import { type, v } from './prepared-values.js';

type Change = (message: PreparedTransaction) => void;

const inspected = async (message: PreparedTransaction, expected: Expected) =>
  inspectPrepared(await seal(message), expected);

const promise = other('00d9', 'Delegation', [ALICE, REGISTRAR], [ALICE, REGISTRAR, MALLORY]);
const registryTamperings: ReadonlyArray<readonly [string, RegExp, Change]> = [
  [
    'another context',
    /^argument\.extraArgs\.context\.values\.utility\.app\/rule\.AV_ContractId: 00b2/,
    (m) =>
      setField(
        rootOf(m).chosenValue,
        'extraArgs.context.values',
        v.map({ 'utility.app/rule': v.variant('AV_ContractId', v.id('00b2')) }),
      ),
  ],
  [
    'no context',
    /^argument\.extraArgs\.context/,
    (m) => setField(rootOf(m).chosenValue, 'extraArgs.context.values', v.map()),
  ],
  [
    'money for a third party',
    /^receiver: 5 for mallory/,
    (m) => setField(createdBy(m, -2).argument, 'owner', v.party(MALLORY)),
  ],
  [
    'some money more for a third party',
    /^receiver: 1 for mallory/,
    (m) => addNode(m, { create: registryHolding('00d9', MALLORY, UNIT) }),
  ],
  [
    'less for the receiver',
    /^amount: 4 for the receiver, 2 for the sender, of 7/,
    (m) => setField(createdBy(m, -2).argument, 'amount', v.numeric(4n * UNIT)),
  ],
  [
    'money out of nothing',
    /^amount: 6 for the receiver/,
    (m) => addNode(m, { create: registryHolding('00d9', BOB, UNIT) }),
  ],
  [
    'other money',
    /^instrument: EURx/,
    (m) => addNode(m, { create: registryHolding('00d9', BOB, UNIT, { name: 'EURx' }) }),
  ],
  [
    'worthless money',
    /^instrument: its admin did not sign/,
    (m) => Object.assign(createdBy(m, -2), { signatories: [MALLORY], stakeholders: [BOB, MALLORY] }),
  ],
  [
    'what nobody knows as money',
    /^amount: 0 for the receiver/,
    (m) => Object.assign(createdBy(m, -2), { templateId: type('Fake', 'Holding') }),
  ],
  [
    'another holding spent',
    /^extra input: 00c9/,
    (m) => {
      const more = registryHolding('00c9', ALICE, 9n * UNIT);
      addNode(m, archive(more, [ALICE, REGISTRAR]));
      addInput(m, more);
    },
  ],
  [
    'another choice on a contract of the sender',
    /^extra node: Withdraw on Utility\.Registry\.App:Vault 00c9/,
    (m) => {
      const vault = other('00c9', 'Vault', [ALICE]);
      addNode(m, { exercise: vault, choice: 'Withdraw', consuming: false, by: [ALICE] });
      addInput(m, vault);
    },
  ],
  [
    'money of a namesake of its template',
    /^extra node: a holding as Utility\.Registry\.Holding/,
    (m) => Object.assign(createdBy(m, -2), { packageName: 'another-token' }),
  ],
  [
    'a promise',
    /^promise: a Utility\.Registry\.App:Delegation that the sender signs/,
    (m) => addNode(m, { create: promise }),
  ],
  [
    'locked money for the receiver',
    /^amount/,
    (m) => Object.assign(createdBy(m, -2), create(registryHolding('00d1', BOB, 5n * UNIT, { locked: true }))),
  ],
  [
    'locked change',
    /^amount/,
    (m) =>
      Object.assign(createdBy(m, -1), create(registryHolding('00d2', ALICE, 2n * UNIT, { locked: true }))),
  ],
];
for (const [title, reason, change] of registryTamperings) {
  test(`a registry's token, no signature for ${title}`, async (t) => {
    const scenario = registryScenario('direct');
    const message = messageOf(scenario);
    change(message);
    const seen = await inspected(message, scenario.expected);
    t.is(seen.kind, 'tampered');
    if (seen.kind === 'tampered') t.regex(seen.reason, reason);
  });
}

test('a context is compared to the last value, whatever its kind', async (t) => {
  const scenario = registryScenario('direct');
  if (scenario.expected.factory.kind !== 'registry') return t.fail();
  const context: ReadonlyMap<string, AnyValue> = new Map<string, AnyValue>([
    ['day', { tag: 'AV_Date', value: 19_782 }],
    ['time', { tag: 'AV_Time', value: 1_709_251_199_123_456n }],
    ['span', { tag: 'AV_RelTime', value: -7n }],
  ]);
  const expected = { ...scenario.expected, factory: { ...scenario.expected.factory, context } };
  const told = (change: Record<string, Value> = {}) => {
    const message = messageOf(scenario);
    const values = {
      day: v.variant('AV_Date', v.date(19_782)),
      time: v.variant('AV_Time', v.time(1_709_251_199_123_456n)),
      span: v.variant('AV_RelTime', v.record({ microseconds: v.int(-7n) })),
      ...change,
    };
    setField(rootOf(message).chosenValue, 'extraArgs.context.values', v.map(values));
    return inspected(message, expected);
  };
  t.like(await told(), { kind: 'ok' });
  const others = {
    day: v.variant('AV_Date', v.date(19_783)),
    time: v.variant('AV_Time', v.time(0n)),
    span: v.variant('AV_RelTime', v.record({ microseconds: v.int(7n) })),
  };
  for (const [key, value] of Object.entries(others)) {
    t.like(await told({ [key]: value }), { kind: 'tampered' }, key);
  }
});

test("a registry's other nodes are its own business: receipts, and contracts of its own", async (t) => {
  const scenario = registryScenario('direct', [
    { create: other('00d9', 'Receipt', [REGISTRAR], [REGISTRAR, ALICE, 'auditor::1220']) },
    { fetch: other('00b1', 'TransferRule', [REGISTRAR]) },
  ]);
  t.like(await inspected(messageOf(scenario), scenario.expected), { kind: 'ok' });
});

test('an offer leaves the amount with the sender, locked or in the offer, and gives nobody more', async (t) => {
  const scenario = registryScenario('offer');
  const escrow = messageOf({
    ...scenario,
    steps: scenario.steps.filter((step) => !('create' in step && step.create.id === '00d1')),
  });
  t.like(await inspected(escrow, scenario.expected), { kind: 'ok' });
  const gone = messageOf({
    ...scenario,
    steps: scenario.steps.filter((step) => !('create' in step && ['00d1', '00d3'].includes(step.create.id))),
  });
  t.like(await inspected(gone, scenario.expected), { kind: 'tampered' });
  const less = messageOf(scenario);
  setField(createdBy(less, -3).argument, 'amount', v.numeric(4n * UNIT));
  t.like(await inspected(less, scenario.expected), { kind: 'tampered' });
});
