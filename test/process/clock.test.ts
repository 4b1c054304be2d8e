import test from 'ava';
import { type Instance, SCALED, startInstance } from '../support/fleet.js';
import { scaledWindow } from '../support/pace.js';
import { createWorld } from '../support/world.js';

/** A ledger that no stall of this machine costs a call. */
const PATIENT = { timeScale: 0.2 };

const HOUR = 3_600_000;

/** Loaded before anything else: the wall clock of the process is off by so much, from its first line on. */
const shifted = (byMs: number): Record<string, string> => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`
    const Real = Date;
    globalThis.Date = class Date extends Real {
      constructor(...args) { if (args.length === 0) super(Real.now() + ${byMs}); else super(...args); }
      static now() { return Real.now() + ${byMs}; }
    };`)}`,
});

test("I7 clocks of machines off by hours, either way: nothing is earlier, later or refused; the database's time is sent", async (t) => {
  const world = await createWorld(t, { ...PATIENT, dedup: false, latencyMs: 200 });
  const { audit, faults } = world.sandbox;
  const bob = await world.user({ balance: 0 });
  const users = await Promise.all(Array.from({ length: 8 }, () => world.user()));
  const start = (id: string, byMs: number): Instance =>
    startInstance(t, world, { INSTANCE_ID: id, CONCURRENCY: '4', LEASE_MS: '20000', ...shifted(byMs) });
  const fleet = [start('early', -7 * HOUR), start('late', 5 * HOUR)];
  const [early, late] = await Promise.all(
    fleet.map(async (instance) => {
      const line = await instance.said(({ msg }) => msg === 'ready');
      return Math.round((Date.parse(String(line.time)) - Date.now()) / HOUR);
    }),
  );
  t.deepEqual([early, late], [-7, 5], 'their clocks are off indeed');

  // Two of them are refused once, so that backoffs are taken too; one loses its answer and is looked at.
  faults.add({ on: 'submit', times: 2, do: { kind: 'reject', with: { error: 'LOCAL_VERDICT_TIMEOUT' } } });
  const hashes: string[] = [];
  const both = (): boolean => fleet.every((one) => one.log.some(({ msg }) => msg === 'completed'));
  for (let nonce = 0; nonce < 3 || !both(); nonce++) {
    if (nonce === 1) faults.add({ on: 'submit', times: 1, do: { kind: 'dropAnswer', how: 'disconnect' } });
    const round = await Promise.all(users.map((from) => world.insert({ from, to: bob, nonce })));
    await world.ended(round);
    hashes.push(...round);
  }
  for (const hash of hashes) t.is((await world.row(hash)).status, 'completed');
  t.is(audit.summary().ledgerCalls, hashes.length + 2, 'one call a row, and the two that were refused');
  t.is(audit.summary().doubleCommits, 0);
  const rows = await world.db.query<{ hash: string; created: number }>(
    `select '0x' || encode(tx_hash, 'hex') as hash, extract(epoch from created_at)::float8 * 1000 as created from mempool`,
  );
  const created = new Map(rows.map((row) => [row.hash, row.created]));
  const windowMs = scaledWindow(Number(SCALED.SUBMISSION_WINDOW_MS));
  for (const { commandId, transfer, at } of audit.entries) {
    if (transfer === undefined) return t.fail();
    const arrived = created.get(commandId) ?? 0;
    const requested = transfer.requestedAt / 1000;
    t.true(
      requested <= arrived + 1 && requested >= arrived - 6_000,
      'requested when the row arrived, or a little before',
    );
    const left = transfer.executeBefore / 1000 - at;
    t.true(left > 0 && left <= windowMs, `the window that is configured, not ${left} ms`);
  }
  for (const one of fleet)
    t.false(one.log.some(({ msg }) => msg.startsWith('took back') || msg.startsWith('the claim was lost')));
  t.deepEqual(await world.audit(), []);
});
