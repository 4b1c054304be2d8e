// Money that cannot be spent now is still there: what is locked, unreadable, elsewhere or on its way waits, says so,
// and goes as soon as it can; `failed` is for a balance that is too small with all of it. Deduplication is off.
import test, { type ExecutionContext } from 'ava';
import { dbMillis } from '../../src/core/ids.js';
import type { Token } from '../../src/core/token.js';
import type { Store } from '../../src/ports/store.js';
import type { PartySpec, SandboxOptions } from '../../src/sandbox/index.js';
import { forBoth, one } from '../support/both.js';
import { givenBack, type Local, type LocalOptions, startLocal, tokensOf } from '../support/local.js';
import { createWorld, DEMO, type Parties, type User, type World } from '../support/world.js';
import { replay } from './ledger-network.js';

const USDCX = '0xc1A0000000000000000000000000000000000001';
const AMULET = '0xc1a0000000000000000000000000000000000003';
const GOLD = '0xc1A0000000000000000000000000000000000004';
/** In the smallest units of tokens with 6, 10 and 18 decimals: five. */
const FIVE: Readonly<Record<string, bigint>> = {
  [USDCX]: 5n * 10n ** 6n,
  [AMULET]: 5n * 10n ** 10n,
  [GOLD]: 5n * 10n ** 10n,
  [DEMO]: 5n * 10n ** 18n,
};

type Holdings = NonNullable<PartySpec['holdings']>;

interface Scene {
  readonly world: World;
  readonly alice: User;
  readonly bob: User;
  /** A transfer of five tokens, from alice to bob. */
  readonly hash: string;
  /** `tokens`: what TOKENS_FILE says of this one, and whether it describes its holdings. */
  start(
    options?: LocalOptions & { readonly tokens?: Partial<Token>; readonly describes?: false },
  ): Promise<Local>;
  /** The row was given back for this reason. */
  held(local: Local, reason: RegExp): Promise<string>;
  received(): string;
  /** What alice has of it. */
  left(): string;
}

/** Alice holds these and nothing else. A row may wait as long as it takes, unless a test says how often. */
async function scene(
  t: ExecutionContext,
  parties: Parties,
  contract: string,
  holdings: Holdings,
  options: SandboxOptions = {},
): Promise<Scene> {
  const world = await createWorld(t, { parties, dedup: false, registry: true, timeScale: 0.2, ...options });
  const [alice, bob] = [await world.user({ balance: 0 }), await world.user({ balance: 0 })];
  world.sandbox.createParties([{ party: alice.party, holdings }]);
  const hex = (FIVE[contract] ?? 0n).toString(16);
  const amountData = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  const hash = await world.insert({ from: alice, to: bob, contract, amountData });
  const [symbol = ''] = Object.keys(world.sandbox.balances(alice.party));
  return {
    world,
    alice,
    bob,
    hash,
    start: ({ settings, tokens = {}, describes = true, ...rest } = {}) =>
      startLocal(t, world, {
        settings: {
          tokens: saying(tokensOf(world), contract, tokens, describes),
          retry: { minMs: 20, maxMs: 100, maxAttempts: 10_000 },
          ...settings,
        },
        ...rest,
      }),
    held: async (local, reason) => (await givenBack(local, reason)).lastError,
    received: () => world.sandbox.balances(bob.party)[symbol]?.amount ?? '0',
    left: () => world.sandbox.balances(alice.party)[symbol]?.amount ?? '0',
  };
}

async function completes(t: ExecutionContext, { world, hash, received }: Scene): Promise<void> {
  await world.ended([hash]);
  const row = await world.row(hash);
  t.is(row.status, 'completed', row.last_error ?? '');
  t.is(received(), '5.0000000000');
  t.is(world.sandbox.audit.summary().doubleCommits, 0);
}

/** TOKENS_FILE, where it says something else of a token. */
function saying(
  tokens: Map<string, Token>,
  contract: string,
  change: Partial<Token>,
  describes: boolean,
): ReadonlyMap<string, Token> {
  const address = contract.toLowerCase();
  const token = tokens.get(address);
  if (token === undefined) throw new Error(`TOKENS_FILE has no ${contract}`);
  const { holding, ...undescribed } = token;
  return new Map([...tokens, [address, { ...(describes ? token : undescribed), ...change }]]);
}

forBoth('a holding whose lock is absent at its end is not locked', async (t, parties) => {
  const on = await scene(t, parties, USDCX, [{ token: 'USDCx', amount: '5' }]);
  const [event] = await onLedger(on);
  t.deepEqual(
    event,
    ['operator', 'provider', 'registrar', 'owner', 'instrument', 'label', 'amount'],
    'the participant leaves it out',
  );
  await on.start();
  await completes(t, on);
});

/** Labels of alice's holdings' records, as the participant shows them. */
async function onLedger({ world, alice }: Scene): Promise<(readonly string[])[]> {
  const { LedgerClient } = await import('../sandbox/client.js');
  const { HOLDING_INTERFACE } = await import('../sandbox/transfer-commands.js');
  const client = new LedgerClient(world.sandbox);
  try {
    const events = await client.active(alice.party, HOLDING_INTERFACE);
    return events.map((it) => it.createArguments?.fields.map(({ label }) => label) ?? []);
  } finally {
    client.close();
  }
}

forBoth(
  'amulets count by their view, and are signed for as their templates write them',
  async (t, parties) => {
    const on = await scene(t, parties, AMULET, [
      { token: 'Amulet', amount: '7' },
      { token: 'Amulet', amount: '2' },
    ]);
    await on.start();
    await completes(t, on);
    t.is(on.left(), '4.0000000000');
  },
);

for (const [apiVersion, who] of [
  ['3.4.8', 'external'],
  ['3.7.0', 'hosted'],
] as const) {
  one(`a holding of a template that nobody here knows, with ${apiVersion}`, who, async (t, parties) => {
    const on = await scene(t, parties, GOLD, [{ token: 'GOLD', amount: '3', count: 2 }], { apiVersion });
    await on.start();
    await completes(t, on);
    t.is(on.left(), '1.0000000000');
  });
}

forBoth(
  'a template that TOKENS_FILE does not describe: no view is needed of it but for a signature',
  async (t, parties) => {
    const on = await scene(t, parties, GOLD, [{ token: 'GOLD', amount: '5' }]);
    const local = await on.start({ describes: false });
    if (parties === 'hosted') return completes(t, on);
    t.regex(
      (await local.event('parked')).reason,
      /^HOLDING_UNKNOWN: .*Foreign\.Deposit:Deposit, .*TOKENS_FILE \("holding"\), then replay$/,
    );
    t.is(on.world.sandbox.audit.of(on.hash).length, 0);
    await local.stop();
    await on.start();
    await replay(on.world);
    await completes(t, on);
  },
);

forBoth('locked money counts as the sender’s: the row waits until it is released', async (t, parties) => {
  const on = await scene(t, parties, DEMO, [
    { token: 'DEMO', amount: '4' },
    { token: 'DEMO', amount: '6', locked: true },
  ]);
  const local = await on.start();
  const why = await on.held(local, /^BALANCE_HELD: DEMO: 5 needed, 4 can be spent: 6 locked by issuer::/);
  t.regex(why, /\(00[0-9a-f]+\)$/);
  t.is(on.world.sandbox.audit.of(on.hash).length, 0);
  await on.world.sandbox.control({ kind: 'release', party: on.alice.party });
  await completes(t, on);
});

/** The database's clock, held back by an hour until it is let go: what the ledger's says is not known to be later. */
function lateDatabase(): { readonly store: (store: Store) => Store; letGo(): void } {
  let behindMs = 3_600_000;
  return {
    store: (store) => ({
      ...store,
      async claim(request) {
        const reply = await store.claim(request);
        return reply.kind === 'claimed' ? { ...reply, now: dbMillis(reply.now - behindMs) } : reply;
      },
    }),
    letGo() {
      behindMs = 0;
    },
  };
}

/** For the database held back it ends in 50 minutes. */
const ENDS: Holdings = [{ token: 'Amulet', amount: '5', locked: { endsInMs: -600_000 } }];

forBoth('a lock that ends: the row waits for it, and goes then', async (t, parties) => {
  const on = await scene(t, parties, AMULET, ENDS);
  const { store, letGo } = lateDatabase();
  const local = await on.start({ store });
  await on.held(local, /^BALANCE_HELD: Amulet: .* locked by DSO::.* until 20\d\d-/);
  t.is(on.world.sandbox.audit.of(on.hash).length, 0);
  letGo();
  await completes(t, on);
});

test('a lock that ends later than the longest backoff: the row is not tried again until then (hosted)', async (t) => {
  const on = await scene(t, 'hosted', AMULET, ENDS);
  const { store } = lateDatabase();
  const local = await on.start({ store, settings: { retry: { minMs: 20, maxMs: 60_000, maxAttempts: 9 } } });
  t.is((await givenBack(local, /^BALANCE_HELD: /)).wait, local.settings.retry.maxMs);
});

/** An hour ago. */
const ENDED = { endsInMs: -3_600_000, context: 'an offer' };

for (const [contract, token, who] of [
  [AMULET, 'Amulet', 'external'],
  [GOLD, 'GOLD', 'hosted'],
] as const) {
  one(
    `a holding whose lock has ended is spent where the registry takes it: ${token}`,
    who,
    async (t, parties) => {
      const on = await scene(t, parties, contract, [
        { token, amount: '1' },
        { token, amount: '4', locked: ENDED },
      ]);
      await on.start();
      await completes(t, on);
    },
  );

  one(`what was locked until lately is spent last: ${token}`, who, async (t, parties) => {
    const on = await scene(t, parties, contract, [
      { token, amount: '9', locked: ENDED },
      { token, amount: '3', count: 2 },
    ]);
    await on.start();
    await completes(t, on);
    t.deepEqual(on.world.sandbox.balances(on.alice.party)[token], {
      amount: '10.0000000000',
      holdings: 2,
      locked: 1,
    });
  });
}

forBoth(
  'where TOKENS_FILE says that a registry does not take expired locks, a row waits for the release',
  async (t, parties) => {
    const on = await scene(t, parties, AMULET, [{ token: 'Amulet', amount: '6', locked: ENDED }]);
    const local = await on.start({ tokens: { takesExpiredLocks: false } });
    await on.held(local, /^BALANCE_HELD: Amulet: .*DSO::\S+ has to release 00[0-9a-f]+$/);
    await on.world.sandbox.control({ kind: 'release', party: on.alice.party });
    await completes(t, on);
  },
);

forBoth(
  "a lock that has ended on our own issuer's token waits, and says who has to release what",
  async (t, parties) => {
    const on = await scene(t, parties, DEMO, [
      { token: 'DEMO', amount: '5', locked: { endsInMs: -3_600_000 } },
    ]);
    const local = await on.start();
    const why = await on.held(local, /^BALANCE_HELD: /);
    t.regex(why, /does not accept expired locks: issuer::\S+ has to release 00[0-9a-f]+$/);
    await on.world.sandbox.control({ kind: 'release', party: on.alice.party });
    await completes(t, on);
  },
);

forBoth(
  'a factory that refuses a lock that has ended does not fail the row: it parks, and says what to set',
  async (t, parties) => {
    const on = await scene(t, parties, DEMO, [
      { token: 'DEMO', amount: '5', locked: { endsInMs: -3_600_000 } },
    ]);
    const local = await on.start({
      settings: { retry: { minMs: 20, maxMs: 100, maxAttempts: 2 } },
      tokens: { takesExpiredLocks: true },
    });
    const { reason } = await local.event('parked');
    t.regex(reason, /^DAML_FAILURE: .*must not be locked.*"takesExpiredLocks": false/);
    t.is((await on.world.row(on.hash)).status, 'pending');
  },
);

forBoth(
  'a holding whose view cannot be computed may be money: the row waits, and says so',
  async (t, parties) => {
    const on = await scene(t, parties, DEMO, [{ token: 'DEMO', amount: '3', count: 2 }]);
    const fails = on.world.sandbox.faults.add({
      on: 'StateService/GetActiveContracts',
      match: { party: on.alice.party },
      do: { kind: 'viewFails' },
    });
    const local = await on.start();
    const why = await on.held(
      local,
      /^BALANCE_HELD: DEMO: 5 needed, 0 can be spent: CIP56\.Token:CIP56Holding 00/,
    );
    t.regex(why, /its view cannot be computed \(9: .*\), and 1 more$/);
    on.world.sandbox.faults.remove(fails.id);
    await completes(t, on);
  },
);

forBoth(
  'a party that the participant does not host is not poor: its row waits, and says so',
  async (t, parties) => {
    const on = await scene(t, parties, DEMO, [{ token: 'DEMO', amount: '5' }]);
    const movesTo = (party: string): Promise<unknown> =>
      on.world.db.query('update users set canton_party_id = $1 where evm_address = $2', [
        party,
        on.alice.address,
      ]);
    await movesTo(`elsewhere::1220${'ab'.repeat(32)}`);
    const local = await on.start();
    await on.held(
      local,
      /^BALANCE_HELD: DEMO: .* does not host elsewhere::\S+ now: correct its row in users/,
    );
    await movesTo(on.alice.party);
    await completes(t, on);
  },
);

forBoth(
  'a participant that is not connected makes nobody poor, and no row is used up',
  async (t, parties) => {
    const on = await scene(t, parties, DEMO, []);
    const reconnects = on.world.sandbox.faults.add({
      on: 'StateService/GetConnectedSynchronizers',
      do: { kind: 'tellsNoSynchronizer' },
    });
    const local = await on.start();
    await local.event(
      'settled',
      ({ verdict }) => verdict.kind === 'pending' && /^NOT_CONNECTED: /.test(verdict.lastError ?? ''),
    );
    t.like(await on.world.row(on.hash), { status: 'pending', attempts: 0 });
    on.world.sandbox.faults.remove(reconnects.id);
    await on.world.ended([on.hash]);
    t.is((await on.world.row(on.hash)).status, 'failed', 'too little, now that it is known');
  },
);

forBoth(
  'a holding in reassignment, or on another synchronizer, counts as the sender’s: the row waits',
  async (t, parties) => {
    const on = await scene(t, parties, DEMO, [{ token: 'DEMO', amount: '5' }]);
    const move = (to: 'unassigned' | 'assigned' | 'away' | 'here') =>
      on.world.sandbox.control({ kind: 'reassign', party: on.alice.party, to });
    await move('unassigned');
    const local = await on.start();
    await on.held(local, /^BALANCE_HELD: DEMO: .* 5 in reassignment to other-domain::/);
    await move('away');
    await on.held(local, /^BALANCE_HELD: DEMO: .* 5 active on other-domain::\S+: reassign it to ours/);
    t.is(on.world.sandbox.audit.of(on.hash).length, 0, 'it is not chosen there');
    await move('here');
    await completes(t, on);
  },
);

forBoth(
  'what a participant of 3.7 does not tell may be in reassignment, where there are several synchronizers',
  async (t, parties) => {
    const on = await scene(t, parties, DEMO, [{ token: 'DEMO', amount: '5' }], { apiVersion: '3.7.0' });
    const move = (to: 'unassigned' | 'here') =>
      on.world.sandbox.control({ kind: 'reassign', party: on.alice.party, to });
    await move('unassigned');
    const local = await on.start();
    await on.held(local, /^BALANCE_HELD: DEMO: 5 needed, 0 can be spent.* more may be in reassignment/);
    await move('here');
    await completes(t, on);
  },
);

test('where the token may not ask for synchronizers, a participant of 3.7 cannot prove a lack of money (hosted)', async (t) => {
  const on = await scene(t, 'hosted', DEMO, [{ token: 'DEMO', amount: '4' }], { apiVersion: '3.7.0' });
  const refused = on.world.sandbox.faults.add({
    on: 'StateService/GetConnectedSynchronizers',
    do: { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } },
  });
  const local = await on.start();
  await on.held(local, /^BALANCE_HELD: DEMO: 5 needed, .* and this token may not ask for its synchronizers/);
  t.false(local.events.some(({ kind }) => kind === 'breaker'));
  on.world.sandbox.faults.remove(refused.id);
  await on.world.ended([on.hash]);
  t.is((await on.world.row(on.hash)).error_message, 'Insufficient balance.');
});

forBoth(
  'money that stays held parks its row with the reason, when its attempts are used up',
  async (t, parties) => {
    const on = await scene(t, parties, DEMO, [{ token: 'DEMO', amount: '5', locked: true }]);
    const local = await on.start({ settings: { retry: { minMs: 20, maxMs: 100, maxAttempts: 3 } } });
    t.regex(
      (await local.event('parked')).reason,
      /^BALANCE_HELD: DEMO: .* locked by issuer::.* \(after 3 attempts\)$/,
    );
    const row = await on.world.row(on.hash);
    t.like(row, { status: 'pending', parked: true, sent_until: null });
  },
);

for (const [apiVersion, who] of [
  ['3.4.8', 'hosted'],
  ['3.7.0', 'external'],
] as const) {
  one(
    `everything together too small, locked or not, is an insufficient balance, with ${apiVersion}`,
    who,
    async (t, parties) => {
      const on = await scene(
        t,
        parties,
        DEMO,
        [
          { token: 'DEMO', amount: '2' },
          { token: 'DEMO', amount: '2', locked: true },
          { token: 'USDCx', amount: '100' },
        ],
        { apiVersion },
      );
      await on.start();
      await on.world.ended([on.hash]);
      const row = await on.world.row(on.hash);
      t.is(row.error_message, 'Insufficient balance.');
      t.is(row.last_error, 'INSUFFICIENT_BALANCE: DEMO: 5 needed, 2 can be spent, 4 owned in all');
    },
  );
}

forBoth(
  'more than a hundred pieces go in one transfer where the factory has no such limit',
  async (t, parties) => {
    const on = await scene(t, parties, DEMO, [{ token: 'DEMO', amount: '0.04', count: 130 }]);
    await on.start();
    await completes(t, on);
    t.is(on.world.sandbox.balances(on.alice.party).DEMO?.holdings, 5, '125 of them went');
  },
);
