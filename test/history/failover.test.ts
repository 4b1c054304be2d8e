// P20: what a failover to a standby that is behind has lost, on two real servers, with real processes. Deduplication is
// off: a second submission would be a second effect.
import { randomBytes } from 'node:crypto';
import test from 'ava';
import { StoreUnavailable } from '../../src/core/errors.js';
import { openDatabase } from '../../src/store/pool.js';
import { createStore } from '../../src/store/store.js';
import { forBoth } from '../support/both.js';
import { startFleet } from '../support/fleet.js';
import { givenBack, startLocal, tokensOf } from '../support/local.js';
import { databaseAt } from '../support/postgres.js';
import { startReplicatedPostgres } from '../support/replicated-postgres.js';
import { createWorld, type NewTransfer, PARTIES } from '../support/world.js';
import { nextEvent } from './ledger-network.js';

const PATIENT = 60_000;
/** A token of two steps. */
const EURO = '0xc1A0000000000000000000000000000000000002';

test('P20 failover to a standby that lacks the last claims, write-aheads and inserts; instances reconnect at once: one effect, no failed', async (t) => {
  const servers = await startReplicatedPostgres(t);
  const world = await createWorld(t, {
    db: databaseAt(t, servers.url),
    dedup: false,
    toleranceMs: 1_000_000,
  });
  const { faults, audit } = world.sandbox;
  const fleet = await startFleet(t, world, 2, { SUBMISSION_WINDOW_MS: '20000', CALL_TIMEOUT_MS: '60000' });
  const receiver = await world.user({ balance: 0 });
  const sender = (parties: (typeof PARTIES)[number]) => world.user({ balance: 10, parties });
  const [heard, late, lost] = [
    await Promise.all(PARTIES.map(sender)),
    await Promise.all(PARTIES.map(sender)),
    await Promise.all(PARTIES.map(sender)),
  ];
  // Accepted, and nobody is told; or in the network until long after the failover.
  for (const { party } of heard)
    faults.add({ on: 'submit', match: { party }, do: { kind: 'dropAnswer', how: 'never' } });
  for (const { party } of late)
    faults.add({ on: 'submit', match: { party }, do: { kind: 'hang', deliverAfterMs: 8_000 } });

  // On the standby these rows are as they were inserted: no claim, no record.
  for (const instance of fleet) instance.signal('SIGSTOP');
  const rows = await Promise.all(
    [...heard, ...late].map((from) => world.insert({ from, to: receiver, amount: 7 })),
  );
  await servers.caughtUp();
  const standby = openDatabase({ url: servers.standbyUrl });
  t.teardown(() => standby.close());
  await t.throwsAsync(createStore(standby).pinned(), {
    instanceOf: StoreUnavailable,
    message: /this server is a standby: it has to be promoted/,
  });
  await servers.holdBack();
  for (const instance of fleet) instance.signal('SIGCONT');
  // And these it does not have at all, although they are done.
  const again = lost.map((from): NewTransfer => ({ from, to: receiver, amount: 7, txHash: randomBytes(32) }));
  const done = await Promise.all(again.map((transfer) => world.insert(transfer)));
  await world.ended(done, PATIENT);
  const sent = (): boolean => rows.every((hash) => audit.of(hash).length === 1);
  const isAccepted = (hash: string): boolean =>
    audit.of(hash).some(({ outcome }) => outcome.kind === 'accepted');
  const known = [...rows.slice(0, heard.length), ...done];
  await audit.until(() => sent() && known.every(isAccepted), PATIENT);

  await servers.killPrimary();
  await servers.promote();
  t.not(await createStore(standby).pinned(), null);
  const alarm = /the database changed from .* to .*rows are looked up on the ledger/;
  await Promise.any(
    fleet.map((one) => one.said((line) => line.msg === 'alarm' && alarm.test(String(line.what)), PATIENT)),
  );
  // The wallet hears nothing of its transfer, and sends it again: by the balance alone it would have failed.
  for (const transfer of again) await world.insert(transfer);
  await world.ended([...rows, ...done], PATIENT);
  for (const hash of [...rows, ...done]) {
    t.is((await world.row(hash)).status, 'completed');
    t.is(audit.of(hash).length, 1);
  }
  t.is(audit.summary().doubleCommits, 0);
  t.is(world.sandbox.balances(receiver.party).DEMO?.amount, `${7 * (rows.length + done.length)}.0000000000`);
  t.deepEqual(await world.audit(), []);
});

test('P20 after a recheck, failed waits until the ledger is past everything that may have been sent before it', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [poor, bob] = [await world.user({ balance: 1 }), await world.user()];
  await world.sandbox.control({ kind: 'quiet', mode: 'silent' });
  await world.db.query(
    `update mempool_submitter_v1
        set recheck_from = 0, recheck_at = now(), recheck_until = now() + interval '1 s', generation = generation + 1`,
  );
  const local = await startLocal(t, world, { settings: { lookPatienceMs: 1_500 } });
  const hash = await world.insert({ from: poor, to: bob, amount: 5 });
  await givenBack(local, /^RECHECK: /);
  // Read while nobody has it: the next claim writes a record again.
  let row = await world.row(hash);
  await world.until('nobody has it', async () => {
    row = await world.row(hash);
    return row.claim_token === null;
  });
  t.is(row.status, 'pending');
  t.is(row.sent_until, null, 'nothing of it is recorded');
  const judged = nextEvent(local, 'settled', (event) => event.verdict.kind === 'failed');
  await world.sandbox.control({ kind: 'quiet', mode: 'off' });
  await judged;
  t.is((await world.row(hash)).error_message, 'Insufficient balance.');
  t.is(world.sandbox.audit.summary().ledgerCalls, 0);
});

forBoth(
  'P20 after a recheck, a hosted transfer of two steps that would fail ends with a person: nothing rules out what may have been sent before it',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false, registry: true });
    const [poor, bob] = [await world.user({ balance: 0 }), await world.user()];
    await world.db.query(
      `update mempool_submitter_v1
          set recheck_from = 0, recheck_at = now(), recheck_until = now(), generation = generation + 1`,
    );
    const tokens = tokensOf(world);
    for (const [address, token] of tokens) tokens.set(address, { ...token, steps: 2, offerIsDone: true });
    const retry = { minMs: 10, maxMs: 100, maxAttempts: 1 };
    const local = await startLocal(t, world, { settings: { tokens, retry, lookPatienceMs: 1_500 } });
    const amountData = Buffer.from([1]);
    const ends = nextEvent(
      local,
      'settled',
      ({ verdict }) => verdict.kind === 'failed' || (verdict.kind === 'pending' && verdict.wait === 'parked'),
    );
    const hash = await world.insert({ from: poor, to: bob, contract: EURO, amountData });
    await ends;
    const row = await world.row(hash);
    if (parties === 'external') t.is(row.status, 'failed', row.last_error ?? '');
    else {
      t.like(row, { status: 'pending', parked: true, sent_until: null });
      t.regex(row.last_error ?? '', /^UNDECIDED: .*without a bound/);
    }
    t.is(world.sandbox.audit.summary().ledgerCalls, 0);
  },
);

test('P20 while the participant is not verified nothing fails: whether there was a failover is not known', async (t) => {
  const world = await createWorld(t);
  const alice = await world.user();
  let tell: (ready: boolean) => void = () => {};
  let loses = true;
  let seen = (): void => {};
  const isSeen = new Promise<void>((resolve) => {
    seen = resolve;
  });
  const local = await startLocal(t, world, {
    ledger: (ledger) => ({
      ...ledger,
      // It is verified again when its row has been given back.
      async version(options) {
        if (!loses) await isSeen;
        return ledger.version(options);
      },
      onReady(listener) {
        tell = listener;
        return ledger.onReady(listener);
      },
    }),
    /** Between the claim and its verdict the connection is lost. */
    store: (store) => ({
      ...store,
      async claim(request) {
        const reply = await store.claim(request);
        if (loses && reply.kind === 'claimed' && reply.rows.length > 0) {
          loses = false;
          tell(false);
        }
        return reply;
      },
    }),
  });
  t.teardown(async () => seen());
  const hash = await world.insert({ from: alice, to: '0x00000000000000000000000000000000000000aa' });
  await givenBack(local, /^NOT_FAILED: /);
  seen();
  await world.ended([hash]);
  t.like(await world.row(hash), { status: 'failed', attempts: 1 });
});
