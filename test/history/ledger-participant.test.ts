// The right participant: what another one says, or the same with a part of its history gone, proves nothing.
// Deduplication is off: another participant would not know of our commands in any case.
import test from 'ava';
import { Subject } from 'rxjs';
import { party } from '../../src/core/ids.js';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { createLogger, logEvents } from '../../src/observe/log.js';
import type { Ledger } from '../../src/ports/ledger.js';
import { forBoth } from '../support/both.js';
import { givenBack, type Local, startLocal } from '../support/local.js';
import { createLooks, endBound } from '../support/looks.js';
import { advance } from '../support/marks.js';
import { createWorld, type World } from '../support/world.js';
import { createNetwork, nextEvent, replay } from './ledger-network.js';

const OTHER = 'other::1220feed';
const THIRD = 'third::1220feed';

/** The pinned row knows of this ledger end and of this completion, as it does 5 s after any transfer. */
async function mark(world: World, local: Local, hash: string): Promise<void> {
  const entry = world.sandbox.audit.of(hash).find(({ outcome }) => outcome.kind === 'accepted');
  if (entry?.outcome.kind !== 'accepted') throw new Error('not accepted');
  const { offset, updateId } = entry.outcome;
  const [actAs] = entry.actAs;
  await advance(local.store, {
    ledgerEnd: BigInt(world.sandbox.ledgerEnd()),
    mark: { offset: BigInt(offset), updateId, party: party(actAs ?? '') },
    oldMark: null,
  });
}

const IDENTITY = 'PartyManagementService/GetParticipantId';
const checks = (world: World): number => world.sandbox.audit.reads.get(IDENTITY) ?? 0;

/** It has asked who answers there again and again, and polled meanwhile; it has claimed nothing and changed nothing. */
async function claimsNothing(world: World, local: Local, why: RegExp): Promise<string | null> {
  const before = await world.db.query('select * from mempool order by id');
  const notReady = await local.event('not-ready', ({ blockers }) =>
    blockers.some(({ reason }) => why.test(reason)),
  );
  const seen = local.events.length;
  const asked = checks(world);
  const polled = (): boolean =>
    local.events.slice(seen).some((event) => event.kind === 'woken' && event.by === 'poll');
  await world.until('it asked again, and again, and polled', () => checks(world) >= asked + 3 && polled());
  const events = local.events.slice(seen);
  if (events.some(({ kind }) => kind === 'claimed' || kind === 'taken' || kind === 'sent'))
    return 'it claimed something';
  const after = await world.db.query('select * from mempool order by id');
  if (JSON.stringify(after) !== JSON.stringify(before)) return 'rows were changed';
  return local.health().blockers.some(({ part }) => part === 'participant') ? null : JSON.stringify(notReady);
}

forBoth(
  'P8 another participant answers at the address: it claims nothing and says so; undecided rows wait',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob] = [await world.user(), await world.user()];
    const home = world.sandbox.participantId;
    const network = createNetwork();
    const first = await startLocal(t, world, { ledger: network.wrap });
    await world.ended([await world.insert({ from: alice, to: bob })]);
    network.next('unheard');
    // Nobody finds out what became of it before its instance is gone.
    world.sandbox.faults.add({
      on: 'CommandCompletionService/CompletionStream',
      do: { kind: 'refuse', with: { grpc: 'UNAVAILABLE' } },
    });
    const undecided = await world.insert({ from: alice, to: bob, nonce: 1 });
    await world.sandbox.audit.until((log) => log.summary().accepted === 2);
    await first.stop();
    world.sandbox.faults.clear();

    await world.sandbox.control({ kind: 'identity', participantId: OTHER });
    const fresh = await world.insert({ from: bob, to: alice });
    await replay(world);
    const second = await startLocal(t, world, { ledger: network.wrap });
    t.is(await claimsNothing(world, second, /the participant is other::1220feed, but .* pinned to/), null);
    t.is((await world.row(undecided)).status, 'pending');
    t.not((await world.row(undecided)).sent_until, null);
    t.is((await world.row(fresh)).attempts, 0);

    await world.sandbox.control({ kind: 'identity', participantId: home });
    await world.ended([undecided, fresh]);
    t.is(network.requests.length, 3);
    t.deepEqual(await world.audit(), []);
  },
);

forBoth(
  'P8 the same participant, restored to yesterday: it claims nothing, however far its ledger goes on from there',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob] = [await world.user(), await world.user()];
    const yesterday = world.sandbox.ledgerEnd();
    const first = await startLocal(t, world);
    const hash = await world.insert({ from: alice, to: bob });
    await world.ended([hash]);
    await mark(world, first, hash);
    await first.stop();

    await world.sandbox.control({ kind: 'restore', offset: yesterday });
    await world.insert({ from: bob, to: alice });
    const second = await startLocal(t, world);
    t.is(
      await claimsNothing(world, second, /^the participant's ledger ends at \d+, before \d+ seen earlier/),
      null,
    );

    // Its end is beyond what was seen, and still it lacks what it had shown.
    while (world.sandbox.ledgerEnd() < yesterday + 5)
      world.sandbox.createParties([{ holdings: [{ token: 'DEMO', amount: 1 }] }]);
    t.is(await claimsNothing(world, second, /^the participant does not show update /), null);
    t.is(world.sandbox.audit.summary().ledgerCalls, 1);
  },
);

/** Once told to, it leads elsewhere right before the next call of its kind, and nothing on our side sees it happen. */
function movingConnection(world: World) {
  let moves = false;
  const elsewhere = async (): Promise<void> => {
    if (moves) await world.sandbox.control({ kind: 'identity', participantId: OTHER });
    moves = false;
  };
  return {
    moves: () => {
      moves = true;
    },
    beforeStreams: (ledger: Ledger): Ledger => ({
      ...ledger,
      async *completions(request, signal) {
        await elsewhere();
        return yield* ledger.completions(request, signal);
      },
    }),
    beforeLedgerEnds: (ledger: Ledger): Ledger => ({
      ...ledger,
      async ledgerEnd(options) {
        await elsewhere();
        return ledger.ledgerEnd(options);
      },
    }),
  };
}

/** Another participant, whose ledger is longer than the one that was seen, and whose time goes on. */
async function prepareOther(world: World): Promise<void> {
  const home = world.sandbox.participantId;
  await world.sandbox.control({ kind: 'identity', participantId: OTHER });
  for (let n = 0; n < 20; n++) world.sandbox.createParties([{ holdings: [{ token: 'DEMO', amount: 1 }] }]);
  await world.sandbox.control({ kind: 'identity', participantId: home });
}

/** The submission was handed over, and its caller knows nothing. */
const unanswered = (event: Extract<SubmitterEvent, { kind: 'settled' }>): boolean =>
  event.verdict.kind === 'pending' && /^UNKNOWN/.test(event.verdict.lastError ?? '');

test('P27 nothing is marked yet: between asking who answers and reading its stream, the connection moves', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const home = world.sandbox.participantId;
  await prepareOther(world);
  const network = createNetwork();
  network.next('hold');
  const moving = movingConnection(world);
  const looks = createLooks();
  const local = await startLocal(t, world, {
    ledger: (ledger) => network.wrap(moving.beforeStreams(ledger)),
    store: looks.wrap,
  });
  const hash = await world.insert({ from: alice, to: bob });
  await local.event('settled', unanswered);
  t.is((await network.deliver()).kind, 'accepted');
  await endBound(world, hash);

  moving.moves();
  t.deepEqual(await looks.once(world, local), ['undecided']);
  await world.sandbox.control({ kind: 'identity', participantId: home });
  t.deepEqual(await looks.once(world, local), ['accepted']);
  t.is((await world.row(hash)).status, 'completed');
  t.is(network.requests.length, 1);
  t.deepEqual(await world.audit(), []);
});

test('P27 a stream that does not show the marked completion is another one: nothing is read from it', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const home = world.sandbox.participantId;
  await prepareOther(world);
  const network = createNetwork();
  const first = await startLocal(t, world, { ledger: network.wrap });
  const before = await world.insert({ from: bob, to: alice });
  await world.ended([before]);
  await mark(world, first, before);
  await first.stop();

  const moving = movingConnection(world);
  const looks = createLooks();
  network.next('hold');
  const local = await startLocal(t, world, {
    ledger: (ledger) => network.wrap(moving.beforeStreams(ledger)),
    store: looks.wrap,
  });
  const hash = await world.insert({ from: alice, to: bob });
  await local.event('settled', unanswered);
  t.is((await network.deliver()).kind, 'accepted');
  await endBound(world, hash);

  moving.moves();
  t.deepEqual(await looks.once(world, local), ['undecided']);
  await local.event('not-ready', ({ blockers }) => blockers.some(({ reason }) => /pinned to/.test(reason)));
  t.deepEqual(
    local.events.flatMap((event) => (event.kind === 'alarm' ? [event.what] : [])),
    [
      "nothing is claimed until the participant is verified again: the participant's completion stream does not show the marked completion",
    ],
    local.events
      .flatMap((event) => (event.kind === 'not-ready' ? event.blockers : []))
      .map(({ reason }) => reason)
      .join('; '),
  );
  await world.sandbox.control({ kind: 'identity', participantId: home });
  t.deepEqual(await looks.once(world, local), ['accepted']);
  t.is((await world.row(hash)).status, 'completed');
  t.is(network.requests.length, 2);
  t.deepEqual(await world.audit(), []);
});

test('P27 a balance that another participant shows fails nothing', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const home = world.sandbox.participantId;
  const first = await startLocal(t, world);
  const before = await world.insert({ from: bob, to: alice });
  await world.ended([before]);
  await mark(world, first, before);
  await first.stop();
  await prepareOther(world);

  const moving = movingConnection(world);
  let once = true;
  const local = await startLocal(t, world, {
    ledger: moving.beforeLedgerEnds,
    // Between her row's claim and the read of her balance.
    onEvent: (event) => {
      if (event.kind !== 'taken' || event.sender !== alice.address || !once) return;
      once = false;
      moving.moves();
    },
  });
  await world.ended([await world.insert({ from: bob, to: alice, nonce: 1 })]);
  const hash = await world.insert({ from: alice, to: bob });
  await local.event('settled', (event) => event.txHash === hash);
  t.is((await world.row(hash)).status, 'pending');
  await world.sandbox.control({ kind: 'identity', participantId: home });
  await world.ended([hash]);
  t.is((await world.row(hash)).status, 'completed');
  t.deepEqual(await world.audit(), []);
});

test('P27 a balance that another participant shows fails nothing, though the pinned one answers again at the end', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const home = world.sandbox.participantId;
  const first = await startLocal(t, world);
  const before = await world.insert({ from: bob, to: alice });
  await world.ended([before]);
  await mark(world, first, before);
  await first.stop();
  await prepareOther(world);

  const moving = movingConnection(world);
  /** Both reads of her balance, and the first proof, are over by then. */
  const homeBeforeHosting = (ledger: Ledger): Ledger => ({
    ...ledger,
    async synchronizersOf(of, options) {
      await world.sandbox.control({ kind: 'identity', participantId: home });
      return ledger.synchronizersOf(of, options);
    },
  });
  let taken = false;
  const hash = await world.insert({ from: alice, to: bob });
  const local = await startLocal(t, world, {
    ledger: (ledger) => homeBeforeHosting(moving.beforeLedgerEnds(ledger)),
    onEvent: (event) => {
      if (event.kind === 'taken' && !taken) moving.moves();
      taken ||= event.kind === 'taken';
    },
  });
  await local.event('settled', (event) => event.txHash === hash);
  t.is((await world.row(hash)).status, 'pending');
  await world.sandbox.control({ kind: 'identity', participantId: home });
  await world.ended([hash]);
  t.is((await world.row(hash)).status, 'completed');
  t.deepEqual(await world.audit(), []);
});

test('P27 a balance that nobody vouches for fails nothing, until somebody does', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [poor, bob] = [await world.user({ balance: 1 }), await world.user()];
  const local = await startLocal(t, world);
  const before = await world.insert({ from: bob, to: poor });
  await world.ended([before]);
  await mark(world, local, before);
  await local.stop();
  const { faults } = world.sandbox;
  for (const on of ['UpdateService/GetUpdateById', IDENTITY])
    faults.add({ on, do: { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } } });
  const second = await startLocal(t, world, { settings: { participantId: world.sandbox.participantId } });
  const hash = await world.insert({ from: poor, to: bob, amount: 50 });
  await givenBack(second, /^UNPROVEN: /);
  faults.clear();
  await world.ended([hash]);
  t.like(await world.row(hash), { status: 'failed', attempts: 1 });
});

test('P8 a check that was under way when the connection was lost verifies nobody', async (t) => {
  const world = await createWorld(t);
  const asked: string[] = [];
  let tell: (ready: boolean) => void = () => {};
  const losing = (ledger: Ledger): Ledger => ({
    ...ledger,
    onReady(listener) {
      tell = listener;
      return ledger.onReady(listener);
    },
    async version(options) {
      asked.push('version');
      return ledger.version(options);
    },
    async ledgerEnd(options) {
      const end = await ledger.ledgerEnd(options);
      // It comes back at once: who answers from here on may be another.
      if (!asked.includes('lost')) {
        asked.push('lost');
        tell(false);
        tell(true);
      }
      return end;
    },
  });
  const local = await startLocal(t, world, { ledger: losing, onEvent: ({ kind }) => asked.push(kind) });
  await local.event('ready');
  const since = asked.slice(asked.indexOf('lost'), asked.indexOf('ready') + 1);
  t.deepEqual(
    since.filter((what) => what === 'lost' || what === 'version' || what === 'ready'),
    ['lost', 'version', 'ready'],
  );
});

test('why it is not ready is said once, however often it is found again, and again once it differs', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const home = world.sandbox.participantId;
  const first = await startLocal(t, world);
  await world.ended([await world.insert({ from: alice, to: bob })]);
  await first.stop();

  await world.sandbox.control({ kind: 'identity', participantId: OTHER });
  const events$ = new Subject<SubmitterEvent>();
  const log: string[] = [];
  const destination = { write: (line: string): void => void log.push(line) };
  const logger = createLogger({ level: 'info', instance: 'one', secrets: [], destination });
  // Its clock stands still, so that nothing is said again because a minute is over.
  logEvents(logger, events$, { elapsed: () => 0 });
  const local = await startLocal(t, world, { onEvent: (event) => events$.next(event) });
  const found = async (id: string): Promise<void> => {
    await local.event('not-ready', ({ blockers }) => blockers.some(({ reason }) => reason.includes(id)));
    const asked = checks(world);
    await world.until('it asked again, and again', () => checks(world) >= asked + 3);
  };
  await found(OTHER);
  await world.sandbox.control({ kind: 'identity', participantId: THIRD });
  await found(THIRD);
  await world.sandbox.control({ kind: 'identity', participantId: home });
  await local.event('ready');

  const why = (id: string): string =>
    `the participant is ${id}, but this database is pinned to ${home}: point CANTON_URL back, or see \`migrate --repin\``;
  const reasons = local.events.flatMap((event) =>
    event.kind === 'not-ready' ? event.blockers.map(({ reason }) => reason) : [],
  );
  t.deepEqual(
    reasons.filter((reason) => reason.includes('pinned to')),
    [why(OTHER), why(THIRD)],
  );
  for (const id of [OTHER, THIRD])
    t.is(log.filter((line) => line.includes('not ready') && line.includes(id)).length, 1, id);
});

test('P28 answers that overtake one another do not look like a ledger that went back', async (t) => {
  const world = await createWorld(t);
  const [alice, bob, carol] = [await world.user(), await world.user(), await world.user()];
  let slow = false;
  let asked = (): void => {};
  let go = (): void => {};
  const wasAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const mayAnswer = new Promise<void>((resolve) => {
    go = resolve;
  });
  /** One answer is under way for as long as it takes the others to be asked for, and to be heard. */
  const overtaken = (ledger: Ledger): Ledger => ({
    ...ledger,
    async ledgerEnd(options) {
      const end = await ledger.ledgerEnd(options);
      if (!slow) return end;
      slow = false;
      asked();
      await mayAnswer;
      return end;
    },
  });
  const local = await startLocal(t, world, {
    ledger: overtaken,
    onEvent: (event) => {
      if (event.kind === 'taken' && event.sender === alice.address) slow = true;
    },
  });
  const late = await world.insert({ from: alice, to: bob });
  await wasAsked;
  await world.ended([await world.insert({ from: carol, to: bob })]);
  go();
  await world.ended([late]);
  t.is((await world.row(late)).attempts, 1);
  t.deepEqual(
    local.events.filter(({ kind }) => kind === 'alarm' || kind === 'breaker'),
    [],
  );
});

test('P27 nothing is marked yet, and the connection moves while the ledger end is read: nobody is verified', async (t) => {
  const world = await createWorld(t);
  const home = world.sandbox.participantId;
  const moving = movingConnection(world);
  moving.moves();
  const local = await startLocal(t, world, { ledger: moving.beforeLedgerEnds });
  await local.event('not-ready', ({ blockers }) =>
    blockers.some(({ reason }) => /^another participant answered/.test(reason)),
  );
  t.false(local.events.some(({ kind }) => kind === 'ready'));
  await world.sandbox.control({ kind: 'identity', participantId: home });
  await local.event('ready');
});

for (const code of ['UNIMPLEMENTED', 'PERMISSION_DENIED'] as const)
  test(`a gateway that lets neither version nor id through (${code}) keeps nobody from working, nor from looking`, async (t) => {
    const world = await createWorld(t, { dedup: false });
    for (const on of ['VersionService/GetLedgerApiVersion', 'PartyManagementService/GetParticipantId'])
      world.sandbox.faults.add({ on, do: { kind: 'refuse', with: { grpc: code } } });
    const [alice, bob] = [await world.user(), await world.user({ balance: 0 })];
    const settings = { participantId: world.sandbox.participantId };
    await startLocal(t, world, { settings });
    const first = await world.insert({ from: alice, to: bob });
    await world.ended([first]);
    world.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'dropAnswer', how: 'disconnect' } });
    const lost = await world.insert({ from: alice, to: bob });
    await world.ended([lost]);
    for (const hash of [first, lost]) t.is((await world.row(hash)).status, 'completed');
    t.deepEqual(await world.audit(), []);
  });

forBoth(
  'P28 a participant that lags behind what it has told makes nobody poor, however often it is verified again',
  async (t, parties) => {
    const world = await createWorld(t, { parties });
    const [alice, bob] = [await world.user(), await world.user({ balance: 0 })];
    const retry = { minMs: 10, maxMs: 100, maxAttempts: 100_000 };
    const local = await startLocal(t, world, { settings: { probeMs: 50, retry } });
    await local.event('ready');
    const before = world.sandbox.ledgerEnd();
    await world.ended([await world.insert({ from: alice, to: bob, amount: 5 })]);
    const lags = world.sandbox.faults.add({
      on: 'StateService/GetLedgerEnd',
      do: { kind: 'tellsEnd', offset: before },
    });
    const hash = await world.insert({ from: bob, to: alice, amount: 4 });
    await nextEvent(local, 'not-ready');
    const asked = checks(world);
    await world.until('it was asked again, and again', () => checks(world) >= asked + 5);
    t.is((await world.row(hash)).status, 'pending');
    world.sandbox.faults.remove(lags.id);
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    t.deepEqual(await world.audit(), []);
  },
);
