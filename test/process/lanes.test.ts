import test, { type ExecutionContext } from 'ava';
import { startInstance } from '../support/fleet.js';
import { LONG } from '../support/long.js';
import { createWorld, type World } from '../support/world.js';

/** A ledger that no stall of this machine costs a call. */
const PATIENT = { timeScale: 0.2 };

/** Rows of these senders: high nonces first, so that arrival says nothing of the order. */
async function backlog(world: World, senders: number, nonces: readonly number[]): Promise<string[]> {
  const bob = await world.user({ balance: 0 });
  const users = await Promise.all(Array.from({ length: senders }, () => world.user()));
  const hashes: string[] = [];
  for (const nonce of [...nonces].reverse()) {
    for (const from of users) hashes.push(await world.insert({ from, to: bob, nonce }));
  }
  return hashes;
}

async function fleetOf(
  t: ExecutionContext,
  world: World,
  count: number,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const roomy = { LEASE_MS: '10000', SUBMISSION_WINDOW_MS: '20000', CALL_TIMEOUT_MS: '20000' };
  const fleet = Array.from({ length: count }, (_, index) =>
    startInstance(t, world, { INSTANCE_ID: `i${index + 1}`, ...roomy, ...env }),
  );
  await Promise.all(fleet.map((one) => one.said((line) => line.msg === 'ready')));
}

const UP_TO_8 = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const COUNT = LONG ? 8 : 3;

test(`I6 ${COUNT} processes started at one moment on a backlog of five senders: one call a row, in nonce order`, async (t) => {
  const world = await createWorld(t, { ...PATIENT, dedup: false, latencyMs: 100 });
  const { audit } = world.sandbox;
  // With these the first instances begin alone; what comes when all are ready is everybody's at once.
  const first = await backlog(world, 5, UP_TO_8);
  await fleetOf(t, world, COUNT, {});
  const second = await backlog(world, 5, UP_TO_8);
  const hashes = [...first, ...second];
  await world.ended(hashes);

  const rows = await world.db.query<{ hash: string; nonce: string; status: string }>(
    `select '0x' || encode(tx_hash, 'hex') as hash, nonce, status from mempool`,
  );
  t.true(rows.every((row) => row.status === 'completed'));
  const nonces = new Map(rows.map((row) => [row.hash, Number(row.nonce)]));
  const summary = audit.summary();
  t.is(summary.ledgerCalls, hashes.length);
  t.is(summary.accepted, hashes.length);
  t.is(summary.doubleCommits, 0);
  t.is(summary.conflicts, 0);
  t.is(summary.maxInFlightPerParty, 1);
  const inOrder = new Map<string, number[]>();
  for (const { commandId, transfer } of audit.entries) {
    if (transfer === undefined || !first.includes(commandId)) continue;
    inOrder.set(transfer.sender, [...(inOrder.get(transfer.sender) ?? []), nonces.get(commandId) ?? -1]);
  }
  t.deepEqual([...inOrder.values()], Array(5).fill(UP_TO_8));
  t.deepEqual(await world.audit(), []);
});

test('I6 switched off (LANES=off): transfers of one sender run side by side, each of them once', async (t) => {
  const world = await createWorld(t, { ...PATIENT, dedup: false, lanes: 'off', latencyMs: 100 });
  const { audit } = world.sandbox;
  const [alice, bob] = [await world.user({ balance: 100, holdings: 100 }), await world.user({ balance: 0 })];
  await fleetOf(t, world, 2, { LANES: 'off', CONCURRENCY: '2', MAX_ATTEMPTS: '1000' });
  // Few, since they fight over the same holdings: that is what lanes are for.
  const hashes: string[] = [];
  for (let nonce = 0; nonce < 6; nonce++) hashes.push(await world.insert({ from: alice, to: bob, nonce }));
  await world.ended(hashes);
  for (const hash of hashes) t.is((await world.row(hash)).status, 'completed');
  const summary = audit.summary();
  t.is(summary.accepted, hashes.length);
  t.is(summary.doubleCommits, 0);
  t.true(summary.maxInFlightPerParty > 1, 'no lane held them back');
  t.deepEqual(await world.audit(), []);
});

test('I4 I6 LANES=holdings: kill -9 in the middle, with several transfers of one sender in flight: each of them once', async (t) => {
  const world = await createWorld(t, { dedup: false, lanes: 'holdings', latencyMs: 200 });
  const { audit } = world.sandbox;
  const [alice, bob] = [await world.user({ balance: 80, holdings: 8 }), await world.user({ balance: 0 })];
  const env = { LANES: 'holdings', SUBMISSION_WINDOW_MS: '1500', LEASE_MS: '1500', CALL_TIMEOUT_MS: '20000' };
  const start = (name: string) => startInstance(t, world, { INSTANCE_ID: name, ...env });
  const hashes: string[] = [];
  for (let nonce = 0; nonce < 16; nonce++)
    hashes.push(await world.insert({ from: alice, to: bob, nonce, amount: 2 }));
  const victim = start('victim');
  await audit.until((log) => log.entries.length >= 6);
  victim.signal('SIGKILL');
  await victim.exited;
  start('heir');
  await world.ended(hashes);

  for (const hash of hashes) t.is((await world.row(hash)).status, 'completed');
  const { accepted, doubleCommits, conflicts, maxInFlightPerParty } = audit.summary();
  t.deepEqual({ accepted, doubleCommits, conflicts }, { accepted: 16, doubleCommits: 0, conflicts: 0 });
  t.true(maxInFlightPerParty > 1);
  t.deepEqual(await world.audit(), []);
});
