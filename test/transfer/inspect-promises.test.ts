// What a registry's transfer may have the sender sign: holdings, and of an offer the one instruction. A contract that binds
// it in any other way is not a transfer, whoever is asked in.
import type { PreparedTransaction } from '@canton-network/core-ledger-proto';
import test from 'ava';
import { inspectPrepared } from '../../src/transfer/inspect.js';
import { completed, messageOf, pending, type Scenario, seal, transferOf } from './prepared.js';
import {
  ALICE,
  BOB,
  type Contract,
  create,
  MALLORY,
  offerOf,
  other,
  PROVIDER,
  REGISTRAR,
  registryHolding,
  UNIT,
} from './prepared-contracts.js';
import { addInput, addNode, createdBy, rootOf, setField } from './prepared-edit.js';
import { amuletScenario, registryScenario } from './prepared-registry.js';
import { v } from './prepared-values.js';

const inspected = async (scenario: Scenario, change: (message: PreparedTransaction) => void = () => {}) => {
  const message = structuredClone(messageOf(scenario));
  change(message);
  return inspectPrepared(await seal(message), scenario.expected);
};

test('what real networks do is signed: the Utility registry and Canton Coin, at once and as an offer', async (t) => {
  for (const scenario of [registryScenario, amuletScenario].flatMap((of) => [of('direct'), of('offer')])) {
    const seen = await inspected(scenario);
    t.is(seen.kind, 'ok', seen.kind === 'ok' ? '' : seen.reason);
  }
});

const invited = other('00b9', 'Rule', [REGISTRAR, MALLORY]);
const bring = (message: PreparedTransaction): void => {
  addNode(message, { fetch: invited });
  addInput(message, invited);
};
const delegation = (...stakeholders: string[]): Contract =>
  other('00d9', 'Delegation', [ALICE, REGISTRAR], [ALICE, REGISTRAR, ...stakeholders]);

for (const kind of ['direct', 'offer'] as const) {
  for (const [what, change] of [
    ['to the registrar alone', (m) => addNode(m, { create: delegation() })],
    [
      'to whom a contract of the registry brought in',
      (m) => {
        bring(m);
        addNode(m, { create: delegation(MALLORY) });
      },
    ],
    ['to the receiver', (m) => addNode(m, { create: delegation(BOB) })],
    ['signed by the sender alone', (m) => addNode(m, { create: other('00d9', 'Delegation', [ALICE]) })],
  ] satisfies [string, (message: PreparedTransaction) => void][]) {
    test(`${kind}: no signature for a promise ${what}`, async (t) => {
      const seen = await inspected(registryScenario(kind), change);
      t.like(seen, {
        kind: 'tampered',
        reason: 'promise: a Utility.Registry.App:Delegation that the sender signs',
      });
    });
  }
}

test('of a holding that the sender signs, no stranger has a part, whoever brought him in', async (t) => {
  const seen = await inspected(registryScenario('direct'), (m) => {
    createdBy(m, -1).stakeholders.push(MALLORY);
    bring(m);
  });
  t.is(seen.kind, 'tampered');
  if (seen.kind === 'tampered') t.regex(seen.reason, /^promise: .*Holding that the sender signs and mallory/);
});

const TRANSFER_OFFER = ['Utility.Registry.App.V0.Model.Transfer', 'TransferOffer'] as const;
test('an offer makes exactly the one instruction that its result names, for this very transfer', async (t) => {
  const scenario = registryScenario('offer');
  const { terms } = scenario.expected;
  const second = offerOf('00d9', TRANSFER_OFFER, transferOf(terms, ['00d1']));
  const cases: [string, RegExp, (message: PreparedTransaction) => void][] = [
    [
      'a second one',
      /^promise: .*TransferOffer that the sender signs$/,
      (m) => addNode(m, { create: second }),
    ],
    [
      'one that is not made here',
      /^offer: 00dd is not made here/,
      (m) => Object.assign(rootOf(m), { exerciseResult: pending('00dd') }),
    ],
    [
      'one to somebody else',
      /^offer\.receiver: mallory/,
      (m) => setField(createdBy(m, -2).argument, 'transfer.receiver', v.party(MALLORY)),
    ],
    [
      'one of more',
      /^offer\.amount: 6/,
      (m) => setField(createdBy(m, -2).argument, 'transfer.amount', v.numeric(6n * UNIT)),
    ],
    [
      'one that a stranger sees',
      /^promise: .*TransferOffer that the sender signs and mallory/,
      (m) => {
        createdBy(m, -2).stakeholders.push(MALLORY);
        bring(m);
      },
    ],
    [
      'money locked with no instruction named',
      /^promise|^amount/,
      (m) => Object.assign(rootOf(m), { exerciseResult: completed() }),
    ],
  ];
  for (const [what, reason, change] of cases) {
    const seen = await inspected(scenario, change);
    t.is(seen.kind, 'tampered', what);
    if (seen.kind === 'tampered') t.regex(seen.reason, reason, what);
  }
});

test('an offer where a direct transfer was expected is refused', async (t) => {
  const { expected } = registryScenario('direct');
  const seen = await inspected({ ...registryScenario('offer'), expected });
  t.like(seen, { kind: 'tampered', reason: 'receiver: an offer, where a direct transfer was expected' });
});

test("Canton Coin's fee is what its own rules say was burned; nobody else's word counts", async (t) => {
  for (const [what, change] of [
    [
      'more is missing than was burned',
      (m) => Object.assign(rootOf(m), { exerciseResult: completed('0.1') }),
    ],
    ['less is missing', (m) => Object.assign(rootOf(m), { exerciseResult: completed('0.3') })],
  ] satisfies [string, (message: PreparedTransaction) => void][]) {
    t.like(await inspected(amuletScenario('direct'), change), { kind: 'tampered' }, what);
  }
  // The same by a factory that the admin has not signed, or of another template.
  const scenario = amuletScenario('direct');
  for (const factory of [
    { ...scenario.factory, signatories: [MALLORY], stakeholders: [MALLORY] },
    { ...scenario.factory, template: ['Splice.ExternalPartyAmuletRules', 'Other'] as const },
  ]) {
    t.like(await inspected({ ...scenario, factory }), { kind: 'tampered' });
  }
  // And a Utility token has no fees at all.
  const seen = await inspected(registryScenario('direct'), (m) => {
    setField(createdBy(m, -1).argument, 'amount', v.numeric((9n * UNIT) / 5n));
    Object.assign(rootOf(m), { exerciseResult: completed('0.2') });
  });
  t.like(seen, { kind: 'tampered' });
});

test('the stakeholders of the holdings that were spent are not strangers: provider and operator', async (t) => {
  const stranger = await inspected(registryScenario('direct'), (m) => {
    createdBy(m, -1).stakeholders.push('provider::1220ff');
  });
  t.is(stranger.kind, 'tampered');
  const provider = create(registryHolding('00d2', ALICE, 2n * UNIT));
  t.true(provider.stakeholders.includes(PROVIDER));
});
