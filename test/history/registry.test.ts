// Tokens of another issuer, through its registry, for either way to submit: those that move at once, those that make an
// offer, and a registry that is away or says something else than TOKENS_FILE. Deduplication is off.
import { settleByUpdate } from '../../src/cli/replay/completed.js';
import { loadConfig } from '../../src/config.js';
import type { TxHash } from '../../src/core/ids.js';
import type { Token } from '../../src/core/token.js';
import { registryTokens, type SandboxOptions, type TokenSpec } from '../../src/sandbox/index.js';
import { openDatabase } from '../../src/store/pool.js';
import { forBoth, one } from '../support/both.js';
import { type Local, startLocal, tokensOf } from '../support/local.js';
import { createWorld, DEMO, type Parties, type User, type World } from '../support/world.js';
import { createNetwork, replay } from './ledger-network.js';

const USDCX = '0xc1A0000000000000000000000000000000000001';
const EURO = '0xc1A0000000000000000000000000000000000002';
const DEMO_TOKEN = { address: DEMO, name: 'Demo', symbol: 'DEMO', decimals: 18 };
/** 2.5 with six decimals. */
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

/** A world in which USDCx does what the registry's rules say, whatever TOKENS_FILE promises. */
async function rules(
  t: Parameters<typeof createWorld>[0],
  parties: Parties,
  registry: TokenSpec['registry'],
) {
  const tokens = registryTokens.map((token) => ({ ...token, ...(registry && { registry }) }));
  const made = await market(t, parties, { tokens: [DEMO_TOKEN, ...tokens] });
  const told = tokensOf(made.world);
  for (const [address, token] of told) told.set(address, { ...token, steps: 1 });
  return { ...made, settings: { tokens: told } };
}

one(
  'I5 the ledger accepts, and the rules of the token move nothing: not completed, and a person is told',
  'hosted',
  async (t, parties) => {
    const { world, alice, bob, holds, settings } = await rules(t, parties, 'fails');
    const local = await startLocal(t, world, { settings });
    const hash = await world.insert({ from: alice, to: bob, contract: USDCX, amountData: AMOUNT });
    t.regex((await local.event('parked')).reason, /^NOT_MOVED: .*moved nothing/);
    const row = await world.row(hash);
    t.like(row, { status: 'pending', parked: true, sent_until: null });
    t.is(holds(bob, 'USDCx').amount, '0.0');
    t.is(holds(alice, 'USDCx').amount, '10.0');
    t.is(world.sandbox.audit.of(hash).length, 1);

    // Nor by hand.
    const update = /update (\w+)/.exec(row.last_error ?? '')?.[1] ?? '';
    const config = loadConfig({ ...world.sandbox.env, DATABASE_URL: world.db.url });
    const database = openDatabase({ url: world.db.url });
    t.teardown(() => database.close());
    const result = await settleByUpdate(config, database, { hash: hash as TxHash, update, dryRun: false });
    t.like(result, { kind: 'refused' });
    if (result.kind === 'refused') t.regex(result.why, /the token's rules moved nothing/);
  },
);

one('a transfer that moves nothing is not signed', 'external', async (t, parties) => {
  const { world, alice, bob, settings } = await rules(t, parties, 'fails');
  const local = await startLocal(t, world, { settings });
  const hash = await world.insert({ from: alice, to: bob, contract: USDCX, amountData: AMOUNT });
  t.regex((await local.event('parked')).reason, /^TAMPERED: /);
  t.is(world.sandbox.audit.of(hash).length, 0);
});

/** The registry says `direct`, and its factory makes an offer all the same. */
const SAYS_DIRECT = {
  on: 'Registry/TransferFactory',
  do: { kind: 'wrongAnswer', what: 'otherKind' },
} as const;

one(
  'I5 an offer made behind one step of TOKENS_FILE is not completed, whether it was heard of or found; once two steps are set, it is',
  'hosted',
  async (t, parties) => {
    const { world, alice, bob, settings } = await rules(t, parties, 'offer');
    world.sandbox.faults.add(SAYS_DIRECT);
    const local = await startLocal(t, world, { settings });
    const heard = await world.insert({ from: alice, to: bob, contract: USDCX, amountData: AMOUNT });
    t.regex(
      (await local.event('parked', ({ txHash }) => txHash === heard)).reason,
      /^OFFER_MADE: .*has yet to accept/,
    );
    world.sandbox.faults.add({
      on: 'submit',
      times: 1,
      do: { kind: 'dropAnswer', how: { grpc: 'UNAVAILABLE' } },
    });
    const found = await world.insert({ from: alice, to: bob, contract: USDCX, amountData: AMOUNT });
    t.regex((await local.event('parked', ({ txHash }) => txHash === found)).reason, /^OFFER_MADE: /);
    for (const hash of [heard, found]) t.not((await world.row(hash)).sent_until, null);

    setToken(local, USDCX, { steps: 2, offerIsDone: true });
    await replay(world);
    await world.ended([heard, found]);
    for (const hash of [heard, found]) {
      const row = await world.row(hash);
      t.is(row.status, 'completed', row.last_error ?? '');
      t.regex(row.last_error ?? '', /^OFFERED: /);
      t.is(world.sandbox.audit.of(hash).length, 1);
    }
  },
);

one(
  'I9 what an accepted transfer came to is asked for until it is told; where it may not be asked, its row says so',
  'hosted',
  async (t, parties) => {
    const { world, alice, bob } = await market(t, parties);
    const read = 'UpdateService/GetUpdateById';
    world.sandbox.faults.add({ on: read, times: 1, do: { kind: 'refuse', with: { grpc: 'UNAVAILABLE' } } });
    world.sandbox.faults.add({
      on: read,
      times: 1,
      do: { kind: 'refuse', with: { error: 'UPDATE_NOT_FOUND' } },
    });
    await startLocal(t, world);
    const later = await world.insert({ from: alice, to: bob, contract: USDCX, amountData: AMOUNT });
    await world.ended([later]);
    const told = await world.row(later);
    t.is(told.status, 'completed');
    t.notRegex(told.last_error ?? '', /^RESULT_UNREAD/);

    world.sandbox.faults.add({ on: read, do: { kind: 'refuse', with: { grpc: 'PERMISSION_DENIED' } } });
    const never = await world.insert({ from: alice, to: bob, contract: USDCX, amountData: AMOUNT });
    await world.ended([never]);
    const row = await world.row(never);
    t.is(row.status, 'completed');
    t.regex(row.last_error ?? '', /^RESULT_UNREAD: .*PERMISSION_DENIED/);
    for (const hash of [later, never]) t.is(world.sandbox.audit.of(hash).length, 1);
  },
);

forBoth(
  'P2 a transfer through a registry is found as it was sent, whatever its row and users say since',
  async (t, parties) => {
    const { world, alice, bob, holds } = await market(t, parties);
    const network = createNetwork(async () => {
      await world.db.query(`update mempool set amount_data = '\\x01' where from_address = $1`, [
        alice.address,
      ]);
      await world.db.query('delete from users where evm_address = $1', [bob.address]);
    });
    network.next('lose-answer');
    await startLocal(t, world, { ledger: network.wrap });
    const hash = await world.insert({ from: alice, to: bob, contract: USDCX, amountData: AMOUNT });
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    t.is(holds(bob, 'USDCx').amount, '2.5');
    t.is(network.requests.length, 1);
  },
);
