// What is signed, end to end: the scheme in force, promises that nobody asked for, tokens that nobody can look into.

import test from 'ava';
import type { Token } from '../../src/core/token.js';
import { type Local, startLocal } from '../support/local.js';
import { PREPARE } from '../support/paced-sandbox.js';
import { createWorld, type World } from '../support/world.js';

const USDCX = '0xc1A0000000000000000000000000000000000001';
/** 2.5, of six decimals. */
const AMOUNT = Buffer.from((2_500_000).toString(16).padStart(6, '0'), 'hex');

for (const [apiVersion, scheme] of [
  ['3.4.8', 2],
  ['3.5.7', 3],
  ['3.6.0', 3],
] as const) {
  test(`on ${apiVersion} an external sender's transfer is signed under V${scheme}, and the record says so`, async (t) => {
    const world = await createWorld(t, { parties: 'external', dedup: false, apiVersion });
    const [alice, bob] = [await world.user(), await world.user()];
    const recorded: (number | undefined)[] = [];
    const local = await startLocal(t, world, {
      store: (store) => ({
        ...store,
        writeAhead(claim, record, generation) {
          recorded.push(record.hash?.scheme);
          return store.writeAhead(claim, record, generation);
        },
      }),
    });
    const hash = await world.insert({ from: alice, to: bob });
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    t.deepEqual(
      local.events.filter((event) => event.kind === 'hashing-scheme'),
      [{ kind: 'hashing-scheme', scheme }],
    );
    t.deepEqual(recorded, [scheme]);
    t.deepEqual(await world.audit(), []);
  });
}

test('under V3 a participant that executes past the signed bound gets nowhere; the row goes again', async (t) => {
  const world = await createWorld(t, { parties: 'external', dedup: false, apiVersion: '3.5.7' });
  const [alice, bob] = [await world.user(), await world.user()];
  await startLocal(t, world);
  world.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'extendBound' } });
  const hash = await world.insert({ from: alice, to: bob });
  await world.ended([hash]);
  t.is((await world.row(hash)).status, 'completed');
  t.deepEqual(
    world.sandbox.audit.of(hash).map(({ outcome }) => outcome?.kind),
    ['refused', 'accepted'],
  );
});

test('contract keys: signed where there is V3, parked with that advice where there is not', async (t) => {
  for (const apiVersion of ['3.5.7', '3.4.8']) {
    const world = await createWorld(t, { parties: 'external', dedup: false, apiVersion });
    const [alice, bob] = [await world.user(), await world.user()];
    const local = await startLocal(t, world);
    world.sandbox.faults.add({ on: PREPARE, do: { kind: 'contractKeys' } });
    const hash = await world.insert({ from: alice, to: bob });
    if (apiVersion === '3.5.7') {
      await world.ended([hash]);
      t.is((await world.row(hash)).status, 'completed');
      continue;
    }
    t.regex((await local.event('parked')).reason, /^SCHEME: only V3 .*protocol version 35.*replay$/);
    t.is(world.sandbox.audit.of(hash).length, 0);
  }
});

async function market(
  t: Parameters<typeof createWorld>[0],
): Promise<{ world: World; local: Local; pay(): Promise<string> }> {
  const world = await createWorld(t, { parties: 'external', dedup: false, registry: true });
  const [alice, bob] = [await world.user(), await world.user({ balance: 0 })];
  world.sandbox.createParties([{ party: alice.party, holdings: [{ token: 'USDCx', amount: '10' }] }]);
  const local = await startLocal(t, world);
  return {
    world,
    local,
    pay: () => world.insert({ from: alice, to: bob, contract: USDCX, amountData: AMOUNT }),
  };
}

test('a promise beside a registry transfer is not signed: the row parks, loudly, and nothing was sent', async (t) => {
  const { world, local, pay } = await market(t);
  world.sandbox.faults.add({ on: PREPARE, times: 1, do: { kind: 'tamper', what: 'promise' } });
  const hash = await pay();
  t.regex(
    (await local.event('parked')).reason,
    /^TAMPERED: promise: a .*TransferOffer that the sender signs$/,
  );
  t.true(local.events.some((event) => event.kind === 'alarm' && event.txHash === hash));
  t.is(world.sandbox.audit.of(hash).length, 0);
  // The honest one beside it is signed.
  await world.ended([await pay()]);
});

test("TOKENS_FILE's description of a holding is what its inputs are read by", async (t) => {
  const { world, local, pay } = await market(t);
  const tokens = local.settings.tokens as Map<string, Token>;
  const token = tokens.get(USDCX.toLowerCase());
  if (token === undefined) return t.fail();
  const layout = { owner: 'owner', amount: 'amount', admin: 'registrar', id: 'instrument.id', lock: 'lock' };
  const describe = (template: string) =>
    tokens.set(USDCX.toLowerCase(), { ...token, holding: { ...layout, template } });
  describe('Another.Registry:Holding');
  const unknown = await pay();
  t.regex(
    (await local.event('parked')).reason,
    /^HOLDING_UNKNOWN: .*Utility\.Registry\.Holding\.V0\.Holding:Holding.*TOKENS_FILE \("holding"\), then replay$/,
  );
  t.is(world.sandbox.audit.of(unknown).length, 0);
  describe('Utility.Registry.Holding.V0.Holding:Holding');
  const known = await pay();
  await world.ended([known]);
  t.is((await world.row(known)).status, 'completed');
});
