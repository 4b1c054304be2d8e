// What leaves, and when: deadline, bound and party of a submission, whatever takes long or changes before it is sent.
import test from 'ava';
import type { Ledger } from '../../src/ports/ledger.js';
import type { ClaimReply, Store } from '../../src/ports/store.js';
import type { ClaimedRow } from '../../src/protocol/record.js';
import { forBoth } from '../support/both.js';
import { givenBack, startLocal } from '../support/local.js';
import { scaled } from '../support/pace.js';
import { createWorld } from '../support/world.js';
import { createNetwork } from './ledger-network.js';

/** So long, by its own clock, does the first read of holdings take; and the bounds that claims wrote. */
function slowRead(ms: number) {
  let skewMs = 0;
  const bounds: number[] = [];
  return {
    bounds,
    options: {
      clock: { elapsed: () => performance.now() + skewMs },
      ledger: (ledger: Ledger): Ledger => ({
        ...ledger,
        async holdings(owner, at, options) {
          const read = await ledger.holdings(owner, at, options);
          skewMs = ms;
          return read;
        },
      }),
      store: (store: Store): Store => ({
        ...store,
        async claim(request) {
          const reply = await store.claim(request);
          for (const row of reply.kind === 'claimed' ? reply.rows : [])
            if (row.kind === 'fresh' && row.own !== null) bounds.push(Number(row.own.sentUntil));
          return reply;
        },
      }),
    },
  };
}

test('I1 a claim that took longer than its lease sends nothing', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const leaseMs = 20_000;
  let skewMs = 0;
  const late: ClaimedRow[] = [];
  /** The first claim is answered when its lease is over. */
  const slow = (store: Store): Store => ({
    ...store,
    async claim(request): Promise<ClaimReply> {
      const reply = await store.claim(request);
      if (reply.kind !== 'claimed' || reply.rows.length === 0 || late.length > 0) return reply;
      late.push(...reply.rows);
      skewMs = scaled(leaseMs);
      return reply;
    },
  });
  const local = await startLocal(t, world, {
    store: slow,
    clock: { elapsed: () => performance.now() + skewMs },
    settings: { leaseMs },
  });
  const hash = await world.insert({ from: alice, to: bob });
  await world.ended([hash]);
  t.is((await world.row(hash)).status, 'completed');
  t.is(late.length, 1);
  // The token is the submission id: what the first claim held was never sent, nor tried.
  const sent = local.events.flatMap((event) => (event.kind === 'sent' ? [event.submissionId] : []));
  t.false(sent.includes(late[0]?.token ?? ''));
  t.is(world.sandbox.audit.of(hash).length, 1);
  t.deepEqual(await world.audit(), []);
});

test('I1 a lease that runs out while the ledger is read sends nothing', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  // Long enough that on a slow machine too it is the look, not its end by itself, that keeps the request.
  const leaseMs = 20_000;
  let skewMs = 0;
  let first: string | undefined;
  /** Right before the last step it is later than the lease, and no timer has had its turn since. */
  const stalled = (ledger: Ledger): Ledger => ({
    ...ledger,
    ready() {
      if (first !== undefined && skewMs === 0) skewMs = scaled(leaseMs);
      return ledger.ready();
    },
  });
  const noted = (store: Store): Store => ({
    ...store,
    async claim(request) {
      const reply = await store.claim(request);
      if (reply.kind === 'claimed') first ??= reply.rows[0]?.token;
      return reply;
    },
  });
  const local = await startLocal(t, world, {
    store: noted,
    ledger: stalled,
    clock: { elapsed: () => performance.now() + skewMs },
    settings: { leaseMs },
  });
  const hash = await world.insert({ from: alice, to: bob });
  await world.ended([hash]);
  t.is((await world.row(hash)).status, 'completed');
  const sent = local.events.flatMap((event) => (event.kind === 'sent' ? [event.submissionId] : []));
  t.false(sent.includes(first ?? ''));
  t.is(world.sandbox.audit.of(hash).length, 1);
  t.deepEqual(await world.audit(), []);
});

test('P25 a slow read between claim and send: the request carries the bound that was written', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const { options, bounds } = slowRead(1_500);
  const local = await startLocal(t, world, { ...options, settings: { windowMs: 20_000 } });
  const hash = await world.insert({ from: alice, to: bob });
  await world.ended([hash]);
  const [entry, second] = world.sandbox.audit.of(hash);
  t.is(second, undefined);
  const [bound = 0] = bounds;
  t.is(entry?.transfer?.executeBefore, (bound - local.settings.toleranceMs) * 1000);
  t.deepEqual(await world.audit(), []);
});

test('P25 a read that takes longer than the window: nothing is sent under that bound', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  const windowMs = 20_000;
  const { options, bounds } = slowRead(scaled(windowMs));
  const local = await startLocal(t, world, { ...options, settings: { windowMs, leaseMs: 120_000 } });
  const hash = await world.insert({ from: alice, to: bob });
  await givenBack(local, /^NOT_SENT: too little of the submission window/);
  await world.ended([hash]);
  t.is((await world.row(hash)).attempts, 1, 'what was not sent does not count as an attempt');
  const [, later = 0] = bounds;
  t.deepEqual(
    world.sandbox.audit.of(hash).map(({ transfer }) => transfer?.executeBefore),
    [(later - local.settings.toleranceMs) * 1000],
  );
  t.deepEqual(await world.audit(), []);
});

forBoth(
  'I3 reads that always take longer than the window: the row parks at last, a day after it came',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob] = [await world.user(), await world.user()];
    const windowMs = 20_000;
    let skewMs = 0;
    /** The last read before its bound is compared with the time, by the instance's own clock. */
    const slow = (ledger: Ledger): Ledger => {
      const after = <T>(read: T): T => {
        skewMs += scaled(windowMs);
        return read;
      };
      return parties === 'hosted'
        ? { ...ledger, holdings: async (...asked) => after(await ledger.holdings(...asked)) }
        : { ...ledger, prepare: async (...asked) => after(await ledger.prepare(...asked)) };
    };
    const hash = await world.insert({ from: alice, to: bob });
    await world.db.query("update mempool set created_at = now() - interval '25 hours'");
    const retry = { minMs: 20, maxMs: 200, maxAttempts: 3 };
    const local = await startLocal(t, world, {
      ledger: slow,
      clock: { elapsed: () => performance.now() + skewMs },
      settings: { windowMs, leaseMs: 120_000, retry },
    });
    const { reason } = await local.event('parked', (event) => event.txHash === hash);
    t.regex(reason, /^NOT_SENT: too little of the submission window is left \(after 3 attempts\)/);
    t.like(await world.row(hash), { status: 'pending', parked: true, attempts: 3, sent_until: null });
    t.is(world.sandbox.audit.of(hash).length, 0);
  },
);

test("P26 the sender's users row changes between claim and send, and again before the look: one party throughout", async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, carol, bob, heir] = [
    await world.user(),
    await world.user(),
    await world.user(),
    await world.user(),
  ];
  const stolen = 'update users set canton_party_id = $2, canton_party = $2 where evm_address = $1';
  const keyed = `update users set canton_private_key_encrypted = 'key', key_mode = 'custodial' where evm_address = $1`;
  let changed = false;
  /** Everything that is read, is read after the change: what goes on is what the claim brought. */
  const betweenClaimAndSend = (ledger: Ledger): Ledger => ({
    ...ledger,
    async holdings(owner, at, options) {
      if (!changed) {
        changed = true;
        await world.db.query(stolen, [alice.address, heir.party]);
        await world.db.query(keyed, [carol.address]);
      }
      return ledger.holdings(owner, at, options);
    },
  });
  const network = createNetwork();
  network.next('unheard', 'unheard');
  await startLocal(t, world, {
    ledger: (ledger) => network.wrap(betweenClaimAndSend(ledger)),
  });
  const hashes = [
    await world.insert({ from: alice, to: bob, amount: 3 }),
    await world.insert({ from: carol, to: bob, amount: 4 }),
  ];
  await world.ended(hashes);
  for (const hash of hashes) t.is((await world.row(hash)).status, 'completed');
  t.deepEqual(network.requests.map(({ sender }): string => sender).sort(), [alice.party, carol.party].sort());
  t.is(network.requests.length, 2);
  const asked = new Set(network.streams.flatMap(({ parties }) => parties as readonly string[]));
  t.true(asked.has(alice.party));
  t.true(asked.has(carol.party));
  t.false(asked.has(heir.party));
  const demo = (party: string): string | undefined => world.sandbox.balances(party).DEMO?.amount;
  t.is(demo(bob.party), '107.0000000000');
  t.is(demo(heir.party), '100.0000000000');
});
