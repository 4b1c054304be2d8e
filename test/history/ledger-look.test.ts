// What a look at the ledger may and may not conclude. Deduplication is off: a second submission would be a second effect.

import test, { type ExecutionContext } from 'ava';
import { microsOf } from '../../src/core/ids.js';
import type { PathSettings } from '../../src/path/given/context.js';
import type { Ledger } from '../../src/ports/ledger.js';
import type { Fault } from '../../src/sandbox/index.js';
import { openDatabase } from '../../src/store/pool.js';
import { readStatus } from '../../src/store/status.js';
import { forBoth } from '../support/both.js';
import { startLocal } from '../support/local.js';
import { createLooks, endBound } from '../support/looks.js';
import { HANG_MS } from '../support/time.js';
import { createWorld, type Parties } from '../support/world.js';
import { boundPassed, createNetwork, replay } from './ledger-network.js';

const STREAM = 'CommandCompletionService/CompletionStream';

/**
 * Two transfers that the ledger has accepted, unheard, and whose bounds are over: nothing but the ledger's own word keeps them
 * from being sent again. They are looked at when the test says so.
 */
async function twoUnheard(t: ExecutionContext, parties: Parties, settings: Partial<PathSettings> = {}) {
  const world = await createWorld(t, { parties, dedup: false });
  const [alice, bob, carol] = [await world.user(), await world.user(), await world.user()];
  const network = createNetwork();
  network.next('unheard', 'unheard');
  const looks = createLooks();
  const local = await startLocal(t, world, { ledger: network.wrap, store: looks.wrap, settings });
  const hashes = [
    await world.insert({ from: alice, to: bob }),
    await world.insert({ from: carol, to: bob }),
  ] as const;
  await world.sandbox.audit.until((log) => log.summary().accepted === 2);
  for (const hash of hashes) {
    await local.event('settled', (event) => event.txHash === hash);
    await endBound(world, hash);
  }
  return { world, carol, network, looks, local, hashes };
}

forBoth(
  'P5 time-outs, denials, broken streams, a participant that lags: a row stays undecided; pruned: it parks',
  async (t, parties) => {
    const unheard = await twoUnheard(t, parties, { lookPatienceMs: 300 });
    const { world, carol, network, looks, hashes, local: first } = unheard;
    const { faults, audit } = world.sandbox;
    faults.add({ on: STREAM, do: { kind: 'hang' } });
    t.deepEqual(await looks.once(world, first), ['undecided', 'undecided'], 'its patience is over');
    await first.stop();

    // Whatever else it is, this one hears of it.
    const local = await startLocal(t, world, {
      ledger: network.wrap,
      store: looks.wrap,
    });
    const deny: Fault['do'] = { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } };
    const troubles: readonly Fault[] = [
      { on: STREAM, do: deny },
      { on: STREAM, do: { kind: 'refuse', with: { grpc: 'PERMISSION_DENIED' } } },
      { on: STREAM, do: { kind: 'refuse', with: { error: 'OFFSET_AFTER_LEDGER_END' } } },
      { on: STREAM, do: { kind: 'refuse', with: { grpc: 'DEADLINE_EXCEEDED' } } },
      { on: STREAM, do: { kind: 'breakStream', afterMessages: 0, with: { grpc: 'UNAVAILABLE' } } },
      {
        on: 'PartyManagementService/GetParticipantId',
        do: { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } },
      },
    ];
    for (const trouble of troubles) {
      faults.clear();
      faults.add(trouble);
      t.deepEqual(await looks.once(world, local), ['undecided', 'undecided'], JSON.stringify(trouble));
    }
    t.is(network.requests.length, 2, 'nothing was sent again');

    // One party that may not be read holds up nobody else, and says why it waits.
    faults.clear();
    faults.add({ on: STREAM, match: { party: carol.party }, do: deny });
    t.deepEqual(await looks.once(world, local), ['accepted', 'undecided']);
    t.is((await world.row(hashes[0])).status, 'completed');
    t.regex((await world.row(hashes[1])).last_error ?? '', /^UNDECIDED: .*PERMISSION_DENIED/);

    await world.sandbox.control({ kind: 'prune' });
    faults.clear();
    t.deepEqual(await looks.once(world, local), ['pruned']);
    t.regex((await local.event('parked')).reason, /^PRUNED: /);
    const row = await world.row(hashes[1]);
    t.true(row.parked);
    t.not(row.sent_until, null, 'its record is kept: a person decides');
    t.is(network.requests.length, 2);
    t.is(audit.summary().doubleCommits, 0);
  },
);

forBoth(
  'P20 a record from the begin whose answer may be pruned parks, whenever its row says that it was created',
  async (t, parties) => {
    const { world, network, looks, local, hashes } = await twoUnheard(t, parties);
    const { audit } = world.sandbox;
    // As a restored table has it; and the second row's creation is yet to come.
    await world.db.query(
      'update mempool set sent_from = 0, submission_id = null, submission_hash = null, hashing_scheme = null',
    );
    await world.db.query(
      "update mempool set created_at = now() + interval '1 day' where tx_hash = decode(substr($1, 3), 'hex')",
      [hashes[1]],
    );
    await world.sandbox.control({ kind: 'prune' });
    t.deepEqual(await looks.once(world, local), ['pruned', 'pruned']);
    for (const hash of hashes) t.regex((await world.row(hash)).last_error ?? '', /^PRUNED: /);
    t.is(network.requests.length, 2, 'nothing is sent again');
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
  const looks = createLooks();
  /** The first checkpoint of the first stream says the very time that the record has; then that stream breaks. */
  const exact = (ledger: Ledger): Ledger => ({
    ...ledger,
    async *completions(request, signal) {
      const stream = ledger.completions(request, signal);
      if (network.streams.length > 1) return yield* stream;
      for (;;) {
        const step = await stream.next();
        if (step.done) return step.value;
        if (step.value.kind !== 'checkpoint') continue;
        await stream.return(null);
        const { sent_until } = await world.row(hash);
        const recordTime = microsOf(Number(sent_until));
        yield { ...step.value, times: step.value.times.map((time) => ({ ...time, recordTime })) };
        return null;
      }
    },
  });
  const local = await startLocal(t, world, {
    ledger: (ledger) => network.wrap(exact(ledger)),
    store: looks.wrap,
  });
  hash = await world.insert({ from: alice, to: bob });
  await local.event('settled', (event) => event.txHash === hash);
  t.deepEqual(await looks.once(world, local), ['undecided']);
  t.is((await network.deliver()).kind, 'accepted', 'at the bound the ledger may still accept');
  t.deepEqual(await looks.once(world, local), ['accepted']);
  t.is((await world.row(hash)).status, 'completed');
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
    const looks = createLooks();
    const local = await startLocal(t, world, {
      ledger: network.wrap,
      store: looks.wrap,
      settings: { windowMs: 4_000, lookPatienceMs: 1_500 },
    });
    const database = openDatabase({ url: world.db.url, connectTimeoutMs: HANG_MS });
    t.teardown(() => database.close());
    const hash = await world.insert({ from: alice, to: bob });
    const undecided = async (): Promise<void> => {
      const row = await world.row(hash);
      t.is(row.status, 'pending');
      t.false(row.parked);
      t.regex(row.last_error ?? '', /^UNDECIDED: /);
      t.is((await readStatus(database)).queue.undecided.rows, 1);
      t.is(network.requests.length, 1);
    };
    await local.event('settled', (event) => event.txHash === hash);
    t.deepEqual(await looks.once(world, local), ['undecided']);
    await undecided();
    await boundPassed(world, hash);
    // Checkpoints come again, and still nothing happens on the synchronizer: they repeat its last time.
    await world.sandbox.control({ kind: 'quiet', mode: 'stale' });
    t.deepEqual(await looks.once(world, local), ['undecided']);
    await undecided();
    const others = [
      await world.insert({ from: bob, to: alice, nonce: 0 }),
      await world.insert({ from: bob, to: alice, nonce: 1 }),
    ];
    await world.ended(others);
    await world.sandbox.control({ kind: 'quiet', mode: 'off' });
    looks.goOn();
    await replay(world);
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    // What was held arrives after all, long past its bound.
    t.is((await network.deliver()).kind, 'refused');
    t.deepEqual(await world.audit(), []);
  },
);

/** As envoy's time-out ends a stream, as a load balancer may, and as HTTP/2 tells of one that somebody has reset. */
const CUTS: Readonly<Record<string, Pick<Extract<Fault['do'], { kind: 'cutStreams' }>, 'with'>>> = {
  'upstream request timeout': {},
  'a clean end': { with: 'end' },
  'a reset': { with: { grpc: 'INTERNAL', message: 'Received RST_STREAM with code 2' } },
};

for (const [how, answer] of Object.entries(CUTS))
  test(`a proxy that ends streams before the participant tells the time is named: ${how}`, async (t) => {
    const world = await createWorld(t, { dedup: false, quiet: 'silent' });
    const [alice, bob] = [await world.user(), await world.user()];
    const network = createNetwork();
    network.next('hold');
    const looks = createLooks();
    const local = await startLocal(t, world, {
      ledger: network.wrap,
      store: looks.wrap,
      settings: { lookPatienceMs: HANG_MS },
    });
    const hash = await world.insert({ from: alice, to: bob });
    await local.event('settled', (event) => event.txHash === hash);
    await endBound(world, hash);
    const cut = world.sandbox.faults.add({
      on: STREAM,
      do: { kind: 'cutStreams', afterMs: 1_100, ...answer },
    });
    for (let n = 1; n <= 3; n++) {
      t.deepEqual(await looks.once(world, local), ['undecided']);
      const said = (await world.row(hash)).last_error ?? '';
      t.is(/something between us and the participant ends/.test(said), n === 3, `look ${n}: ${said}`);
    }
    t.regex(
      (await world.row(hash)).last_error ?? '',
      /^UNDECIDED: .*; its completions cannot be read: something between us and the participant ends our completion stream after [1-9]\d* s: let streams live longer than 75 s$/,
    );
    t.is(network.requests.length, 1);
    world.sandbox.faults.remove(cut.id);
    await world.sandbox.control({ kind: 'quiet', mode: 'off' });
    looks.goOn();
    await replay(world);
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    t.is(network.requests.length, 2);
    t.deepEqual(await world.audit(), []);
  });

const FEW = { minMs: 20, maxMs: 200, maxAttempts: 2 };

test('P29 looks that could not read count nothing, however many; those that could, and found nothing, park at last', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const network = createNetwork();
  network.next('hold');
  const looks = createLooks();
  const local = await startLocal(t, world, {
    ledger: network.wrap,
    store: looks.wrap,
    settings: { retry: FEW, lookPatienceMs: 1_000 },
  });
  const hash = await world.insert({ from: alice, to: bob });
  await local.event('settled', (event) => event.txHash === hash);
  // As a two-step token's: only an acceptance can end it.
  await world.db.query("update mempool set sent_until = 'infinity'");
  const { attempts } = await world.row(hash);
  for (const answer of [
    { error: 'PERMISSION_DENIED' },
    { grpc: 'UNAVAILABLE' },
    { grpc: 'UNAUTHENTICATED' },
  ] as const) {
    const refused = world.sandbox.faults.add({ on: STREAM, do: { kind: 'refuse', with: answer } });
    for (let n = 0; n < 3; n++) t.deepEqual(await looks.once(world, local), ['undecided']);
    t.like(await world.row(hash), { attempts, parked: false, status: 'pending' }, JSON.stringify(answer));
    if ('error' in answer)
      t.regex((await world.row(hash)).last_error ?? '', /cannot be read: .*PERMISSION_DENIED/);
    world.sandbox.faults.remove(refused.id);
  }
  // The sending was one of the two attempts.
  t.deepEqual(await looks.once(world, local), ['undecided']);
  t.true((await world.row(hash)).parked);
  t.regex((await world.row(hash)).last_error ?? '', /^UNDECIDED: no acceptance has been seen/);
  t.is(network.requests.length, 1);
});

test('P29 an acceptance whose update cannot be read counts nothing; it is read in the end', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const network = createNetwork();
  network.next('unheard');
  const looks = createLooks();
  const local = await startLocal(t, world, {
    ledger: network.wrap,
    store: looks.wrap,
    settings: { retry: FEW },
  });
  const refused = world.sandbox.faults.add({
    on: 'UpdateService/GetUpdateById',
    do: { kind: 'refuse', with: { grpc: 'UNAVAILABLE' } },
  });
  const hash = await world.insert({ from: alice, to: bob });
  await local.event('settled', (event) => event.txHash === hash);
  // As after a failover: which submission it was is not known any more, so that its content has to be compared.
  await world.db.query('update mempool set submission_id = null');
  for (let n = 0; n < 3; n++) t.deepEqual(await looks.once(world, local), ['undecided']);
  t.like(await world.row(hash), { attempts: 1, parked: false, status: 'pending' });
  t.regex(
    (await world.row(hash)).last_error ?? '',
    /^UNDECIDED: an acceptance was seen, but its update cannot be read/,
  );
  world.sandbox.faults.remove(refused.id);
  t.deepEqual(await looks.once(world, local), ['accepted']);
  t.is((await world.row(hash)).status, 'completed');
  t.is(network.requests.length, 1);
});
