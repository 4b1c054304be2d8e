// What a look at the ledger may and may not conclude. Deduplication is off: a second submission would be a second effect.

import test from 'ava';
import { dbMillis, microsOf } from '../../src/core/ids.js';
import type { SubmitterEvent } from '../../src/observe/events.js';
import type { Ledger } from '../../src/ports/ledger.js';
import type { Fault } from '../../src/sandbox/index.js';
import { openDatabase } from '../../src/store/pool.js';
import { readStatus } from '../../src/store/status.js';
import { forBoth } from '../support/both.js';
import { startLocal } from '../support/local.js';
import { createWorld } from '../support/world.js';
import { boundPassed, createNetwork, nextEvent, replay } from './ledger-network.js';

type Settled = Extract<SubmitterEvent, { kind: 'settled' }>;

const STREAM = 'CommandCompletionService/CompletionStream';

forBoth(
  'P5 time-outs, denials, broken streams, a participant that lags: a row stays undecided; pruned: it parks',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob, carol] = [await world.user(), await world.user(), await world.user()];
    const network = createNetwork();
    network.next('unheard', 'unheard');
    const local = await startLocal(t, world, {
      ledger: network.wrap,
      settings: { windowMs: 4_000, lookPatienceMs: 1_500 },
    });
    const { faults, audit } = world.sandbox;
    const deny: Fault['do'] = { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } };
    faults.add({ on: STREAM, do: deny });
    const hashes = [
      await world.insert({ from: alice, to: bob }),
      await world.insert({ from: carol, to: bob }),
    ] as const;
    await audit.until((log) => log.summary().accepted === 2);
    // From here on nothing but the ledger's own word keeps these rows from being sent again.
    for (const hash of hashes) await boundPassed(world, hash);

    const troubles: readonly Fault[] = [
      { on: STREAM, do: deny },
      { on: STREAM, do: { kind: 'refuse', with: { grpc: 'PERMISSION_DENIED' } } },
      { on: STREAM, do: { kind: 'refuse', with: { error: 'OFFSET_AFTER_LEDGER_END' } } },
      { on: STREAM, do: { kind: 'refuse', with: { grpc: 'DEADLINE_EXCEEDED' } } },
      { on: STREAM, do: { kind: 'breakStream', afterMessages: 0, with: { grpc: 'UNAVAILABLE' } } },
      { on: STREAM, do: { kind: 'hang' } },
      {
        on: 'PartyManagementService/GetParticipantId',
        do: { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } },
      },
    ];
    for (const trouble of troubles) {
      faults.clear();
      faults.add(trouble);
      const settled = hashes.map((hash) => nextEvent(local, 'settled', (event) => event.txHash === hash));
      await replay(world);
      await Promise.all(settled);
      const found = local.events.flatMap((event) => (event.kind === 'looked' ? [event.found] : []));
      t.true(
        found.every((what) => what === 'undecided'),
        JSON.stringify({ trouble, found }),
      );
    }
    t.is(network.requests.length, 2, 'nothing was sent again');

    // One party that may not be read holds up nobody else, and says why it waits.
    faults.clear();
    faults.add({ on: STREAM, match: { party: carol.party }, do: deny });
    const denied = nextEvent(local, 'settled', (event) => event.txHash === hashes[1]);
    await replay(world);
    await world.ended([hashes[0]]);
    t.is((await world.row(hashes[0])).status, 'completed');
    await denied;
    t.regex((await world.row(hashes[1])).last_error ?? '', /^UNDECIDED: .*PERMISSION_DENIED/);

    await world.sandbox.control({ kind: 'prune' });
    faults.clear();
    const parked = nextEvent(local, 'parked');
    await replay(world);
    t.regex((await parked).reason, /^PRUNED: /);
    const row = await world.row(hashes[1]);
    t.true(row.parked);
    t.not(row.sent_until, null, 'its record is kept: a person decides');
    t.is(network.requests.length, 2);
    t.is(audit.summary().doubleCommits, 0);
  },
);

forBoth(
  'P6 an acceptance that is published after its bound is seen, since time and acceptance come from one read',
  async (t, parties) => {
    // Large enough a tolerance that timers of a busy machine do not turn the acceptance into a time-out.
    const world = await createWorld(t, { parties, dedup: false, timeScale: 0.15 });
    const [alice, bob] = [await world.user(), await world.user()];
    const network = createNetwork();
    network.next('unheard');
    // A hosted bound is 9 s after the window, an external one its end.
    const windowMs = parties === 'hosted' ? 3_500 : 12_500;
    const local = await startLocal(t, world, { ledger: network.wrap, settings: { windowMs } });
    // Sequenced before the bound and decided after it: record time is what counts, not the hour.
    world.sandbox.faults.add({ on: 'submit', do: { kind: 'sequenceLate', ms: 5_000 }, times: 1 });
    world.sandbox.faults.add({ on: 'submit', do: { kind: 'decideLate', ms: 8_900 }, times: 1 });
    const hash = await world.insert({ from: alice, to: bob });
    const decided = world.sandbox.audit
      .until((log) => log.of(hash)[0]?.outcome.kind === 'accepted')
      .then(() => Date.now());
    await local.event('taken', (event) => event.look);
    const bound = Number((await world.row(hash)).sent_until);
    const looked = await local.event('looked', (event) => event.found !== 'undecided');
    t.is(looked.found, 'accepted');
    t.true((await decided) > bound, 'the ledger had yet to decide when its bound had passed');
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    t.is(network.requests.length, 1);
    t.deepEqual(await world.audit(), []);
  },
);

forBoth('P7 a checkpoint exactly at the bound is not past it: undecided', async (t, parties) => {
  const world = await createWorld(t, { parties, dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const network = createNetwork();
  network.next('hold');
  let hash = '';
  let atTheBound = (): void => {};
  const told = new Promise<void>((resolve) => {
    atTheBound = resolve;
  });
  /** The first checkpoint of the first stream says the very time that the record has. */
  const exact = (ledger: Ledger): Ledger => ({
    ...ledger,
    async *completions(request, signal) {
      const stream = ledger.completions(request, signal);
      let changed = network.streams.length > 1;
      for (;;) {
        const step = await stream.next();
        if (step.done) return step.value;
        if (changed || step.value.kind !== 'checkpoint') {
          yield step.value;
          continue;
        }
        changed = true;
        const { sent_until } = await world.row(hash);
        const recordTime = microsOf(Number(sent_until));
        atTheBound();
        yield { ...step.value, times: step.value.times.map((time) => ({ ...time, recordTime })) };
      }
    },
  });
  const local = await startLocal(t, world, {
    ledger: (ledger) => network.wrap(exact(ledger)),
    settings: { windowMs: 8_000 },
  });
  hash = await world.insert({ from: alice, to: bob });
  await told;
  t.is((await world.row(hash)).status, 'pending');
  t.not((await world.row(hash)).sent_until, null);
  t.is((await network.deliver()).kind, 'accepted', 'at the bound the ledger may still accept');
  await world.ended([hash]);
  const found = local.events.flatMap((event) => (event.kind === 'looked' ? [event.found] : []));
  t.is(found.pop(), 'accepted');
  t.true(
    found.every((what) => what === 'undecided'),
    'nothing else was concluded before, however often it was looked at',
  );
  t.is(network.requests.length, 1);
  t.deepEqual(await world.audit(), []);
});

forBoth(
  'P21 a quiet synchronizer tells no time: the row waits and shows, others go on, and the next checkpoint ends it',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false, quiet: 'silent' });
    const [alice, bob] = [await world.user(), await world.user()];
    const network = createNetwork();
    network.next('hold');
    const local = await startLocal(t, world, {
      ledger: network.wrap,
      settings: { windowMs: 4_000, lookPatienceMs: 3_500 },
    });
    const database = openDatabase({ url: world.db.url });
    t.teardown(() => database.close());
    const hash = await world.insert({ from: alice, to: bob });
    const isUndecided = (event: Settled): boolean =>
      event.txHash === hash &&
      event.verdict.kind === 'pending' &&
      /^UNDECIDED/.test(event.verdict.lastError ?? '');
    const undecided = async (): Promise<void> => {
      const row = await world.row(hash);
      t.is(row.status, 'pending');
      t.false(row.parked);
      t.regex(row.last_error ?? '', /^UNDECIDED: /);
      t.is((await readStatus(database)).queue.undecided.rows, 1);
      t.is(network.requests.length, 1);
    };
    await local.event('settled', isUndecided);
    await undecided();
    await boundPassed(world, hash);
    // Checkpoints come again, and still nothing happens on the synchronizer: they repeat its last time.
    await world.sandbox.control({ kind: 'quiet', mode: 'stale' });
    const again = nextEvent(local, 'settled', isUndecided);
    await replay(world);
    await again;
    await undecided();
    const others = [
      await world.insert({ from: bob, to: alice, nonce: 0 }),
      await world.insert({ from: bob, to: alice, nonce: 1 }),
    ];
    await world.ended(others);
    await world.sandbox.control({ kind: 'quiet', mode: 'off' });
    await replay(world);
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    // What was held arrives after all, long past its bound.
    t.is((await network.deliver()).kind, 'refused');
    t.deepEqual(await world.audit(), []);
  },
);

const FEW = { minMs: 20, maxMs: 200, maxAttempts: 2 };

test('P29 looks that could not read count nothing, however many; those that could, and found nothing, park at last', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const network = createNetwork();
  network.next('hold');
  const refused = world.sandbox.faults.add({
    on: STREAM,
    do: { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } },
  });
  const local = await startLocal(t, world, {
    ledger: network.wrap,
    settings: { retry: FEW, lookPatienceMs: 1_000 },
  });
  const hash = await world.insert({ from: alice, to: bob });
  await local.event(
    'settled',
    ({ verdict }) => verdict.kind === 'pending' && /^UNKNOWN/.test(verdict.lastError ?? ''),
  );
  // As a two-step token's: only an acceptance can end it.
  await world.db.query("update mempool set sent_until = 'infinity'");
  const { attempts } = await world.row(hash);
  const look = async (): Promise<void> => {
    const looked = nextEvent(local, 'settled', (event) => event.txHash === hash);
    await replay(world);
    await looked;
  };
  for (let n = 0; n < 4; n++) await look();
  t.like(await world.row(hash), { attempts, parked: false, status: 'pending' });
  t.regex((await world.row(hash)).last_error ?? '', /cannot be read: .*PERMISSION_DENIED/);
  world.sandbox.faults.remove(refused.id);
  for (const grpc of ['UNAVAILABLE', 'UNAUTHENTICATED'] as const) {
    const away = world.sandbox.faults.add({ on: STREAM, do: { kind: 'refuse', with: { grpc } } });
    for (let n = 0; n < 4; n++) await look();
    t.like(await world.row(hash), { attempts, parked: false, status: 'pending' }, grpc);
    world.sandbox.faults.remove(away.id);
  }
  while (!(await world.row(hash)).parked) await look();
  t.regex((await world.row(hash)).last_error ?? '', /^UNDECIDED: it may commit at any time/);
  t.is(network.requests.length, 1);
});

test('P29 an acceptance whose update cannot be read counts nothing; it is read in the end', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const network = createNetwork();
  let held = true;
  network.next('unheard');
  const local = await startLocal(t, world, {
    ledger: network.wrap,
    store: (store) => ({
      ...store,
      claimUndecided: async (request) =>
        held ? { kind: 'claimed', rows: [], now: dbMillis(0) } : store.claimUndecided(request),
    }),
    settings: { retry: FEW },
  });
  const refused = world.sandbox.faults.add({
    on: 'UpdateService/GetUpdateById',
    do: { kind: 'refuse', with: { grpc: 'UNAVAILABLE' } },
  });
  const hash = await world.insert({ from: alice, to: bob });
  await local.event('settled');
  // As after a failover: which submission it was is not known any more, so that its content has to be compared.
  await world.db.query('update mempool set submission_id = null');
  held = false;
  for (let n = 0; n < 4; n++) {
    const looked = nextEvent(local, 'settled', (event) => event.txHash === hash);
    await replay(world);
    await looked;
  }
  t.like(await world.row(hash), { attempts: 1, parked: false, status: 'pending' });
  t.regex(
    (await world.row(hash)).last_error ?? '',
    /^UNDECIDED: an acceptance was seen, but its update cannot be read/,
  );
  world.sandbox.faults.remove(refused.id);
  await replay(world);
  await world.ended([hash]);
  t.is((await world.row(hash)).status, 'completed');
  t.is(network.requests.length, 1);
});
