import test from 'ava';
import { type LogLine, startInstance } from '../support/fleet.js';
import { createWorld } from '../support/world.js';

interface Held {
  readonly hash: string;
  /** When it was claimed. */
  readonly since: number;
  readonly lease: number;
  readonly bound: number;
}

test('I3 kill -9 in mid-flight: its rows are taken over after the lease, and looked at before anything is sent', async (t) => {
  // Deduplication is off: what is sent twice is done twice.
  const world = await createWorld(t, { dedup: false, latencyMs: 500 });
  const { audit, faults } = world.sandbox;
  const users = await Promise.all(Array.from({ length: 12 }, () => world.user()));
  const bob = await world.user({ balance: 0 });
  const fleet = ['i1', 'i2', 'i3'].map((INSTANCE_ID) =>
    startInstance(t, world, {
      INSTANCE_ID,
      CONCURRENCY: '4',
      SUBMISSION_WINDOW_MS: '3000',
      LEASE_MS: '2000',
    }),
  );
  await Promise.all(fleet.map((one) => one.said((line) => line.msg === 'ready')));
  const [victim, ...survivors] = fleet;
  if (victim === undefined) return t.fail();
  const hashes: string[] = [];
  const heldByVictim = (): Promise<Held[]> =>
    world.db.query<Held & Record<string, unknown>>(
      `select '0x' || encode(tx_hash, 'hex') as hash, extract(epoch from claimed_at)::float8 * 1000 as since,
              extract(epoch from lease_expires_at)::float8 * 1000 as lease,
              extract(epoch from sent_until)::float8 * 1000 as bound
         from mempool where status = 'pending' and claimed_by like 'i1%'`,
    );
  /** Rows of the victim whose call has reached the ledger, and has not been answered. */
  const underWay = async (): Promise<Held[]> =>
    (await heldByVictim()).filter(({ hash }) =>
      audit.entries.some((entry) => entry.commandId === hash && entry.outcome.kind === 'pending'),
    );
  // One call in five never reaches the participant: such a row may be sent again, once its bound has passed.
  faults.add({ on: 'submit', match: { probability: 0.2 }, do: { kind: 'hang' } });
  let nonce = 0;
  await world.until('the victim has calls under way', async () => {
    for (const from of users) hashes.push(await world.insert({ from, to: bob, nonce }));
    nonce += 1;
    return (await underWay()).length >= 2;
  });
  victim.signal('SIGKILL');
  await victim.exited;
  const held = await heldByVictim();
  t.true(held.length >= 1, 'it died with rows in its hands');

  faults.clear();
  await world.ended(hashes);

  const lines = survivors.flatMap((instance) => instance.log);
  /** Since the victim claimed it: one of these may have had it before. */
  const about = ({ hash, since }: Held, msg: string): LogLine[] =>
    lines
      .filter((line) => line.txHash === hash && line.msg === msg && Date.parse(String(line.time)) > since)
      .sort((a, b) => String(a.time).localeCompare(String(b.time)));
  for (const one of held) {
    const { hash, since, lease, bound } = one;
    t.is((await world.row(hash)).status, 'completed');
    const [taken] = about(one, 'taken');
    t.true(Number(taken?.at) >= lease, 'taken over after the lease, not before');
    t.true(taken?.look === true, 'to be looked at');
    const calls = audit.of(hash).filter(({ at }) => at > since);
    const sentAgain = about(one, 'sent');
    t.true(calls.length - sentAgain.length <= 1, 'the victim had called once at most');
    if (calls[0]?.outcome.kind === 'accepted') t.is(calls.length, 1, 'what was accepted is not sent again');
    for (const again of sentAgain) {
      t.true(Date.parse(String(again.time)) > bound, 'not sent again before its bound has passed');
      t.true(
        about(one, 'looked').some((line) => line.found === 'dead' && String(line.time) <= String(again.time)),
      );
    }
  }
  for (const hash of hashes) t.is((await world.row(hash)).status, 'completed');
  t.is(audit.summary().doubleCommits, 0);
  t.is(audit.summary().maxInFlightPerParty, 1);
  t.deepEqual(await world.audit(), []);
});
