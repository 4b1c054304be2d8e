// I6 with LANES=holdings: a sender's transfers side by side on the real path, each once, none in another's way.
// Deduplication is off, and polls are too rare to be what drives anything here.
import type { ExecutionContext } from 'ava';
import type { Store } from '../../src/ports/store.js';
import { forBoth } from '../support/both.js';
import { type Local, type LocalOptions, startLocal } from '../support/local.js';
import { createWorld, type Parties, type User, type World } from '../support/world.js';

const RARE = { lanes: 'holdings', pollMs: 600_000 } as const;

async function scene(
  t: ExecutionContext,
  parties: Parties,
  money: { readonly balance: number; readonly holdings: number },
  // Long enough for several to be on their way on any machine.
  latencyMs = 5_000,
): Promise<{ readonly world: World; readonly alice: User; readonly bob: User }> {
  const world = await createWorld(t, {
    parties,
    dedup: false,
    lanes: 'holdings',
    latencyMs,
    timeScale: 0.2,
  });
  return { world, alice: await world.user(money), bob: await world.user({ balance: 0 }) };
}

const start = (t: ExecutionContext, world: World, options: LocalOptions = {}): Promise<Local> =>
  startLocal(t, world, { ...options, settings: { ...RARE, ...options.settings } });

const insert = (world: World, from: User, to: User, amounts: readonly number[]): Promise<string[]> =>
  Promise.all(amounts.map((amount, nonce) => world.insert({ from, to, amount, nonce })));

forBoth(
  'I6 transfers of one sender go side by side on two instances, begun in nonce order, without a wasted call',
  async (t, parties) => {
    const { world, alice, bob } = await scene(t, parties, { balance: 60, holdings: 6 });
    const hashes = await insert(world, alice, bob, Array<number>(18).fill(3));
    const begun: bigint[] = [];
    const watched = (store: Store): Store => ({
      ...store,
      async reserve(claim, ...rest) {
        const answer = await store.reserve(claim, ...rest);
        if (answer.kind === 'written') begun.push(claim.row.nonce);
        return answer;
      },
    });
    await Promise.all([start(t, world, { store: watched }), start(t, world, { store: watched })]);
    await world.ended(hashes);

    const { ledgerCalls, accepted, conflicts, doubleCommits, maxInFlightPerParty } =
      world.sandbox.audit.summary();
    t.deepEqual(
      { ledgerCalls, accepted, conflicts, doubleCommits },
      { ledgerCalls: 18, accepted: 18, conflicts: 0, doubleCommits: 0 },
    );
    t.true(maxInFlightPerParty > 2, `${maxInFlightPerParty} at a time`);
    t.deepEqual(
      begun,
      hashes.map((_, nonce) => BigInt(nonce)),
    );
    t.deepEqual(await world.audit(), []);
  },
);

forBoth(
  'I6 P28 a row that finds too little that is free waits in its place, and goes with the change; failed is for too little of everything',
  async (t, parties) => {
    const { world, alice, bob } = await scene(t, parties, { balance: 20, holdings: 2 });
    // Both holdings are spent by the first two; the third needs the change of both, and the last more than is left.
    const hashes = await insert(world, alice, bob, [4, 4, 11, 2]);
    // It is the end of those that it waits on that wakes it.
    const local = await start(t, world, {
      settings: { retry: { minMs: 20, maxMs: 600_000, maxAttempts: 20 } },
    });
    await world.ended(hashes);

    const rows = await Promise.all(hashes.map((hash) => world.row(hash)));
    t.deepEqual(
      rows.map(({ status }) => status),
      ['completed', 'completed', 'completed', 'failed'],
    );
    t.deepEqual(
      rows.map(({ attempts }) => attempts),
      [1, 1, 1, 1],
      'no attempt counted for waiting',
    );
    t.regex(rows[3]?.last_error ?? '', /^INSUFFICIENT_BALANCE/);
    const waits = local.events.filter(
      ({ kind, ...event }) =>
        kind === 'settled' &&
        'verdict' in event &&
        event.verdict.kind === 'pending' &&
        /^RESERVED: DEMO: 11(\.0+)? needed/.test(event.verdict.lastError ?? ''),
    );
    t.true(
      waits.length === 1 || waits.length === 2,
      `claimed ${waits.length} times, of two that it waits on`,
    );
    const { ledgerCalls, conflicts } = world.sandbox.audit.summary();
    t.deepEqual({ ledgerCalls, conflicts }, { ledgerCalls: 3, conflicts: 0 });
    t.deepEqual(await world.audit(), []);
  },
);

forBoth(
  'I6 what is reserved is read before the holdings: what is spent in between is still reserved, or no longer there',
  async (t, parties) => {
    const { world, alice, bob } = await scene(t, parties, { balance: 20, holdings: 2 }, 500);
    const hashes = await insert(world, alice, bob, [4, 4]);
    let reads = 0;
    const watched = (store: Store): Store => ({
      ...store,
      async reserved(party) {
        reads += 1;
        if (reads === 2) await world.ended(hashes.slice(0, 1));
        return await store.reserved(party);
      },
    });
    await start(t, world, { store: watched });
    await world.ended(hashes);
    const { ledgerCalls, accepted, conflicts } = world.sandbox.audit.summary();
    t.deepEqual({ ledgerCalls, accepted, conflicts }, { ledgerCalls: 2, accepted: 2, conflicts: 0 });
    t.deepEqual(await world.audit(), []);
  },
);

forBoth(
  'I6 what became of an answer that was lost is looked up while the next go on, with other holdings',
  async (t, parties) => {
    const { world, alice, bob } = await scene(t, parties, { balance: 20, holdings: 2 });
    world.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'dropAnswer', how: 'disconnect' } });
    const hashes = await insert(world, alice, bob, [6, 6, 6]);
    await start(t, world);
    await world.ended(hashes);
    for (const hash of hashes) t.is((await world.row(hash)).status, 'completed');
    const { ledgerCalls, conflicts, doubleCommits } = world.sandbox.audit.summary();
    t.deepEqual(
      { ledgerCalls, conflicts, doubleCommits },
      { ledgerCalls: 3, conflicts: 0, doubleCommits: 0 },
    );
    t.deepEqual(await world.audit(), []);
  },
);
