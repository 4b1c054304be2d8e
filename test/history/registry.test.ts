// Tokens of another issuer, through its registry, for either way to submit: those that move at once, those that make an
// offer, and a registry that is away or says something else than TOKENS_FILE. Deduplication is off.
import type { Token } from '../../src/core/token.js';
import { registryTokens, type SandboxOptions } from '../../src/sandbox/index.js';
import { forBoth, one } from '../support/both.js';
import { type Local, startLocal, tokensOf } from '../support/local.js';
import { createWorld, DEMO, type Parties, type User, type World } from '../support/world.js';
import { replay } from './ledger-network.js';

const USDCX = '0xc1A0000000000000000000000000000000000001';
const EURO = '0xc1A0000000000000000000000000000000000002';
const DEMO_TOKEN = { address: DEMO, name: 'Demo', symbol: 'DEMO', decimals: 18 };
/** Of six decimals. */
const AMOUNT = Buffer.from((2_500_000).toString(16).padStart(6, '0'), 'hex');

interface Market {
  readonly world: World;
  readonly alice: User;
  readonly bob: User;
  holds(who: User, token: string): { amount: string; locked: number };
}

async function market(
  t: Parameters<typeof createWorld>[0],
  parties: Parties,
  options: SandboxOptions = {},
): Promise<Market> {
  const world = await createWorld(t, { parties, dedup: false, registry: true, ...options });
  const [alice, bob] = [await world.user(), await world.user({ balance: 0 })];
  const holdings = ['USDCx', 'EURO'].map((token) => ({ token, amount: '10' }));
  world.sandbox.createParties([{ party: alice.party, holdings }]);
  return {
    world,
    alice,
    bob,
    holds(who, token) {
      const { amount = '0', locked = 0 } = world.sandbox.balances(who.party)[token] ?? {};
      return { amount: Number(amount).toFixed(1), locked };
    },
  };
}

/** TOKENS_FILE as this instance has it. */
function setToken(local: Local, contract: string, change: Partial<Token>): void {
  const tokens = local.settings.tokens as Map<string, Token>;
  const token = tokens.get(contract.toLowerCase());
  if (token !== undefined) tokens.set(contract.toLowerCase(), { ...token, ...change });
}

forBoth(
  'a token of another issuer moves through its registry, and is looked up by its content',
  async (t, parties) => {
    const { world, alice, bob, holds } = await market(t, parties);
    await startLocal(t, world);
    const hash = await world.insert({ from: alice, to: bob, contract: USDCX, amountData: AMOUNT });
    await world.ended([hash]);
    const row = await world.row(hash);
    t.is(row.status, 'completed');
    t.notRegex(row.last_error ?? '', /^OFFERED/);
    t.is(world.sandbox.audit.of(hash).length, 1);
    t.deepEqual(holds(bob, 'USDCx'), { amount: '2.5', locked: 0 });
    t.deepEqual(holds(alice, 'USDCx'), { amount: '7.5', locked: 0 });
  },
);

forBoth('a choice context goes to the ledger whatever it holds', async (t, parties) => {
  const { world, alice, bob, holds } = await market(t, parties);
  world.sandbox.faults.add({ on: 'Registry/TransferFactory', do: { kind: 'moreContext' } });
  await startLocal(t, world);
  const hash = await world.insert({ from: alice, to: bob, contract: USDCX, amountData: AMOUNT });
  await world.ended([hash]);
  const row = await world.row(hash);
  t.is(row.status, 'completed', row.last_error ?? '');
  t.deepEqual(holds(bob, 'USDCx'), { amount: '2.5', locked: 0 });
});

forBoth('a registry at the root of its host, as Splice has it, is found there', async (t, parties) => {
  const { world, alice, bob, holds } = await market(t, parties, { registryPath: 'root' });
  await startLocal(t, world);
  const hash = await world.insert({ from: alice, to: bob, contract: USDCX, amountData: AMOUNT });
  await world.ended([hash]);
  t.is((await world.row(hash)).status, 'completed');
  t.deepEqual(holds(bob, 'USDCx'), { amount: '2.5', locked: 0 });
});

forBoth(
  'a token of two steps parks before anything is sent; where an offer counts, its row says that it is one',
  async (t, parties) => {
    const { world, alice, bob, holds } = await market(t, parties);
    const local = await startLocal(t, world);
    const hash = await world.insert({ from: alice, to: bob, contract: EURO, amountData: AMOUNT });
    t.regex((await local.event('parked')).reason, /^TWO_STEP_TOKEN: .*"offerIsDone": true/);
    t.is(world.sandbox.audit.of(hash).length, 0);
    t.is((await world.row(hash)).sent_until, null);

    setToken(local, EURO, { offerIsDone: true });
    await replay(world);
    await world.ended([hash]);
    const row = await world.row(hash);
    t.is(row.status, 'completed');
    t.regex(row.last_error ?? '', /^OFFERED: .*has yet to accept/);
    t.is(world.sandbox.audit.of(hash).length, 1);
    t.is(holds(bob, 'EURO').amount, '0.0');
  },
);

for (const [symbol, who] of [
  ['USDCx', 'external'],
  ['Amulet', 'external'],
  ['GOLD', 'external'],
  ['GOLD', 'hosted'],
] as const) {
  one(`an offer of ${symbol}: what is offered is locked, and no more is signed`, who, async (t, parties) => {
    const tokens = registryTokens.map((token) => ({ ...token, registry: 'offer' as const }));
    const world = await createWorld(t, { parties, dedup: false, tokens: [DEMO_TOKEN, ...tokens] });
    const [alice, bob] = [await world.user(), await world.user({ balance: 0 })];
    const holdings = [{ token: symbol, amount: '2', count: 2 }];
    world.sandbox.createParties([{ party: alice.party, holdings }]);
    const told = tokensOf(world);
    for (const [address, token] of told) told.set(address, { ...token, offerIsDone: true });
    await startLocal(t, world, { settings: { tokens: told } });
    const { address = '', decimals = 0 } = tokens.find((token) => token.symbol === symbol) ?? {};
    const units = (25n * 10n ** BigInt(decimals - 1)).toString(16);
    const amountData = Buffer.from(units.padStart(16, '0'), 'hex');
    const hash = await world.insert({ from: alice, to: bob, contract: address, amountData });
    await world.ended([hash]);
    const row = await world.row(hash);
    t.is(row.status, 'completed', row.last_error ?? '');
    t.regex(row.last_error ?? '', /^OFFERED: /);
    t.deepEqual(world.sandbox.balances(alice.party)[symbol], {
      amount: '4.0000000000',
      holdings: 2,
      locked: 1,
    });
    t.is(world.sandbox.balances(bob.party)[symbol], undefined);
  });
}

forBoth('an offer where TOKENS_FILE promises one step is not sent', async (t, parties) => {
  const { world, alice, bob } = await market(t, parties);
  const local = await startLocal(t, world);
  setToken(local, EURO, { steps: 1 });
  const hash = await world.insert({ from: alice, to: bob, contract: EURO, amountData: AMOUNT });
  t.regex((await local.event('parked')).reason, /^UNEXPECTED_OFFER: .*"steps": 2/);
  t.is(world.sandbox.audit.of(hash).length, 0);
});

forBoth(
  'a registry that is away holds up its own token alone; nothing fails or parks, and it goes on by itself',
  async (t, parties) => {
    const { world, alice, bob } = await market(t, parties);
    const carol = await world.user();
    const local = await startLocal(t, world);
    const away = world.sandbox.faults.add({
      on: 'Registry/TransferFactory',
      do: { kind: 'httpStatus', status: 503 },
    });
    const waits = await world.insert({ from: alice, to: bob, contract: USDCX, amountData: AMOUNT });
    await local.event('breaker', (event) => event.state === 'open' && (event.key ?? '').startsWith('token:'));
    const goesOn = await world.insert({ from: carol, to: bob });
    await world.ended([goesOn]);
    t.is((await world.row(waits)).status, 'pending');
    t.false((await world.row(waits)).parked);
    world.sandbox.faults.remove(away.id);
    await world.ended([waits]);
    t.is((await world.row(waits)).status, 'completed');
    t.is(world.sandbox.audit.of(waits).length, 1);
  },
);
