import test, { type ExecutionContext } from 'ava';
import { type Local, startLocal } from '../support/local.js';
import { scaled } from '../support/pace.js';
import { PATIENT } from '../support/paced-sandbox.js';
import { createWorld, type User, type World } from '../support/world.js';
import { nextEvent } from './ledger-network.js';

const PROBE_MS = 200;
/** Few enough attempts that a counted one would park. */
const SETTINGS = {
  probeMs: PROBE_MS,
  concurrency: 3,
  pollMs: 50,
  retry: { minMs: 10, maxMs: 50, maxAttempts: 2 },
};

async function users(world: World, count: number): Promise<User[]> {
  return Promise.all(Array.from({ length: count }, () => world.user()));
}

/** One transfer of each to the next. */
const ring = (world: World, all: readonly User[], nonce = 0): Promise<string[]> =>
  Promise.all(
    all.map((from, index) => world.insert({ from, to: all[(index + 1) % all.length] ?? from, nonce })),
  );

/** `counted`: refusals that were held against a row before it was known that they were everybody's. */
async function untouched(
  t: ExecutionContext,
  world: World,
  hashes: readonly string[],
  counted = 0,
): Promise<void> {
  let sum = 0;
  for (const hash of hashes) {
    const row = await world.row(hash);
    t.like(row, { status: 'pending', parked: false, error_message: null });
    // One that is a probe at this moment has its attempt counted until it is given back.
    sum += Math.max(row.attempts - 1, 0);
  }
  t.true(sum <= counted, `${sum} attempts too many`);
}

const openings = (local: Local): number =>
  local.events.filter((event) => event.kind === 'breaker' && event.state === 'probing').length;

test('P29 traffic used up, rights lost, packages not vetted: no row fails or parks, a probe per interval', async (t) => {
  const world = await createWorld(t, { ...PATIENT, dedup: false });
  const { audit, faults } = world.sandbox;
  const all = await users(world, 6);
  const local = await startLocal(t, world, { settings: SETTINGS });
  await local.event('ready');
  const troubles = [
    { counted: 0, trouble: { kind: 'reject', with: { error: 'SEQUENCER_NOT_ENOUGH_TRAFFIC_CREDIT' } } },
    { counted: 0, trouble: { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } } },
    // With two receivers it may be their own trouble, from the third on it is everybody's.
    { counted: 2, trouble: { kind: 'reject', with: { error: 'PACKAGE_NOT_VETTED_BY_RECIPIENTS' } } },
  ] as const;
  for (const [nonce, { trouble, counted }] of troubles.entries()) {
    const fault = faults.add({ on: 'submit', do: trouble });
    const seen = local.events.length;
    const hashes = await ring(world, all, nonce);
    const opened = (): boolean =>
      local.events
        .slice(seen)
        .some((event) => event.kind === 'breaker' && event.state === 'open' && event.key === null);
    await world.until(`the breaker opens for ${trouble.with.error}`, opened);
    const from = { at: performance.now(), calls: audit.summary().ledgerCalls, probes: openings(local) };
    // What was on its way when it opened, then probes.
    await world.until('five probes', () => openings(local) >= from.probes + 5);
    const intervals = (performance.now() - from.at) / scaled(PROBE_MS);
    const calls = audit.summary().ledgerCalls - from.calls;
    const most = Math.ceil(intervals) + SETTINGS.concurrency;
    t.true(calls >= 3 && calls <= most, `${trouble.with.error}: ${calls} calls in ${intervals} intervals`);
    await untouched(t, world, hashes, counted);

    faults.remove(fault.id);
    await world.ended(hashes);
    const rows = await Promise.all(hashes.map((hash) => world.row(hash)));
    for (const { status } of rows) t.is(status, 'completed');
    const tooMany = rows.reduce((sum, { attempts }) => sum + attempts - 1, 0);
    t.true(tooMany <= counted, `${tooMany} attempts too many`);
  }
  t.is(audit.summary().accepted, 3 * all.length);
  t.deepEqual(await world.audit(), []);
});

test('P18 down for long: a probe per interval and instance, no attempt counted, nothing undecided parks', async (t) => {
  const world = await createWorld(t, { ...PATIENT, dedup: false });
  const { audit, faults } = world.sandbox;
  // So many that without a breaker their backoffs alone would make many times the calls.
  const all = await users(world, 20);
  const [first, second] = await users(world, 2);
  if (first === undefined || second === undefined) return t.fail();
  const pair = [
    await startLocal(t, world, { settings: SETTINGS }),
    await startLocal(t, world, { settings: SETTINGS }),
  ];
  await Promise.all(pair.map((local) => local.event('ready')));

  // Sent, its answer lost, and then the participant is gone: undecided through all that follows.
  faults.add({ on: 'submit', times: 1, do: { kind: 'dropAnswer', how: 'never' } });
  const undecided = await world.insert({ from: first, to: second });
  await audit.until((log) => log.summary().accepted === 1);
  const away = pair.map((local) => nextEvent(local, 'not-ready'));
  await world.sandbox.control({ kind: 'down' });
  const hashes = await ring(world, all);
  await Promise.all(away);
  const claimed = (): number =>
    pair.flatMap((local) => local.events).filter((event) => event.kind === 'claimed' && event.rows > 0)
      .length;
  const row = await world.row(undecided);
  t.like(row, { status: 'pending', parked: false });
  t.not(row.sent_until, null);
  const polls = (): number =>
    Math.min(
      ...pair.map(
        (local) => local.events.filter((event) => event.kind === 'woken' && event.by === 'poll').length,
      ),
    );
  // A claim that was under way when the participant went is over by then.
  const gone = polls();
  await world.until('both have polled since', () => polls() >= gone + 2);
  const [before, polled] = [claimed(), polls()];
  await world.until('both have polled 20 times more', () => polls() >= polled + 20);
  t.is(claimed(), before, 'nothing is claimed from a participant that is away');
  await untouched(t, world, hashes);

  // It is back, and refuses everything: a probe per interval and instance.
  const refusing = faults.add({
    on: 'submit',
    do: { kind: 'refuse', with: { error: 'SERVICE_NOT_RUNNING' } },
  });
  await world.sandbox.control({ kind: 'up' });
  const open = (local: Local): Promise<unknown> =>
    local.event('breaker', (event) => event.state === 'open' && event.key === null);
  await Promise.all(pair.map(open));
  const from = { at: performance.now(), calls: audit.summary().ledgerCalls, probes: pair.map(openings) };
  await world.until('five probes of each', () =>
    pair.every((local, index) => openings(local) >= (from.probes[index] ?? 0) + 5),
  );
  const intervals = (performance.now() - from.at) / scaled(PROBE_MS);
  const calls = audit.summary().ledgerCalls - from.calls;
  t.true(
    calls >= 3 && calls <= 2 * (Math.ceil(intervals) + SETTINGS.concurrency),
    `${calls} calls in ${intervals} intervals of two instances`,
  );
  await untouched(t, world, hashes);
  t.like(await world.row(undecided), { parked: false });

  faults.remove(refusing.id);
  await world.ended([undecided, ...hashes]);
  for (const hash of [undecided, ...hashes]) {
    t.like(await world.row(hash), { status: 'completed', attempts: 1 });
  }
  t.is(audit.of(undecided).length, 1);
  t.is(audit.summary().accepted, 1 + hashes.length);
  t.deepEqual(await world.audit(), []);
});

test('P18 a probe that finds the pinned row changed does not count: the next interval has one', async (t) => {
  const world = await createWorld(t, { ...PATIENT, dedup: false });
  const [alice, bob] = (await users(world, 2)) as [User, User];
  const refusing = world.sandbox.faults.add({
    on: 'submit',
    do: { kind: 'refuse', with: { error: 'SERVICE_NOT_RUNNING' } },
  });
  let probes = 0;
  const local = await startLocal(t, world, {
    settings: SETTINGS,
    store: (store) => ({
      ...store,
      /** The first probe comes right after a change of pins, before anything else has seen it. */
      async claim(request) {
        const opened = local.events.some((event) => event.kind === 'breaker' && event.state === 'open');
        if (opened && probes++ === 0) {
          await world.db.query('update mempool_submitter_v1 set generation = generation + 1');
          world.sandbox.faults.remove(refusing.id);
        }
        return store.claim(request);
      },
    }),
  });
  await local.event('ready');
  const hash = await world.insert({ from: alice, to: bob });
  await world.ended([hash]);
  t.true(probes > 1);
  t.is((await world.row(hash)).status, 'completed');
});
