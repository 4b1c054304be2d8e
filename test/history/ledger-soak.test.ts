// Everything at once, in miniature: a third of the answers lost, requests late or never delivered, a process killed
// again and again. The ledger's log and its balances judge. Deduplication is off.
import test from 'ava';
import { startFleet, startInstance } from '../support/fleet.js';
import { LONG } from '../support/long.js';
import { createWorld } from '../support/world.js';

const SENDERS = 12;
const ROWS = LONG ? 120 : 40;
const KILLS = LONG ? 6 : 2;
const ROWS_FORGOTTEN = LONG ? 80 : 30;

test('I4 I5 answers lost, requests late, a process killed again and again: one effect each, failed where there is none', async (t) => {
  const world = await createWorld(t, { dedup: false, latencyMs: 100 });
  const { faults, audit } = world.sandbox;
  const users = await Promise.all(
    Array.from({ length: SENDERS }, (_, n) =>
      world.user({ holdings: 2, parties: n % 2 === 0 ? 'hosted' : 'external' }),
    ),
  );
  const env = { SUBMISSION_WINDOW_MS: '1500', CALL_TIMEOUT_MS: '1000' };
  const [victim] = await startFleet(t, world, 3, env);

  const on = 'submit';
  const one = { probability: 0.1 };
  faults.add({ on, match: one, do: { kind: 'dropAnswer', how: 'never' } });
  faults.add({ on, match: one, do: { kind: 'dropAnswer', how: 'disconnect' } });
  faults.add({ on, match: one, do: { kind: 'dropAnswer', how: { grpc: 'UNAVAILABLE' } } });
  faults.add({ on, match: one, do: { kind: 'deliverLate', ms: 700 } });
  faults.add({ on, match: { probability: 0.05 }, do: { kind: 'hang' } });

  // Up to seven tenths of a balance: what the earlier ones left, or brought, decides whether the later ones can be.
  const amounts = [10, 70, 40, 55, 25];
  const hashes: string[] = [];
  for (let n = 0; n < ROWS; n++) {
    const [from, to] = [users[n % SENDERS], users[(n * 5 + 1) % SENDERS]];
    if (from === undefined || to === undefined) return t.fail();
    hashes.push(await world.insert({ from, to, amount: amounts[n % amounts.length] ?? 1, nonce: n }));
  }
  // And one that never can be, in whatever order the others come.
  const [greedy, other] = users;
  if (greedy === undefined || other === undefined) return t.fail();
  hashes.push(await world.insert({ from: greedy, to: other, amount: 5_000, nonce: ROWS }));
  const open = async (): Promise<number> => {
    const { n } = await world.db.one<{ n: number }>(
      "select count(*)::int as n from mempool where status = 'pending'",
    );
    return n;
  };
  let instance = victim;
  for (let kills = 0; kills < KILLS && instance !== undefined; kills++) {
    // In the middle of a submission, where there still is one.
    const { log } = instance;
    await world.until(
      'it sends, or all is over',
      async () => log.some((line) => line.msg === 'sent') || (await open()) === 0,
    );
    instance.signal('SIGKILL');
    await instance.exited;
    instance = startInstance(t, world, { INSTANCE_ID: `again${kills}`, ...env });
    await instance.said((line) => line.msg === 'ready');
  }
  await world.ended(hashes);

  const summary = audit.summary();
  t.is(summary.doubleCommits, 0);
  t.is(summary.maxInFlightPerParty, 1);
  t.true(audit.entries.some((entry) => entry.outcome.kind === 'accepted' && !entry.outcome.answered));
  const ends = await world.db.query<{ status: string; n: number }>(
    'select status, count(*)::int as n from mempool group by status order by status',
  );
  t.deepEqual(
    ends.map(({ status }) => status),
    ['completed', 'failed'],
  );
  t.is(ends.find(({ status }) => status === 'completed')?.n, summary.accepted);
  t.deepEqual(await world.audit(), []);
});

test('I4 I5 three answers in ten lost after the commit, deduplication forgotten before the retry: no row failed that committed, none committed twice', async (t) => {
  // Remembered for 20 ms: whoever leans on it, sends twice.
  const world = await createWorld(t, { dedup: true, maxDeduplicationMs: 1_000, toleranceMs: 150_000 });
  const users = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      world.user({ holdings: 2, parties: n % 2 === 0 ? 'hosted' : 'external' }),
    ),
  );
  const { faults, audit } = world.sandbox;
  for (const how of ['never', 'disconnect', { grpc: 'UNAVAILABLE' }] as const)
    faults.add({ on: 'submit', match: { probability: 0.1 }, do: { kind: 'dropAnswer', how } });
  await startFleet(t, world, 2, { SUBMISSION_WINDOW_MS: '2000', CALL_TIMEOUT_MS: '1000' });
  const hashes: string[] = [];
  for (let n = 0; n < ROWS_FORGOTTEN; n++) {
    const [from, to] = [users[n % 8], users[(n * 3 + 1) % 8]];
    if (from === undefined || to === undefined) return t.fail();
    // Most of a balance: what a first attempt has moved is not there for a second one.
    hashes.push(await world.insert({ from, to, amount: [30, 60, 45][n % 3] ?? 1, nonce: n }));
  }
  await world.ended(hashes);
  t.is(audit.summary().doubleCommits, 0);
  t.true(audit.entries.some(({ outcome }) => outcome.kind === 'accepted' && !outcome.answered));
  t.deepEqual(await world.audit(), []);
});
