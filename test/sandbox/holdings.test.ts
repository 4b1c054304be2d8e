// Holdings as participants of several versions show them: what they leave out, views, locks with ends, reassignments.
import test, { type ExecutionContext } from 'ava';
import type { Record as DamlRecord } from '#proto/com/daml/ledger/api/v2/value.js';
import { type SandboxOptions, startSandbox } from '../../src/sandbox/index.js';
import { failing } from './client.js';
import { connect } from './setup.js';
import { toldByError } from './told.js';
import { HOLDING_INTERFACE, nowMicros } from './transfer-commands.js';

type Holdings = NonNullable<
  Parameters<Awaited<ReturnType<typeof startSandbox>>['createParties']>[0][number]['holdings']
>;

async function holder(t: ExecutionContext, holdings: Holdings, options: SandboxOptions = {}) {
  const sandbox = await startSandbox({
    timeScale: 0.01,
    latencyMs: 0,
    seed: t.title,
    registry: true,
    ...options,
  });
  t.teardown(() => sandbox.close());
  const [alice = '', bob = ''] = sandbox.createParties([{ hint: 'alice', holdings }, { hint: 'bob' }]);
  const client = connect(t, sandbox);
  const read = (how: { verbose?: boolean } = {}) =>
    client.active(alice, HOLDING_INTERFACE, { view: true, ...how });
  return { sandbox, client, alice, bob, read };
}

const labels = (record: DamlRecord | undefined) => record?.fields.map(({ label }) => label);
const field = (record: DamlRecord | undefined, label: string) =>
  record?.fields.find((it) => it.label === label)?.value;

for (const [apiVersion, told] of [
  ['3.4.3', true],
  ['3.4.4', false],
  ['3.7.0', false],
] as const) {
  test(`what is None at the end of a record is ${told ? 'told' : 'left out'} by ${apiVersion}`, async (t) => {
    const on = await holder(t, [{ token: 'USDCx', amount: '1' }], { apiVersion });
    const [event] = await on.read();
    t.is(labels(event?.createArguments)?.includes('lock'), told);
    const view = event?.interfaceViews[0]?.viewValue;
    t.deepEqual(labels(view), ['owner', 'instrumentId', 'amount', 'lock', 'meta'], 'what is within stays');
    const [bare] = await on.read({ verbose: false });
    t.is(bare?.createArguments?.fields.length, told ? 8 : 7);
  });
}

test('each token has a template of its own, and one view', async (t) => {
  const on = await holder(
    t,
    ['DEMO', 'USDCx', 'Amulet', 'GOLD'].map((token) => ({
      token,
      amount: '2.5',
      locked: token === 'Amulet' && { endsInMs: 1000 },
    })),
  );
  const events = await on.read();
  t.deepEqual(events.map(({ templateId }) => templateId?.entityName).sort(), [
    'CIP56Holding',
    'Deposit',
    'Holding',
    'LockedAmulet',
  ]);
  for (const { interfaceViews } of events) {
    const [view] = interfaceViews;
    t.is(view?.viewStatus?.code, 0);
    t.is(field(view?.viewValue, 'owner')?.party, on.alice);
    t.is(field(view?.viewValue, 'amount')?.numeric, '2.5000000000');
  }
});

test('a lock tells who holds it, until when or for how long, and what it is for', async (t) => {
  const locks = [{ endsInMs: 60_000, context: 'x' }, { forMs: 5_000, holders: ['carol::1220'] }, true];
  const on = await holder(
    t,
    locks.map((locked) => ({ token: 'DEMO', amount: '1', locked })),
  );
  const events = await on.read();
  const [ends, relative, forEver] = events.map(
    (it) => field(it.interfaceViews[0]?.viewValue, 'lock')?.optional?.value?.record,
  );
  t.deepEqual(labels(ends), ['holders', 'expiresAt', 'expiresAfter', 'context']);
  const end = Number(field(ends, 'expiresAt')?.optional?.value?.timestamp);
  t.true(end > nowMicros() && end < nowMicros() + 60_000_001);
  t.is(field(ends, 'expiresAfter')?.optional?.value, undefined);
  t.deepEqual(labels(relative), ['holders', 'expiresAt', 'expiresAfter']);
  t.is(field(relative, 'holders')?.list?.elements[0]?.party, 'carol::1220');
  t.deepEqual(labels(forEver), ['holders']);
});

test('a view that cannot be computed says why, and has no value', async (t) => {
  const on = await holder(t, [{ token: 'DEMO', amount: '1', count: 2 }]);
  const [first] = await on.read();
  on.sandbox.faults.add({
    on: 'StateService/GetActiveContracts',
    do: { kind: 'viewFails', contractIds: [first?.contractId ?? ''] },
  });
  const events = await on.read();
  for (const { contractId, interfaceViews } of events) {
    const [view] = interfaceViews;
    const fails = contractId === first?.contractId;
    t.is(view?.viewStatus?.code, fails ? 9 : 0);
    t.is(view?.viewValue === undefined, fails);
  }
});

test("an expired lock: the issuer's own factory refuses it, a lock can be released", async (t) => {
  const on = await holder(t, [{ token: 'DEMO', amount: '1', locked: { endsInMs: -60_000 } }]);
  const spec = { sender: on.alice, receiver: on.bob, amount: '1' };
  const inputs = await on.client.holdings(on.alice);
  const error = await failing(on.client.transfer({ ...spec, commandId: 'c1', inputs }));
  t.is(toldByError(error)?.errorInfo?.reason, 'DAML_FAILURE');
  t.deepEqual(await on.sandbox.control({ kind: 'release', party: on.alice }), { released: 1 });
  await on.client.transfer({ ...spec, commandId: 'c2', inputs: await on.client.holdings(on.alice) });
  t.is(on.sandbox.balances(on.bob).DEMO?.locked, 0);
});

for (const apiVersion of ['3.6.0', '3.7.0']) {
  test(`a holding that is reassigned, as ${apiVersion} tells it`, async (t) => {
    const on = await holder(t, [{ token: 'DEMO', amount: '1' }], { apiVersion });
    const inputs = await on.client.holdings(on.alice);
    const seen = async () =>
      (await on.client.entries(on.alice, HOLDING_INTERFACE)).map((it) => it.contractEntry);
    const move = (to: 'unassigned' | 'assigned' | 'away' | 'here') =>
      on.sandbox.control({ kind: 'reassign', party: on.alice, to });
    const told = apiVersion !== '3.7.0';
    await move('unassigned');
    t.deepEqual(await seen(), told ? ['incompleteUnassigned'] : []);
    await move('assigned');
    t.deepEqual(await seen(), told ? ['incompleteAssigned'] : []);
    await move('away');
    const [entry] = await on.client.entries(on.alice, HOLDING_INTERFACE);
    t.regex(entry?.activeContract?.synchronizerId ?? '', /^other-domain::/);
    const spec = { commandId: 'c1', sender: on.alice, receiver: on.bob, amount: '1', inputs };
    const refused = await failing(on.client.transfer(spec));
    t.is(toldByError(refused)?.errorInfo?.reason, 'UNKNOWN_CONTRACT_SYNCHRONIZERS');
    await move('here');
    t.deepEqual(await seen(), ['activeContract']);
    await on.client.transfer(spec);
    t.is(on.sandbox.balances(on.bob).DEMO?.holdings, 1);
  });
}

test('from 3.7 on a token says whom it is for', async (t) => {
  const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
  for (const [token, good] of [
    [jwt({ sub: 'u', aud: 'https://ledger' }), true],
    [jwt({ sub: 'u' }), false],
    ['opaque', false],
  ] as const) {
    const on = await startSandbox({ apiVersion: '3.7.0', token, seed: t.title });
    t.teardown(() => on.close());
    const client = connect(t, on);
    client.metadata.set('authorization', `Bearer ${token}`);
    if (good) await t.notThrowsAsync(client.ledgerEnd());
    else t.is((await failing(client.ledgerEnd())).code, 16);
  }
});
