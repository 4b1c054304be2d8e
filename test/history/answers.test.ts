// What an answer means for the row, for the others, and for how much is in flight: over real gRPC, hosted and external.
import test from 'ava';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { forBoth, one } from '../support/both.js';
import { type Local, startLocal } from '../support/local.js';
import { createLooks, endBound } from '../support/looks.js';
import { PREPARE } from '../support/paced-sandbox.js';
import { createWorld, type Parties, type User, type World } from '../support/world.js';

/** The first call in which the ledger sees the whole request. */
const FIRST: Readonly<Record<Parties, string>> = { hosted: 'submit', external: PREPARE };

/** So few attempts that what is counted wrongly parks. */
const SETTINGS = {
  probeMs: 100,
  pollMs: 50,
  retry: { minMs: 10, maxMs: 100, maxAttempts: 4 },
};

const users = (world: World, count: number): Promise<User[]> =>
  Promise.all(Array.from({ length: count }, () => world.user()));

/** One transfer of each to the next. */
const ring = (world: World, all: readonly User[]): Promise<string[]> =>
  Promise.all(all.map((from, index) => world.insert({ from, to: all[(index + 1) % all.length] ?? from })));

type BreakerEvent = Extract<SubmitterEvent, { kind: 'breaker' }>;
const breakers = (local: Local, fits: (event: BreakerEvent) => boolean): number =>
  local.events.filter((event) => event.kind === 'breaker' && fits(event)).length;
const alarms = (local: Local, what: RegExp): number =>
  local.events.filter((event) => event.kind === 'alarm' && what.test(event.what)).length;
const parkings = (local: Local): number => local.events.filter(({ kind }) => kind === 'parked').length;

forBoth('one wrong setting fails and parks nothing: the token waits, loudly', async (t, parties) => {
  const world = await createWorld(t, { parties, timeScale: 0.2 });
  const all = await users(world, 12);
  const wrong = world.sandbox.faults.add({
    on: FIRST[parties],
    do: { kind: 'refuse', with: { error: 'INVALID_FIELD', cause: 'synchronizer_id: cannot be parsed' } },
  });
  const local = await startLocal(t, world, { settings: SETTINGS });
  const hashes = await ring(world, all);
  await local.event('breaker', ({ state, key }) => state === 'open' && (key?.startsWith('token:') ?? true));
  const tries = (): number => wrong.hits;
  const from = tries();
  await world.until('probes go on', () => tries() >= from + 10);
  t.is(parkings(local), 0);
  for (const hash of hashes) t.is((await world.row(hash)).status, 'pending');
  // When it begins, and when it turns out to be more than one row's trouble.
  for (const whose of [/^MALFORMED: .* a request for .*INVALID_FIELD/, /^MALFORMED: .* our requests for /])
    t.is(alarms(local, whose), 1, 'it does not repeat itself');
  t.is(alarms(local, /^MALFORMED/), 2);

  world.sandbox.faults.remove(wrong.id);
  await world.ended(hashes);
  for (const hash of hashes) t.is((await world.row(hash)).status, 'completed');
  t.deepEqual(await world.audit(), []);
});

forBoth('one odd row parks after its attempts, and does not hold up the others', async (t, parties) => {
  const world = await createWorld(t, { parties, timeScale: 0.2 });
  const [alice, bob, carol, odd] = (await users(world, 4)) as [User, User, User, User];
  const fault = world.sandbox.faults.add({
    on: FIRST[parties],
    match: { receiver: odd.party },
    do: { kind: 'refuse', with: { error: 'INVALID_FIELD' } },
  });
  const local = await startLocal(t, world, { settings: SETTINGS });
  // The first preparation of a connection is asked for in V3, then in V2: that is over.
  const good = [await world.insert({ from: carol, to: bob })];
  await world.ended(good);
  const hash = await world.insert({ from: alice, to: odd });
  for (let nonce = 1; nonce < 5; nonce++) {
    good.push(await world.insert({ from: carol, to: bob, nonce }));
    await world.ended(good);
  }
  await local.event('parked', (event) => event.txHash === hash);
  const { maxAttempts } = SETTINGS.retry;
  t.like(await world.row(hash), {
    status: 'pending',
    parked: true,
    sent_until: null,
    attempts: maxAttempts,
  });
  t.is(fault.hits, maxAttempts);
  t.is(
    breakers(local, ({ state }) => state === 'open'),
    0,
  );
  t.deepEqual(await world.audit(), []);
});

forBoth(
  'a receiver that stays refused parks after its attempts, and frees the sender’s lane',
  async (t, parties) => {
    const world = await createWorld(t, { parties, timeScale: 0.2 });
    const [alice, bob, carol, gone] = (await users(world, 4)) as [User, User, User, User];
    await world.sandbox.control({ kind: 'topology', party: gone.party, is: 'unknown' });
    const local = await startLocal(t, world, { settings: SETTINGS });
    const lost = [
      await world.insert({ from: alice, to: gone, nonce: 0 }),
      await world.insert({ from: carol, to: gone, nonce: 0 }),
    ];
    const behind = [
      await world.insert({ from: alice, to: bob, nonce: 1 }),
      await world.insert({ from: carol, to: bob, nonce: 1 }),
    ];
    await world.ended(behind);
    for (const hash of behind) t.is((await world.row(hash)).status, 'completed');
    for (const hash of lost) {
      const row = await world.row(hash);
      t.like(row, { status: 'pending', parked: true, attempts: SETTINGS.retry.maxAttempts });
      t.regex(row.last_error ?? '', /UNKNOWN_INFORMEES/);
    }
    t.is(
      breakers(local, ({ key }) => key === null),
      0,
    );
    t.deepEqual(await world.audit(), []);
  },
);

test('rows that only wait for a receiver who is away use up no attempt; those that asked do', async (t) => {
  const world = await createWorld(t, { timeScale: 0.2 });
  const [gone, ...senders] = (await users(world, 6)) as [User, ...User[]];
  await world.sandbox.control({ kind: 'topology', party: gone.party, is: 'unknown' });
  const retry = { ...SETTINGS.retry, maxAttempts: 1_000 };
  const local = await startLocal(t, world, { settings: { ...SETTINGS, retry } });
  const hashes = await Promise.all(senders.map((from) => world.insert({ from, to: gone })));
  const waits = () =>
    local.events.flatMap((event) =>
      event.kind === 'settled' &&
      event.verdict.kind === 'pending' &&
      event.verdict.lastError?.startsWith('BREAKER')
        ? [event.verdict.attempts]
        : [],
    );
  await world.until('they wait again and again', () => waits().length >= 15);
  t.deepEqual(new Set(waits()), new Set([-1]));

  await world.sandbox.control({ kind: 'topology', party: gone.party, is: 'back' });
  await world.ended(hashes);
  for (const hash of hashes) t.is((await world.row(hash)).status, 'completed');
  t.deepEqual(await world.audit(), []);
});

forBoth(
  'P29 three bad receivers open the breaker for all once at most, and the others go on',
  async (t, parties) => {
    const world = await createWorld(t, { parties, timeScale: 0.2 });
    const bad = await users(world, 3);
    const senders = await users(world, 3);
    const [alice, bob] = (await users(world, 2)) as [User, User];
    for (const { party } of bad) await world.sandbox.control({ kind: 'topology', party, is: 'unknown' });
    const settings = { ...SETTINGS, retry: { ...SETTINGS.retry, maxAttempts: 1_000 } };
    const local = await startLocal(t, world, { settings });
    for (const [n, from] of senders.entries()) await world.insert({ from, to: bad[n] ?? from });
    const keys = (): number => breakers(local, ({ key, state }) => key !== null && state === 'open');
    const good: string[] = [];
    for (let nonce = 0; nonce < 6 || keys() < 3; nonce++) {
      good.push(await world.insert({ from: alice, to: bob, nonce }));
      await world.ended(good);
    }
    t.true(breakers(local, ({ key, state }) => key === null && state === 'open') <= 1);
    for (const hash of good) t.like(await world.row(hash), { status: 'completed', attempts: 1 });
    t.deepEqual(await world.audit(), []);
  },
);

forBoth(
  'an account of traffic that is used up is its sender’s: no row of it fails or parks',
  async (t, parties) => {
    const world = await createWorld(t, { parties, timeScale: 0.2, apiVersion: '3.5.7' });
    const [alice, bob, carol] = (await users(world, 3)) as [User, User, User];
    await world.sandbox.control({ kind: 'traffic', party: alice.party, balance: 5 });
    const local = await startLocal(t, world, { settings: SETTINGS });
    const poor = await world.insert({ from: alice, to: bob });
    const is = ({ key, state }: BreakerEvent): boolean => key === `sender:${alice.party}` && state === 'open';
    await local.event('breaker', is);
    const settled = (): number =>
      local.events.filter((event) => event.kind === 'settled' && event.txHash === poor).length;
    const seen = settled();
    const rich = await world.insert({ from: carol, to: bob });
    await world.ended([rich]);
    await world.until('it was tried more often than it has attempts', () => settled() >= seen + 8);
    t.like(await world.row(poor), { status: 'pending', parked: false });
    t.is(
      breakers(local, ({ key }) => key === null),
      0,
    );

    await world.sandbox.control({ kind: 'traffic', party: alice.party, balance: 1_000_000 });
    await world.ended([poor]);
    t.like(await world.row(poor), { status: 'completed', attempts: 1 });
    t.deepEqual(await world.audit(), []);
  },
);

forBoth(
  'P29 a network that confirms nothing parks nothing: the breaker opens, less is in flight, and grows again',
  async (t, parties) => {
    const world = await createWorld(t, { parties, timeScale: 0.005, toleranceMs: 4_000_000 });
    const all = await users(world, 12);
    await world.sandbox.control({ kind: 'network', mode: 'unconfirmed' });
    const settings = { ...SETTINGS, concurrency: 8, retry: { ...SETTINGS.retry, maxAttempts: 1 } };
    const local = await startLocal(t, world, { settings });
    const hashes = await ring(world, all);
    await local.event('breaker', ({ key, state }) => key === null && state === 'open');
    const refused = (): number =>
      local.events.filter((event) => event.kind === 'answered' && event.outcome.kind === 'refused').length;
    await world.until('more refusals than rows', () => refused() >= hashes.length + 6);
    t.is(parkings(local), 0);
    const limits = (): number[] =>
      local.events.flatMap((event) => (event.kind === 'congestion' ? [event.limit] : []));
    t.true(Math.min(...limits()) < 8);
    // Not only once even one at a time was too many.
    const opened = local.events.findIndex((event) => event.kind === 'breaker' && event.state === 'open');
    const before = local.events
      .slice(0, opened)
      .flatMap((event) => (event.kind === 'congestion' ? [event.limit] : []));
    t.true((before.at(-1) ?? 0) > 1, `${before}`);

    await world.sandbox.control({ kind: 'network', mode: 'fine' });
    await world.ended(hashes);
    for (const hash of hashes) t.like(await world.row(hash), { status: 'completed', attempts: 1 });
    const low = Math.min(...limits());
    const last = limits().at(-1) ?? low;
    t.true(last > low || low === 8, `${limits()}`);
    t.deepEqual(await world.audit(), []);
  },
);

forBoth('what may be everybody’s is held against a row at last, a day after it came', async (t, parties) => {
  const world = await createWorld(t, { parties, timeScale: 0.005, toleranceMs: 4_000_000 });
  const [alice, bob] = (await users(world, 2)) as [User, User];
  await world.sandbox.control({ kind: 'network', mode: 'unconfirmed' });
  const hash = await world.insert({ from: alice, to: bob });
  await world.db.query("update mempool set created_at = now() - interval '25 hours'");
  const local = await startLocal(t, world, { settings: SETTINGS });
  await local.event('parked', (event) => event.txHash === hash);
  t.like(await world.row(hash), { status: 'pending', parked: true, sent_until: null });
});

forBoth(
  'I3 a transaction that is too large for the sequencer parks after its attempts, and nobody sends less for it',
  async (t, parties) => {
    const world = await createWorld(t, { parties, timeScale: 0.2 });
    const [alice, bob, carol, large] = (await users(world, 4)) as [User, User, User, User];
    const sendError =
      'RequestInvalid(Batch size (85134 bytes) is exceeding maximum size (27000 bytes) for synchronizer da::1220)';
    world.sandbox.faults.add({
      on: 'submit',
      match: { receiver: large.party },
      do: {
        kind: 'refuse',
        with: { error: 'SEQUENCER_REQUEST_FAILED', cause: 'Failed to send command', metadata: { sendError } },
      },
    });
    const local = await startLocal(t, world, { settings: SETTINGS });
    const hash = await world.insert({ from: alice, to: large });
    const other = await world.insert({ from: carol, to: bob });
    const { reason } = await local.event('parked', (event) => event.txHash === hash);
    t.regex(reason, /^SEQUENCER_REQUEST_FAILED: .*85134 bytes/);
    await world.ended([other]);
    const { maxAttempts } = SETTINGS.retry;
    t.like(await world.row(hash), {
      status: 'pending',
      parked: true,
      sent_until: null,
      attempts: maxAttempts,
    });
    t.is(
      breakers(local, ({ key }) => key === null),
      0,
    );
    t.false(local.events.some((event) => event.kind === 'congestion' && event.reason !== null));
  },
);

forBoth(
  'I3 a transaction that the ledger always answers like load parks at last, a day after it came',
  async (t, parties) => {
    const world = await createWorld(t, { parties, timeScale: 0.2 });
    const [alice, bob] = (await users(world, 2)) as [User, User];
    world.sandbox.faults.add({
      on: 'submit',
      do: { kind: 'refuse', with: { error: 'SEQUENCER_BACKPRESSURE' } },
    });
    const hash = await world.insert({ from: alice, to: bob });
    await world.db.query("update mempool set created_at = now() - interval '25 hours'");
    const local = await startLocal(t, world, { settings: SETTINGS });
    await local.event('parked', (event) => event.txHash === hash);
    t.like(await world.row(hash), { status: 'pending', parked: true, sent_until: null });
  },
);

forBoth(
  'a receiver whose participant confirms nothing, while the others are served: it parks, and nobody sends less',
  async (t, parties) => {
    const world = await createWorld(t, { parties, timeScale: 0.2 });
    const [alice, bob, carol, dead] = (await users(world, 4)) as [User, User, User, User];
    world.sandbox.faults.add({
      on: 'submit',
      match: { receiver: dead.party },
      do: { kind: 'reject', with: { error: 'MEDIATOR_SAYS_TX_TIMED_OUT' } },
    });
    const local = await startLocal(t, world, { settings: SETTINGS });
    const hash = await world.insert({ from: alice, to: dead });
    const parked = (): boolean =>
      local.events.some((event) => event.kind === 'parked' && event.txHash === hash);
    for (let nonce = 0; !parked(); nonce++)
      await world.ended([await world.insert({ from: carol, to: bob, nonce, amount: 0.001 })]);
    t.like(await world.row(hash), { status: 'pending', parked: true, sent_until: null });
    t.is(
      breakers(local, ({ state }) => state === 'open'),
      0,
    );
    t.false(local.events.some((event) => event.kind === 'congestion' && event.reason !== null));
  },
);

forBoth(
  'a limit of commands in flight is settled at: nothing parks, and the breaker stays closed',
  async (t, parties) => {
    // So long under way that there are many at a time, however slowly they are claimed.
    const world = await createWorld(t, { parties, timeScale: 0.2, latencyMs: 400 });
    await world.sandbox.control({ kind: 'inFlight', most: 4 });
    const all = await users(world, 30);
    const settings = { ...SETTINGS, concurrency: 16, retry: { ...SETTINGS.retry, maxAttempts: 1 } };
    const local = await startLocal(t, world, { settings });
    const hashes = await ring(world, all);
    await world.ended(hashes);
    for (const hash of hashes) t.like(await world.row(hash), { status: 'completed', attempts: 1 });
    t.is(
      breakers(local, ({ state }) => state === 'open'),
      0,
    );
    t.true(
      local.events.some((event) => event.kind === 'congestion' && event.limit <= 8 && event.reason !== null),
    );
    t.deepEqual(await world.audit(), []);
  },
);

const NEVER = [
  ['an answer that never comes', { kind: 'hang' }],
  ['a method that is not there', { kind: 'refuse', with: { grpc: 'UNIMPLEMENTED' } }],
  [
    'a request that is too large for somebody in between',
    { kind: 'refuse', with: { grpc: 'RESOURCE_EXHAUSTED' } },
  ],
  ['a proxy’s 413', { kind: 'refuse', with: { grpc: 'UNKNOWN', message: 'Received HTTP status code 413' } }],
] as const;

for (const [n, [what, trouble]] of NEVER.entries()) {
  // What follows is the same for both; what the answers mean, of either call, is in test/ledger.
  const title = `I4 MAX_ATTEMPTS ends unknown, dead, fresh too: ${what}`;
  one(title, n % 2 === 0 ? 'hosted' : 'external', async (t, parties) => {
    const world = await createWorld(t, { parties, timeScale: 0.02, dedup: false });
    const [alice, bob] = (await users(world, 2)) as [User, User];
    world.sandbox.faults.add({ on: 'submit', do: trouble });
    const looks = createLooks();
    const settings = {
      ...SETTINGS,
      callTimeoutMs: 500,
      retry: { ...SETTINGS.retry, maxAttempts: 2 },
    };
    const local = await startLocal(t, world, { store: looks.wrap, settings });
    const hash = await world.insert({ from: alice, to: bob });
    for (let sends = 1; sends <= 2; sends++) {
      const unknown = () => local.events.filter(({ kind }) => kind === 'answered').length === sends;
      await world.until('it is unknown what became of it', async () => {
        const { claim_token, sent_until } = await world.row(hash);
        return unknown() && claim_token === null && sent_until !== null;
      });
      // None of these arrives, however late.
      await endBound(world, hash);
      t.deepEqual(await looks.once(world, local), ['dead']);
    }
    await local.event('parked', (event) => event.txHash === hash);
    t.is(local.events.filter((event) => event.kind === 'sent').length, 2);
    const row = await world.row(hash);
    t.like(row, { status: 'pending', parked: true, attempts: 2, sent_until: null, submission_id: null });
    t.regex(row.last_error ?? '', /^DEAD: .*after 2 attempts/);
    t.deepEqual(await world.audit(), []);
  });
}

forBoth(
  'P22 an acceptance of another submission id is completed where it is this transfer, and an alarm all the same',
  async (t, parties) => {
    const world = await createWorld(t, { parties, timeScale: 0.2 });
    const alice = await world.user({ balance: 100, holdings: 4 });
    const bob = await world.user();
    world.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'foreignAcceptance', transfer: 'same' } });
    const local = await startLocal(t, world, { settings: SETTINGS });
    const hash = await world.insert({ from: alice, to: bob });
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    t.is(alarms(local, /^FOREIGN_SUBMISSION: .*and not as/), 1);
  },
);

test('an estimate of traffic that fails costs the row nothing; one that is there is kept, and what was paid', async (t) => {
  const world = await createWorld(t, { parties: 'external', timeScale: 0.2, apiVersion: '3.5.7' });
  const [alice, bob] = (await users(world, 2)) as [User, User];
  world.sandbox.faults.add({
    on: PREPARE,
    times: 1,
    do: { kind: 'refuse', with: { error: 'FAILED_TO_PREPARE_TRANSACTION', cause: 'cost estimation failed' } },
  });
  const local = await startLocal(t, world, { settings: SETTINGS });
  const hashes = [await world.insert({ from: alice, to: bob })];
  await world.ended(hashes);
  t.like(await world.row(hashes[0] ?? ''), { status: 'completed', attempts: 1 });
  hashes.push(await world.insert({ from: bob, to: alice }));
  await world.ended(hashes);
  const estimates = local.events.flatMap((event) =>
    event.kind === 'prepared' ? [event.estimatedTraffic] : [],
  );
  t.is(estimates[0], null);
  t.true((estimates[1] ?? 0n) > 0n);
  await local.event('traffic', ({ paid, accepted }) => accepted && paid > 0n);
});

test('an unknown sender waits: registered meanwhile, its row goes on', async (t) => {
  const world = await createWorld(t, { timeScale: 0.2 });
  const [alice, bob] = (await users(world, 2)) as [User, User];
  await world.db.query('update users set evm_address = $2 where evm_address = $1', [
    alice.address,
    '0xlater',
  ]);
  const settings = { ...SETTINGS, retry: { ...SETTINGS.retry, maxAttempts: 1_000 } };
  const local = await startLocal(t, world, { settings });
  const hash = await world.insert({ from: alice.address, to: bob });
  await local.event('settled', (event) => event.txHash === hash);
  t.like(await world.row(hash), { status: 'pending', parked: false, error_message: null });
  await world.db.query('update users set evm_address = $1 where evm_address = $2', [
    alice.address,
    '0xlater',
  ]);
  await world.ended([hash]);
  t.is((await world.row(hash)).status, 'completed');
});
