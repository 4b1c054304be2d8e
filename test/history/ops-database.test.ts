import test from 'ava';
import type { SubmitterEvent } from '../../src/observe/events.js';
import type { Ledger } from '../../src/ports/ledger.js';
import { openDatabase } from '../../src/store/pool.js';
import { createStore } from '../../src/store/store.js';
import { type Local, type LocalOptions, startLocal } from '../support/local.js';
import { scaled } from '../support/pace.js';
import { PATIENT } from '../support/paced-sandbox.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { createWorld, type World } from '../support/world.js';

interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

/** What the ledger has decided is on its way back for as long as the test wants. */
function heldAnswers() {
  let letGo = (): void => {};
  let go: Promise<void> = Promise.resolve();
  return {
    hold(): void {
      go = new Promise((resolve) => {
        letGo = resolve;
      });
    },
    letGo: () => letGo(),
    wrap: (ledger: Ledger): Ledger => ({
      ...ledger,
      async submit(submission, options) {
        const outcome = await ledger.submit(submission, options);
        await go;
        return outcome;
      },
    }),
  };
}

/** An instance whose database is behind the proxy; a statement without an answer is given up soon. */
function startBehind(t: Teardown, world: World, proxy: TcpProxy, options: LocalOptions): Promise<Local> {
  const database = openDatabase({
    url: proxy.through(world.db.url),
    statementTimeoutMs: scaled(1_000),
    connectTimeoutMs: scaled(2_000),
  });
  t.teardown(() => database.close());
  return startLocal(t, world, { ...options, store: () => createStore(database) });
}

const settledOf = (local: Local, hash: string) => (): boolean =>
  local.events.some((event) => event.kind === 'settled' && event.txHash === hash);

for (const [lanes, takesDown] of [
  ['sender', 'mempool_write_ahead_v1'],
  ['holdings', 'mempool_reserve_v1'],
] as const) {
  test(`I3 a database that claims but cannot write a record down costs no row an attempt, however long (LANES=${lanes})`, async (t) => {
    const world = await createWorld(t, { ...PATIENT, parties: 'external', dedup: false, lanes });
    const [alice, bob] = [await world.user(), await world.user()];
    const [written] = await world.db.query<{ is: string }>('select $1::regproc::regprocedure::text as is', [
      takesDown,
    ]);
    const [, parameters = ''] = /(\(.*)$/.exec(written?.is ?? '') ?? [];
    await world.db.query(`alter function ${written?.is} rename to away`);
    const local = await startLocal(t, world, {
      settings: { lanes, probeMs: 20, retry: { minMs: 10, maxMs: 20, maxAttempts: 2 } },
    });
    const hash = await world.insert({ from: alice, to: bob, amount: 3 });
    const givenBackAs = (event: SubmitterEvent): boolean =>
      event.kind === 'settled' &&
      event.verdict.kind === 'pending' &&
      /^NOT_SENT: the database did not write down .*does not exist/.test(event.verdict.lastError ?? '');
    await world.until(
      'it was given back again and again',
      async () => local.events.filter(givenBackAs).length > 4,
    );
    await world.db.query(`alter function away${parameters} rename to ${takesDown}`);
    await world.ended([hash]);
    t.like(await world.row(hash), { status: 'completed', attempts: 1 });
    t.is(world.sandbox.audit.of(hash).length, 1);
  });
}

test('I9 outcomes that come in while the database is away are kept, and written when it is back', async (t) => {
  const world = await createWorld(t, { ...PATIENT, dedup: false });
  const { audit } = world.sandbox;
  const proxy = await startProxy(t, world.db.url);
  const answers = heldAnswers();
  const [alice, bob, carol] = [await world.user(), await world.user(), await world.user()];
  // A lease longer than any of the outages: the outcome alone has to be kept.
  const local = await startBehind(t, world, proxy, {
    ledger: answers.wrap,
    settings: { leaseMs: 120_000 },
  });
  await local.event('ready');
  const outages = [
    ['cut', async () => proxy.cut()],
    ['refused', () => proxy.refuse()],
    ['swallowed', async () => proxy.blackHole()],
  ] as const;
  for (const [nonce, [how, takeAway]] of outages.entries()) {
    answers.hold();
    const hashes = [
      await world.insert({ from: alice, to: bob, nonce }),
      await world.insert({ from: carol, to: bob, nonce }),
      // Its verdict needs no answer of the ledger but its state.
      await world.insert({ from: bob, to: '0x00000000000000000000000000000000000000aa', nonce }),
    ];
    const [sent, other] = hashes;
    const taken = (hash: string) =>
      local.events.some((event) => event.kind === 'taken' && event.txHash === hash);
    // A claim that is cut off with its answer keeps its rows until their bound, as it should.
    await world.until(
      `all are claimed, two are sent (${how})`,
      () => hashes.every(taken) && [sent, other].every((hash) => audit.of(hash ?? '').length === 1),
    );
    await takeAway();
    answers.letGo();
    const answered = (hash: string) =>
      local.events.some((event) => event.kind === 'answered' && event.txHash === hash);
    await world.until(`row 1 is answered (${how})`, () => answered(sent ?? ''));
    if (how !== 'cut') {
      const faults = (): number =>
        local.events.filter((event) => event.kind === 'fault' && event.where === 'settle').length;
      const before = faults();
      await world.until(`two writes have failed (${how})`, () => faults() >= before + 2);
      t.false(settledOf(local, sent ?? '')(), 'nothing is settled yet');
      t.is((await world.row(sent ?? '')).status, 'pending');
    }
    await proxy.resume();
    await world.ended(hashes);
    await world.until(`all are settled (${how})`, () => hashes.every((hash) => settledOf(local, hash)()));
  }
  t.is(audit.summary().ledgerCalls, 2 * outages.length);
  t.false(
    local.events.some((event) => event.kind === 'looked'),
    'the answers were kept: none had to be found again',
  );
  t.false(local.events.some((event) => event.kind === 'fenced'));
  t.deepEqual(await world.audit(), []);
});

test('I9 an outcome that cannot be written within the lease is found again by the next attempt, and fenced', async (t) => {
  const world = await createWorld(t, { ...PATIENT, dedup: false });
  const { audit } = world.sandbox;
  const proxy = await startProxy(t, world.db.url);
  const answers = heldAnswers();
  const [alice, bob] = [await world.user(), await world.user()];
  const cut = await startBehind(t, world, proxy, {
    ledger: answers.wrap,
    settings: { leaseMs: 120_000 },
  });
  await cut.event('ready');
  answers.hold();
  const hash = await world.insert({ from: alice, to: bob });
  await world.until('it is sent', () => audit.of(hash).length === 1);
  await proxy.refuse();
  answers.letGo();
  await cut.event('answered', (event) => event.txHash === hash);
  await cut.event('fault', (event) => event.where === 'settle');
  await world.db.query('update mempool set lease_expires_at = now()');

  // Another instance, whose way to the database is open.
  const other = await startLocal(t, world);
  await world.ended([hash]);
  t.is((await other.event('looked', (event) => event.txHash === hash)).found, 'accepted');
  t.is((await world.row(hash)).status, 'completed');
  const { claim_token: holder } = await world.row(hash);

  await proxy.resume();
  const late = await cut.event('settled', (event) => event.txHash === hash);
  t.is(late.result, 'fenced');
  await cut.event('fenced', (event) => event.during === 'settle' && event.txHash === hash);
  t.like(await world.row(hash), { status: 'completed', claim_token: holder });
  t.is(audit.of(hash).length, 1);
  t.deepEqual(await world.audit(), []);
});

test('I7 a database that refuses every claim: whoever asks whether this instance is ready is told', async (t) => {
  const world = await createWorld(t);
  const [alice, bob] = [await world.user(), await world.user()];
  const local = await startLocal(t, world);
  await local.event('ready');
  const { claim } = await world.db.one<{ claim: string }>(
    "select oid::regprocedure::text as claim from pg_proc where proname = 'mempool_claim_v1'",
  );
  await world.db.query(`alter function ${claim} rename to mempool_claim_taken_away`);
  const hash = await world.insert({ from: alice, to: bob });
  const lost = await local.event('database', ({ state }) => state === 'lost');
  t.regex(lost.detail, /^it refuses every claim: function mempool_claim_v1/);
  const polls = (): number =>
    local.events.filter((event) => event.kind === 'woken' && event.by === 'poll').length;
  const before = polls();
  await world.until('it has polled on', () => polls() >= before + 3);
  t.false(local.health().ready, 'what else it may do there says nothing of claims');
  t.is(local.events.filter(({ kind }) => kind === 'database').length, 1, 'said once');
  await world.db.query(
    `alter function ${claim.replace('mempool_claim_v1', 'mempool_claim_taken_away')} rename to mempool_claim_v1`,
  );
  await world.ended([hash]);
  await world.until('it is ready again', () => local.health().ready);
});
