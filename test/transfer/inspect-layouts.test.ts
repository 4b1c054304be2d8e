// Holdings as their templates write them: fields that are left out, locks that have ended, templates that nobody knows.
import test from 'ava';
import { inspectPrepared } from '../../src/transfer/inspect.js';
import { messageOf, ownScenario, type Scenario, seal } from './prepared.js';
import {
  ALICE,
  amuletHolding,
  BOB,
  type Contract,
  NOW,
  ownHolding,
  REGISTRAR,
  UNIT,
} from './prepared-contracts.js';
import { amuletScenario, registryScenario } from './prepared-registry.js';
import { v } from './prepared-values.js';

const inspected = async (scenario: Scenario) =>
  inspectPrepared(await seal(messageOf(scenario)), scenario.expected);

const replaced = (scenario: Scenario, of: (contract: Contract) => Contract): Scenario => ({
  ...scenario,
  inputs: scenario.inputs.map(of),
  steps: scenario.steps.map((step) => {
    if ('create' in step) return { create: of(step.create) };
    return 'fetch' in step ? { fetch: of(step.fetch) } : { ...step, exercise: of(step.exercise) };
  }),
});

const locked = (until: bigint | null) =>
  v.some(
    v.record({
      holders: v.list([v.party(REGISTRAR)]),
      ...(until === null ? {} : { expiresAt: v.some(v.time(until)) }),
    }),
  );

test('an absent trailing lock is None; a lock that has ended by ledger time does not count; any other does', async (t) => {
  const withLock = (lock: Parameters<typeof v.some>[0] | null): Scenario =>
    replaced(ownScenario(), (contract) =>
      contract.id === '00c1' ? ownHolding('00c1', ALICE, 4n * UNIT, lock === null ? {} : { lock }) : contract,
    );
  t.like(await inspected(withLock(null)), { kind: 'ok' });
  // A factory that compares leaves the lock's end itself as the least ledger time.
  for (const lock of [locked(NOW - 1n), locked(NOW)]) t.like(await inspected(withLock(lock)), { kind: 'ok' });
  for (const lock of [locked(NOW + 1n), locked(null)]) {
    t.like(await inspected(withLock(lock)), { kind: 'tampered', reason: 'input: 00c1 is locked' });
  }
  t.like(await inspected(withLock(v.some(v.text('?')))), { kind: 'tampered' });
});

test('a LockedAmulet is locked until its lock ends', async (t) => {
  const scenario = replaced(amuletScenario('direct'), (contract) =>
    contract.id === '00c1' ? amuletHolding('00c1', ALICE, 4n * UNIT, NOW + 1n) : contract,
  );
  t.like(await inspected(scenario), { kind: 'tampered', reason: 'input: 00c1 is locked' });
});

/** DummyHolding of the token standard's tests: its template has neither lock nor instrument. */
const dummy = (contract: Contract): Contract => {
  if (contract.template[1] !== 'Holding') return contract;
  const units = { '00c1': 4n, '00c2': 3n, '00c7': 7n, '00d1': 5n, '00d2': 2n }[contract.id] ?? 0n;
  return {
    ...contract,
    template: ['A.Token', 'Money'],
    argument: v.record({
      issuer: v.party(REGISTRAR),
      held: v.record({ by: v.party(contract.id === '00d1' ? BOB : ALICE), amount: v.numeric(units * UNIT) }),
    }),
  };
};
const layout = { template: 'A.Token:Money', owner: 'held.by', amount: 'held.amount', admin: 'issuer' };

test('a template that nobody knows is signed where TOKENS_FILE describes it, and parks with that advice else', async (t) => {
  const scenario = replaced(registryScenario('direct'), dummy);
  const unknown = await inspected(scenario);
  t.is(unknown.kind, 'unsignable');
  if (unknown.kind === 'unsignable') {
    t.regex(unknown.reason, /^HOLDING_UNKNOWN: .*A\.Token:Money.*TOKENS_FILE \("holding"\), then replay$/);
  }
  const described = (change: object) =>
    inspected({ ...scenario, expected: { ...scenario.expected, layout: { ...layout, ...change } } });
  t.like(await described({}), { kind: 'ok' });
  t.like(await described({ owner: 'issuer' }), { kind: 'tampered' });
  t.like(await described({ admin: 'held.by' }), { kind: 'tampered' });
  t.like(await described({ amount: 'amount' }), { kind: 'tampered' });
  t.like(await described({ template: 'A.Token:Other' }), { kind: 'unsignable' });
});
