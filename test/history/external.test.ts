// What only external parties have: a preparation to be looked at, a key, a hash to ask by, a rejection that is an end.
import test from 'ava';
import type { Ledger } from '../../src/ports/ledger.js';
import { createSigner } from '../../src/transfer/signer.js';
import { givenBack, startLocal } from '../support/local.js';
import { createLooks } from '../support/looks.js';
import { scaled } from '../support/pace.js';
import { PREPARE } from '../support/paced-sandbox.js';
import { createWorld, MASTER_KEY } from '../support/world.js';
import { createNetwork, replay } from './ledger-network.js';

const STREAM = 'CommandCompletionService/CompletionStream';
const BY_HASH = 'CommandCompletionService/GetCompletionByHash';
const external = { parties: 'external', dedup: false } as const;

test('P5 asked by hash, nothing found, a time-out and a denial prove nothing; an acceptance found is the end', async (t) => {
  const world = await createWorld(t, { ...external, apiVersion: '3.6.0' });
  const [alice, bob] = [await world.user(), await world.user()];
  const network = createNetwork();
  network.next('hold');
  const looks = createLooks();
  const local = await startLocal(t, world, {
    ledger: network.wrap,
    store: looks.wrap,
  });
  const { faults } = world.sandbox;
  // The stream tells nothing: only the hash could be asked.
  faults.add({ on: STREAM, do: { kind: 'refuse', with: { grpc: 'UNAVAILABLE' } } });
  const hash = await world.insert({ from: alice, to: bob });
  await local.event('settled', (event) => event.txHash === hash);
  t.deepEqual(await looks.once(world, local), ['undecided'], 'not found');
  for (const trouble of [
    { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } },
    { kind: 'refuse', with: { grpc: 'UNIMPLEMENTED' } },
    { kind: 'hang' },
  ] as const) {
    const set = faults.add({ on: BY_HASH, do: trouble });
    t.deepEqual(await looks.once(world, local), ['undecided'], JSON.stringify(trouble));
    t.is(set.hits, 1);
    faults.remove(set.id);
  }
  t.is(network.requests.length, 1);
  t.is((await network.deliver()).kind, 'accepted');
  t.deepEqual(await looks.once(world, local), ['accepted']);
  t.is((await world.row(hash)).status, 'completed');
  t.is(network.requests.length, 1);
  t.deepEqual(await world.audit(), []);
});

test('P26 the sender changes party and key between claim and send, and turns hosted before the look: one party throughout', async (t) => {
  const world = await createWorld(t, external);
  const [alice, bob, heir] = [
    await world.user(),
    await world.user(),
    await world.user({ parties: 'hosted' }),
  ];
  let changed = false;
  const betweenClaimAndSend = (ledger: Ledger): Ledger => ({
    ...ledger,
    // The last that it asks for: nothing is left that could make it begin anew, with the sender as he is then.
    async prepare(transfer, maxRecordTime, call) {
      const prepared = await ledger.prepare(transfer, maxRecordTime, call);
      if (!changed && prepared.kind === 'read') {
        changed = true;
        await world.db.query(
          `update users set canton_party_id = $2, canton_party = $2, canton_private_key_encrypted = null
            where evm_address = $1`,
          [alice.address, heir.party],
        );
      }
      return prepared;
    },
  });
  const network = createNetwork();
  network.next('unheard');
  await startLocal(t, world, {
    ledger: (ledger) => network.wrap(betweenClaimAndSend(ledger)),
  });
  const hash = await world.insert({ from: alice, to: bob, amount: 3 });
  await world.ended([hash]);
  t.is((await world.row(hash)).status, 'completed');
  t.deepEqual(
    network.requests.map(({ sender }) => sender),
    [alice.party],
  );
  const asked = new Set(network.streams.flatMap(({ parties }) => parties as readonly string[]));
  t.true(asked.has(alice.party));
  t.false(asked.has(heir.party));
  t.is(world.sandbox.balances(bob.party).DEMO?.amount, '103.0000000000');
});

test('a rejection of what was signed is its end: read from the stream, it goes again long before its bound', async (t) => {
  const world = await createWorld(t, external);
  const [alice, bob] = [await world.user({ holdings: 2 }), await world.user()];
  const network = createNetwork();
  network.next('unheard');
  const { faults } = world.sandbox;
  faults.add({
    on: 'submit',
    times: 1,
    do: { kind: 'reject', with: { error: 'LOCAL_VERDICT_LOCKED_CONTRACTS' } },
  });
  await startLocal(t, world, { ledger: network.wrap });
  const hash = await world.insert({ from: alice, to: bob });
  await world.ended([hash]);
  t.is((await world.row(hash)).status, 'completed');
  const [first, second] = world.sandbox.audit.of(hash);
  t.true((second?.at ?? Number.NaN) < (first?.maxRecordTime ?? Number.NaN) / 1_000);
  t.is(network.requests.length, 2);
  t.deepEqual(await world.audit(), []);
});

const TAMPERED = {
  receiver: /receiver/,
  amount: /amount/,
  instrument: /instrument/,
  extraNode: /receiver|node/,
  extraInput: /input/,
  extraRoot: /root/,
  hash: /hash/,
  noMaxRecordTime: /max_record_time/,
  lateMaxRecordTime: /max_record_time/,
  commandId: /command/,
  otherParty: /act_as|acting/,
  synchronizer: /synchronizer/,
} as const;

test('a participant that prepares something else gets no signature: the row is parked, the reason named, others go on', async (t) => {
  const world = await createWorld(t, external);
  const bob = await world.user();
  const local = await startLocal(t, world);
  const rows: { readonly hash: string; readonly what: keyof typeof TAMPERED }[] = [];
  for (const what of Object.keys(TAMPERED) as (keyof typeof TAMPERED)[]) {
    const from = await world.user({ holdings: 2 });
    world.sandbox.faults.add({ on: PREPARE, match: { party: from.party }, do: { kind: 'tamper', what } });
    rows.push({ hash: await world.insert({ from, to: bob }), what });
  }
  const honest = await world.insert({ from: bob, to: await world.user() });
  await world.ended([honest]);
  for (const { hash, what } of rows) {
    const { reason } = await local.event('parked', (event) => event.txHash === hash);
    t.regex(reason, /^TAMPERED: /, what);
    t.regex(reason, TAMPERED[what], what);
    t.true(local.events.some((event) => event.kind === 'alarm' && event.txHash === hash));
    const row = await world.row(hash);
    t.is(row.status, 'pending');
    t.true(row.parked);
    t.is(row.sent_until, null);
    t.is(world.sandbox.audit.of(hash).length, 0);
  }
  t.deepEqual(await world.audit(), []);
});

test('switched off, what was prepared is signed as it came; a bound that is absent or too late is still refused', async (t) => {
  const world = await createWorld(t, external);
  const bob = await world.user();
  const local = await startLocal(t, world, { settings: { verifyPrepared: false } });
  const tamper = async (what: 'receiver' | 'noMaxRecordTime' | 'lateMaxRecordTime'): Promise<string> => {
    const from = await world.user();
    world.sandbox.faults.add({ on: PREPARE, match: { party: from.party }, do: { kind: 'tamper', what } });
    return world.insert({ from, to: bob });
  };
  const signed = await tamper('receiver');
  const refused = [await tamper('noMaxRecordTime'), await tamper('lateMaxRecordTime')];
  await world.ended([signed]);
  for (const hash of refused) {
    const { reason } = await local.event('parked', (event) => event.txHash === hash);
    t.regex(reason, /^TAMPERED: max_record_time/);
    t.is(world.sandbox.audit.of(hash).length, 0);
  }
});

test('a key that cannot be opened parks its row alone, and says so; without a master key so does every external one', async (t) => {
  const world = await createWorld(t, { dedup: false, toleranceMs: 1_000_000 });
  const [alice, bob, hosted] = [
    await world.user({ parties: 'external' }),
    await world.user({ parties: 'external' }),
    await world.user(),
  ];
  await world.db.query(`update users set canton_private_key_encrypted = 'AAAA' where evm_address = $1`, [
    alice.address,
  ]);
  const local = await startLocal(t, world);
  const unreadable = await world.insert({ from: alice, to: bob });
  const fine = [
    await world.insert({ from: bob, to: alice }),
    await world.insert({ from: hosted, to: alice }),
  ];
  await world.ended(fine);
  t.regex((await local.event('parked')).reason, /^KEY_UNREADABLE: /);
  t.is(world.sandbox.audit.of(unreadable).length, 0);
  await local.stop();

  const poor = await startLocal(t, world, { signer: createSigner(null) });
  const keyless = await world.insert({ from: bob, to: alice, nonce: 1 });
  const goesOn = await world.insert({ from: hosted, to: alice, nonce: 1 });
  await world.ended([goesOn]);
  t.regex((await poor.event('parked')).reason, /^MASTER_KEY_MISSING: .*replay/);
  await poor.stop();

  await startLocal(t, world, { signer: createSigner(MASTER_KEY) });
  await replay(world);
  await world.ended([keyless]);
  t.is((await world.row(keyless)).status, 'completed');
  t.true((await world.row(unreadable)).parked);
  t.deepEqual(await world.audit(), []);
});

test('one fleet serves both: a hosted sender pays an external one, who pays it back', async (t) => {
  const world = await createWorld(t, { dedup: false, toleranceMs: 1_000_000 });
  const [hosted, signs] = [
    await world.user({ balance: 10 }),
    await world.user({ balance: 0, parties: 'external' }),
  ];
  await startLocal(t, world);
  await world.ended([await world.insert({ from: hosted, to: signs, amount: 7 })]);
  const back = await world.insert({ from: signs, to: hosted, amount: 5 });
  await world.ended([back]);
  t.is((await world.row(back)).status, 'completed');
  t.deepEqual(
    world.sandbox.audit.entries.map(({ method }) => method),
    ['CommandService/SubmitAndWait', 'InteractiveSubmissionService/ExecuteSubmissionAndWait'],
  );
  t.deepEqual(await world.audit(), []);
});

test('P25 a slow preparation that outlasts its window: nothing leaves under that bound', async (t) => {
  const world = await createWorld(t, external);
  const [alice, bob] = [await world.user(), await world.user()];
  const windowMs = 20_000;
  let skewMs = 0;
  const local = await startLocal(t, world, {
    settings: { windowMs, leaseMs: 120_000 },
    clock: { elapsed: () => performance.now() + skewMs },
    // By its own clock the first one takes that long.
    ledger: (ledger) => ({
      ...ledger,
      async prepare(transfer, maxRecordTime, call) {
        const prepared = await ledger.prepare(transfer, maxRecordTime, call);
        skewMs = scaled(windowMs);
        return prepared;
      },
    }),
  });
  const hash = await world.insert({ from: alice, to: bob });
  await givenBack(local, /^NOT_SENT: too little of the submission window/);
  await world.ended([hash]);
  const row = await world.row(hash);
  t.is(row.status, 'completed');
  t.is(row.attempts, 1, 'what was not sent does not count as an attempt');
  t.is(world.sandbox.audit.of(hash).length, 1);
  t.deepEqual(await world.audit(), []);
});

test("the participant's clock runs ahead by far: nothing is signed, no row parks, and all of them go when it is set", async (t) => {
  const world = await createWorld(t, external);
  const [alice, bob] = [await world.user(), await world.user()];
  await world.sandbox.control({ kind: 'clockSkew', ms: 0, participantMs: 900_000 });
  const local = await startLocal(t, world);
  const hash = await world.insert({ from: alice, to: bob });
  const { attempts } = await givenBack(local, /^PARTICIPANT_CLOCK_AHEAD: .* set both clocks by NTP$/);
  t.is(attempts, -1, 'what was not sent does not count as an attempt');
  t.is(world.sandbox.audit.of(hash).length, 0);
  await world.sandbox.control({ kind: 'clockSkew', ms: 0, participantMs: 0 });
  await world.ended([hash]);
  t.like(await world.row(hash), { status: 'completed', attempts: 1 });
  t.deepEqual(await world.audit(), []);
});
