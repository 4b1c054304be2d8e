// Reads that this process ends itself, since it stops or has lost the lease: they say nothing of the row, and use up no
// attempt of it. With one attempt for each row, one that counted would park it.
import test, { type ExecutionContext } from 'ava';
import { forBoth } from '../support/both.js';
import { type LocalOptions, startLocal } from '../support/local.js';
import { PREPARE } from '../support/paced-sandbox.js';
import { createWorld, type Parties } from '../support/world.js';

const HOLDINGS = 'StateService/GetActiveContracts';
/** Longer than any test: only who asked ends it. */
const NEVER = { kind: 'slow', ms: 3_600_000 } as const;

async function reading(
  t: ExecutionContext,
  parties: Parties,
  method: string,
  optionsOf: (isRead: () => boolean) => LocalOptions = () => ({}),
) {
  const world = await createWorld(t, { parties, dedup: false });
  const [alice, bob] = [await world.user(), await world.user()];
  world.sandbox.faults.add({ on: method, match: { party: alice.party }, times: 1, do: NEVER });
  const isRead = (): boolean => (world.sandbox.audit.summary().reads[method] ?? 0) > 0;
  const options = optionsOf(isRead);
  const local = await startLocal(t, world, {
    ...options,
    settings: { ...options.settings, retry: { minMs: 20, maxMs: 100, maxAttempts: 1 } },
  });
  const hash = await world.insert({ from: alice, to: bob });
  await world.until('it is being read', isRead);
  await local.event('taken');
  return { world, local, hash };
}

async function stopped(t: ExecutionContext, parties: Parties, method: string): Promise<void> {
  const { world, local, hash } = await reading(t, parties, method);
  await local.stop();
  const row = await world.row(hash);
  t.like(row, { status: 'pending', parked: false, attempts: 0, claim_token: null, sent_until: null });
  t.regex(row.last_error ?? '', /^NOT_SENT: the grace is over, before the ledger had answered$/);
  await startLocal(t, world);
  await world.ended([hash]);
  t.is((await world.row(hash)).status, 'completed');
}

forBoth('a stop while holdings are read costs the row no attempt', (t, parties) =>
  stopped(t, parties, HOLDINGS),
);

test('a stop while a transfer is prepared costs the row no attempt (external)', (t) =>
  stopped(t, 'external', PREPARE));

forBoth('a lease that is lost while holdings are read costs the row no attempt', async (t, parties) => {
  let lost = false;
  const { world, hash } = await reading(t, parties, HOLDINGS, (isRead) => ({
    // Renewed well before the read's own 10 s are over, however slow this machine is.
    settings: { leaseMs: 3_000 },
    // As if another claim had the row; not before the read has begun, or the read would be the next claim's.
    store: (store) => ({
      ...store,
      async renew(tokens, leaseMs) {
        if (lost || !isRead()) return store.renew(tokens, leaseMs);
        lost = true;
        return new Map();
      },
    }),
  }));
  await world.ended([hash]);
  t.true(lost);
  t.like(await world.row(hash), { status: 'completed', attempts: 1 });
  t.is(world.sandbox.audit.of(hash).length, 1);
});
