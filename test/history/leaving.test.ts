// The last moments before a request leaves, and what its record says of the ledger by then: whatever happens between the
// checks and the tick in which it leaves, or is told by another participant, nothing leaves that must not.
import test, { type ExecutionContext } from 'ava';
import { READ_BEFORE_SEND_MS } from '../../src/path/given/context.js';
import type { Ledger } from '../../src/ports/ledger.js';
import type { Lanes } from '../../src/protocol/lanes.js';
import { repin } from '../../src/store/operator/repin.js';
import { forBoth } from '../support/both.js';
import { type Local, startLocal } from '../support/local.js';
import { createLooks } from '../support/looks.js';
import { scaled } from '../support/pace.js';
import { createWorld, type Parties } from '../support/world.js';
import { createNetwork, nextEvent } from './ledger-network.js';

/** What happens once, while the token for the first submission is fetched: after the check, before the request leaves. */
function whileTheTokenIsFetched(happens: () => void) {
  let first = true;
  const meanwhile = async (): Promise<void> => {
    if (first) happens();
    first = false;
  };
  return (ledger: Ledger): Ledger => ({
    ...ledger,
    async submit(submission, options) {
      await meanwhile();
      return ledger.submit(submission, options);
    },
    async execute(signed, options) {
      await meanwhile();
      return ledger.execute(signed, options);
    },
  });
}

/** The row's first attempt is over, and nothing has left for it. */
async function nothingLeft(t: ExecutionContext, local: Local, hash: string, why: RegExp) {
  const { verdict } = await local.event('settled', ({ txHash }) => txHash === hash);
  t.like(verdict, { kind: 'pending', record: 'clear', attempts: -1 });
  t.regex((verdict.kind === 'pending' && verdict.lastError) || '', why);
  const answers = local.events.flatMap((event) => (event.kind === 'answered' ? [event.outcome.kind] : []));
  t.deepEqual(answers.slice(0, 1), ['not-sent']);
}

forBoth(
  'I1 the lease ends while a token is fetched for the request: it does not leave',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob] = [await world.user(), await world.user()];
    const leaseMs = 20_000;
    let skewMs = 0;
    const local = await startLocal(t, world, {
      ledger: whileTheTokenIsFetched(() => {
        skewMs = scaled(leaseMs);
      }),
      clock: { elapsed: () => performance.now() + skewMs },
      settings: { leaseMs },
    });
    const hash = await world.insert({ from: alice, to: bob });
    await nothingLeft(t, local, hash, /^NOT_SENT: CALL_ABORTED: the lease is about to end/);
    await world.ended([hash]);
    t.is(world.sandbox.audit.of(hash).length, 1);
    t.deepEqual(await world.audit(), []);
  },
);

forBoth(
  'I1 it is told to stop while a token is fetched for the request: it does not leave',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob] = [await world.user(), await world.user()];
    const local = await startLocal(t, world, {
      ledger: whileTheTokenIsFetched(() => void local.stop()),
    });
    const hash = await world.insert({ from: alice, to: bob });
    await nothingLeft(t, local, hash, /^NOT_SENT: CALL_ABORTED: this instance is stopping/);
    await local.stop();
    t.is(world.sandbox.audit.of(hash).length, 0);
    t.like(await world.row(hash), { status: 'pending', attempts: 0, sent_until: null, claim_token: null });
  },
);

forBoth(
  'I1 the connection is lost, and back, while a token is fetched for the request: it does not leave',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob] = [await world.user(), await world.user()];
    let tell: (ready: boolean) => void = () => {};
    const heard = (ledger: Ledger): Ledger => ({
      ...ledger,
      onReady(listener) {
        tell = listener;
        return ledger.onReady(listener);
      },
    });
    const lost = whileTheTokenIsFetched(() => {
      tell(false);
      tell(true);
    });
    const local = await startLocal(t, world, { ledger: (ledger) => lost(heard(ledger)) });
    const hash = await world.insert({ from: alice, to: bob });
    await nothingLeft(t, local, hash, /^NOT_SENT: CALL_ABORTED: the participant is not verified/);
    await world.ended([hash]);
    t.is(world.sandbox.audit.of(hash).length, 1);
    t.deepEqual(await world.audit(), []);
  },
);

test('I4 a repin between a claim that wrote its record and the send: what was claimed before it is not sent', async (t) => {
  const world = await createWorld(t, { dedup: false });
  const [alice, bob] = [await world.user({ holdings: 2 }), await world.user()];
  const network = createNetwork();
  let asked = (): void => {};
  let goOn = (): void => {};
  const wasAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const mayGoOn = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let first = true;
  const slow = (ledger: Ledger): Ledger => ({
    ...ledger,
    async holdings(owner, at, options) {
      const read = await ledger.holdings(owner, at, options);
      if (!first) return read;
      first = false;
      asked();
      await mayGoOn;
      return read;
    },
  });
  // Its record is left as it is: nobody but the one who wrote it could send for it.
  const looks = createLooks();
  const local = await startLocal(t, world, {
    ledger: (ledger) => network.wrap(slow(ledger)),
    store: looks.wrap,
  });
  const hash = await world.insert({ from: alice, to: bob });
  await wasAsked;
  t.not((await world.row(hash)).sent_until, null, 'its claim wrote its record');
  // It was paused for longer than its lease, and is taken for dead.
  await world.db.query("update mempool set lease_expires_at = now() - interval '1 second'");
  const verifiedAgain = nextEvent(local, 'ready');
  await repin(
    world.db.url,
    async () => true,
    () => {},
  );
  await verifiedAgain;
  const settled = nextEvent(local, 'settled', ({ txHash }) => txHash === hash);
  goOn();
  const { verdict, result } = await settled;
  t.is(result, 'fenced');
  t.regex(
    (verdict.kind === 'pending' && verdict.lastError) || '',
    /^NOT_SENT: the participant is not verified/,
  );
  t.is(network.requests.length, 0);
  t.like(await world.row(hash), { status: 'pending', parked: true, claim_token: null });
});

/**
 * Once it is told to, its answers to the reads before a send come from another participant, with the same holdings and a ledger
 * that is longer; the questions that prove the participant are answered by the pinned one.
 */
function besideALongerLedger() {
  const MORE = 1_000n;
  let answers = false;
  const of = (at: bigint): bigint => (answers && at > MORE ? at - MORE : at);
  return {
    answers: () => {
      answers = true;
    },
    wrap: (ledger: Ledger): Ledger => ({
      ...ledger,
      async ledgerEnd(options) {
        const end = await ledger.ledgerEnd(options);
        if (!answers || end.kind !== 'read' || options.timeoutMs !== READ_BEFORE_SEND_MS) return end;
        return { kind: 'read', value: end.value + MORE };
      },
      holdings: (owners, at, options) => ledger.holdings(owners, of(at), options),
      transferFactories: (admin, at, options) => ledger.transferFactories(admin, of(at), options),
    }),
  };
}

for (const [parties, lanes] of [
  ['hosted', 'sender'],
  ['hosted', 'holdings'],
  ['external', 'sender'],
] as const satisfies readonly (readonly [Parties, Lanes])[])
  test(`I4 no record begins beyond what the pinned participant has shown, though another has answered with a longer ledger (${parties}, ${lanes})`, async (t) => {
    const world = await createWorld(t, { parties, lanes, dedup: false });
    const [alice, carol, bob] = [await world.user(), await world.user(), await world.user()];
    const network = createNetwork();
    const beside = besideALongerLedger();
    const local = await startLocal(t, world, {
      ledger: (ledger) => network.wrap(beside.wrap(ledger)),
      settings: { lanes },
    });
    await local.event('ready');
    beside.answers();
    // From here on it has been told of a longer ledger.
    await world.ended([await world.insert({ from: carol, to: bob })]);
    network.next('lose-answer');
    const hash = await world.insert({ from: alice, to: bob });
    await local.event('sent', ({ txHash }) => txHash === hash);
    const { sent_from } = await world.row(hash);
    const end = world.sandbox.ledgerEnd();
    t.true(Number(sent_from) <= end, `${sent_from}, and the ledger ends at ${end}`);
    // So a look finds what became of it.
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    t.is(network.requests.length, 2);
    t.deepEqual(await world.audit(), []);
  });
