// The two clocks that every bound rests on: how far they lie apart is measured on our own submissions, and a bound that
// the ledger did not keep stops everybody.
import test from 'ava';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { forBoth } from '../support/both.js';
import { startLocal } from '../support/local.js';
import { createLooks, endBound } from '../support/looks.js';
import { PACE, scaled } from '../support/pace.js';
import { createWorld, DEMO } from '../support/world.js';
import { createNetwork, nextEvent } from './ledger-network.js';

const PATIENT = 30_000;

test('I7 the clocks of database and ledger lie too far apart: one row an interval measures, nothing else is sent, until they are right', async (t) => {
  const world = await createWorld(t, { timeScale: 0.1 });
  // Five seconds apart, where half of one is too far: an answer may take the rest and does not hide it. In true seconds,
  // since a submitter looks at the ledger's time in such.
  await world.db.query(
    'update mempool_submitter_v1 set clock_skew_max_ms = 1000, generation = generation + 1',
  );
  const probeMs = 700;
  const local = await startLocal(t, world, { settings: { probeMs } });
  const bob = await world.user();
  const pay = async (): Promise<string> => world.insert({ from: await world.user(), to: bob });
  const payUntil = async <T>(seen: Promise<T>): Promise<T> => {
    let isSeen = false;
    const noted = seen.finally(() => {
      isSeen = true;
    });
    while (!isSeen) await world.ended([await pay()]);
    return await noted;
  };
  await world.sandbox.control({ kind: 'clockSkew', ms: 5_000 / PACE, participantMs: 0 });
  // An answer that took long measures nothing.
  const apart = await payUntil(nextEvent(local, 'clocks', (event) => event.state === 'too-far'));
  t.true(apart.aheadMs >= 500, `${apart.aheadMs}`);
  t.true(
    local.health().blockers.some(({ part, reason }) => part === 'clocks' && /set both by NTP/.test(reason)),
  );

  const seen = local.events.length;
  const since = performance.now();
  const rows = await Promise.all(Array.from({ length: 6 }, pay));
  const ofRows = () =>
    local.events
      .slice(seen)
      .flatMap((event) => (event.kind === 'claimed' && event.rows > 0 ? [event.rows] : []));
  await world.until('three of them were sent, as measurements', () => ofRows().length >= 3);
  t.true(performance.now() - since >= scaled(probeMs), 'an interval apart');
  t.true(
    ofRows().every((count) => count === 1),
    'one at a time',
  );
  t.true((await world.db.query("select from mempool where status = 'pending'")).length > 0);

  // Apart or fine: the 5 s from which it warns are the product's, whatever the pace here.
  const right = nextEvent(local, 'clocks', (event) => event.state !== 'too-far');
  await world.sandbox.control({ kind: 'clockSkew', ms: 0, participantMs: 0 });
  // The ledger's record time does not go back: it waits for the hour. Until then there is something to measure.
  await payUntil(right);
  await world.ended(rows);
  t.false(local.health().blockers.some(({ part }) => part === 'clocks'));
  t.deepEqual(await world.audit(), []);
});

test('an acceptance later than its bound halts every instance, with the reason; migrate --tolerance lets them go on', async (t) => {
  // The synchronizer's is 10 s, and somebody believed that it has none. The answer comes before the participant's own
  // time-out, at 12 s.
  const world = await createWorld(t, { timeScale: 0.04, toleranceMs: 250_000 });
  await world.db.query('update mempool_submitter_v1 set tolerance_ms = 0, generation = generation + 1');
  const settings = { toleranceMs: 0, windowMs: 5_000, callTimeoutMs: PATIENT };
  const first = await startLocal(t, world, { settings });
  const second = await startLocal(t, world, { settings });
  await Promise.all([first, second].map((local) => local.event('ready')));
  const [alice, bob] = [await world.user(), await world.user()];
  // Interpreted within its window, sequenced past its bound.
  world.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'sequenceLate', ms: 7_000 } });
  const late = await world.insert({ from: alice, to: bob });
  const alarm = await Promise.any(
    [first, second].map((local) => local.event('alarm', ({ what }) => /^halted: /.test(what), PATIENT)),
  );
  t.regex(alarm.what, /accepted \d+ ms after its bound: LEDGER_TIME_TOLERANCE_MS is too low/);
  await world.ended([late]);
  t.is((await world.row(late)).status, 'completed', 'it was accepted all the same');
  for (const local of [first, second]) {
    await local.event(
      'not-ready',
      ({ blockers }) => blockers.some(({ reason }) => /halted/.test(reason)),
      PATIENT,
    );
  }
  const waits = await world.insert({ from: bob, to: alice });
  const polled = first.events.length;
  await world.until('it has polled', () =>
    first.events.slice(polled).some((event) => event.kind === 'woken' && event.by === 'poll'),
  );
  const { attempts } = await world.row(waits);
  t.is(attempts, 0);
  await Promise.all([first.stop(), second.stop()]);

  const toleranceMs = Number(world.sandbox.env.LEDGER_TIME_TOLERANCE_MS);
  await migrate({
    url: world.db.url,
    lanes: null,
    toleranceMs: null,
    clockSkewMaxMs: null,
    oneStepTokens: [DEMO],
    changes: { toleranceMs, clearsHalt: true },
    create: true,
    say: () => {},
  });
  await startLocal(t, world);
  await world.ended([waits]);
  t.is((await world.row(waits)).status, 'completed');
  t.deepEqual(await world.audit(), []);
});

test('an acceptance past its bound, read before the stream has proven itself: completed, halted, and never sent again', async (t) => {
  const world = await createWorld(t, { toleranceMs: 500_000, dedup: false });
  await world.db.query('update mempool_submitter_v1 set tolerance_ms = 0, generation = generation + 1');
  const settings = { toleranceMs: 0, callTimeoutMs: PATIENT };
  const { audit } = world.sandbox;
  const [alice, bob, carol, dave] = [
    await world.user(),
    await world.user(),
    await world.user(),
    await world.user(),
  ];
  const network = createNetwork();
  network.next('hold');
  // Nobody looks before all of it is on the ledger: the row's own submission, and what comes before and after it.
  const looks = createLooks();
  const first = await startLocal(t, world, { settings, ledger: network.wrap, store: looks.wrap });
  const late = await world.insert({ from: alice, to: bob });
  await first.event('settled', (event) => event.txHash === late);
  // Not the bound that it was sent under: here the ledger's time is past it, and still it is accepted.
  await endBound(world, late);
  // One that was sent beside it: what is dead by a bound of that kind is not.
  network.next('hold');
  const beside = await world.insert({ from: dave, to: bob });
  await first.event('settled', (event) => event.txHash === beside);
  await endBound(world, beside);
  // An acceptance of the mark's own party too, so that the look sees it.
  await world.ended([await world.insert({ from: carol, to: bob })]);
  t.is((await network.deliver()).kind, 'accepted');
  const after = await world.insert({ from: carol, to: bob, nonce: 1 });
  await world.ended([after]);
  const shown = audit.of(after)[0];
  if (shown?.outcome.kind !== 'accepted') return t.fail();
  await first.stop();
  // The mark is what came last: until that is read, the stream has proven nothing.
  await world.db.query(
    'update mempool_submitter_v1 set mark_offset = $1, mark_update_id = $2, mark_party = $3',
    [shown.outcome.offset, shown.outcome.updateId, carol.party],
  );

  const second = await startLocal(t, world, { settings, ledger: network.wrap });
  await world.ended([late]);
  t.is((await world.row(late)).status, 'completed');
  t.regex((await second.event('alarm')).what, /^halted: .* after its bound/);
  t.is(audit.of(late).length, 1);
  await second.event('settled', (event) => event.txHash === beside);
  const dead = (event: SubmitterEvent) =>
    event.kind === 'looked' && event.txHash === beside && event.found === 'dead';
  t.false(second.events.some(dead), 'no death is read from a bound any more');
  const { status, sent_until } = await world.row(beside);
  t.is(status, 'pending');
  t.not(sent_until, null, 'its record is kept: migrate --tolerance moves the bound');
  t.is(network.requests.filter(({ sender }) => sender === dave.party).length, 1);
});

forBoth(
  'a participant whose clock is far off refuses every row for its times: none is used up',
  async (t, parties) => {
    const world = await createWorld(t, { parties, timeScale: 0.1 });
    const bob = await world.user({ balance: 0 });
    const rows = await Promise.all(
      Array.from({ length: 4 }, async () => world.insert({ from: await world.user(), to: bob })),
    );
    const off = async (ms: number): Promise<unknown> =>
      world.sandbox.control({ kind: 'clockSkew', ms, participantMs: ms });
    // requestedAt is five seconds before now, in true seconds.
    await off(-60_000);
    const local = await startLocal(t, world, {
      settings: { probeMs: 100, retry: { minMs: 10, maxMs: 50, maxAttempts: 2 } },
    });
    let refused = 0;
    while (refused < 12) {
      await nextEvent(local, 'settled');
      refused += 1;
    }
    for (const hash of rows) t.like(await world.row(hash), { status: 'pending', parked: false });
    t.true(
      local.events.some((event) => event.kind === 'breaker' && event.state === 'open' && event.key === null),
    );
    await off(0);
    await world.ended(rows);
    for (const hash of rows) t.is((await world.row(hash)).status, 'completed');
    t.is(world.sandbox.audit.summary().doubleCommits, 0);
  },
);
