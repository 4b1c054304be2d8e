import test from 'ava';
import { dbMillis } from '../../src/core/ids.js';
import { forBoth } from '../support/both.js';
import { startLocal } from '../support/local.js';
import { PATIENT } from '../support/paced-sandbox.js';
import { createWorld } from '../support/world.js';

const QUICK = { pollMs: 50 };

forBoth(
  'P28 nonce 5 spends what nonce 4 has just brought as change, whichever instance sends it',
  async (t, parties) => {
    const world = await createWorld(t, { parties, ...PATIENT, dedup: false });
    const [alice, bob] = [await world.user({ balance: 10 }), await world.user({ balance: 0 })];
    let turn = 0;
    const pair = await Promise.all(
      [0, 1].map((one) =>
        startLocal(t, world, {
          settings: QUICK,
          store: (store) => ({
            ...store,
            claim: (request) =>
              turn % 2 === one
                ? store.claim(request)
                : Promise.resolve({ kind: 'claimed', rows: [], now: dbMillis(0) }),
          }),
        }),
      ),
    );
    // One holding of 10: of each transfer the next one, which is the other instance's, needs the change.
    const hashes: string[] = [];
    for (const nonce of [1, 2, 3, 4, 5, 6]) {
      hashes.push(await world.insert({ from: alice, to: bob, amount: 1, nonce }));
      await world.ended(hashes);
      turn += 1;
    }
    for (const hash of hashes) t.is((await world.row(hash)).status, 'completed');
    t.is(world.sandbox.audit.summary().ledgerCalls, hashes.length);
    t.is(
      pair.flatMap((local) => local.events).filter((event) => event.kind === 'sent').length,
      hashes.length,
    );
    t.deepEqual(await world.audit(), []);
  },
);

forBoth(
  'P28 a balance read at an old ledger end does not fail a row: it is read again at a newer one',
  async (t, parties) => {
    const world = await createWorld(t, { parties, ...PATIENT, dedup: false });
    const [alice, bob] = [await world.user({ balance: 1 }), await world.user()];
    // Ends that the second instance is told first, as a replica that lags would.
    const old: bigint[] = [];
    let mayClaim = false;
    const second = await startLocal(t, world, {
      settings: QUICK,
      ledger: (ledger) => ({
        ...ledger,
        async ledgerEnd(options) {
          const end = await ledger.ledgerEnd(options);
          const said = old.shift();
          return said === undefined ? end : { kind: 'read', value: said };
        },
      }),
      store: (store) => ({
        ...store,
        claim: (request) =>
          mayClaim ? store.claim(request) : Promise.resolve({ kind: 'claimed', rows: [], now: dbMillis(0) }),
      }),
    });
    await second.event('ready');

    const before = BigInt(world.sandbox.ledgerEnd());
    const first = await startLocal(t, world, { settings: QUICK });
    const income = await world.insert({ from: bob, to: alice, amount: 9 });
    await world.ended([income]);
    await first.stop();

    // At the end that it is told first the 9 are not there yet, and it has no way to see that.
    const beforeFive = BigInt(world.sandbox.ledgerEnd());
    const five = await world.insert({ from: alice, to: bob, amount: 5, nonce: 5 });
    old.push(before);
    mayClaim = true;
    await world.ended([five]);
    t.like(await world.row(five), { status: 'completed', error_message: null, attempts: 1 });

    // It has seen a newer one than that: what was held then, and is spent, is not even tried.
    old.push(beforeFive);
    const six = await world.insert({ from: alice, to: bob, amount: 4, nonce: 6 });
    await world.ended([six]);
    t.like(await world.row(six), { status: 'completed', error_message: null, attempts: 1 });
    t.is(world.sandbox.audit.summary().ledgerCalls, 3);
    t.deepEqual(await world.audit(), []);
  },
);

test('P28 a balance is too small only by a read of its own: whose the contracts of a shared one are is the participant’s word', async (t) => {
  const world = await createWorld(t, { ...PATIENT, dedup: false });
  const [alice, bob, carol] = [await world.user(), await world.user(), await world.user({ balance: 0 })];
  await startLocal(t, world, {
    settings: QUICK,
    ledger: (ledger) => ({
      ...ledger,
      async holdings(parties, at, options) {
        const read = await ledger.holdings(parties, at, options);
        if (read.kind !== 'read' || parties.length === 1) return read;
        return {
          kind: 'read',
          value: new Map(parties.map((one) => [one, { holdings: [], unreadable: [] }])),
        };
      },
    }),
  });
  // Both at once, so that one claim takes them.
  const client = await world.db.pool.connect();
  await client.query('begin');
  const hashes = [
    await world.insert({ from: alice, to: carol, client }),
    await world.insert({ from: bob, to: carol, client }),
  ];
  await client.query('commit');
  client.release();
  await world.ended(hashes);
  for (const hash of hashes) t.is((await world.row(hash)).status, 'completed');
});
