// What is paused does not leave: rows that wait are not claimed, and one that was claimed before, and is slow, is given back.
import type { ExecutionContext } from 'ava';
import { pauseRows, resumeRows } from '../../src/store/operator/pauses.js';
import { openDatabase } from '../../src/store/pool.js';
import { forBoth } from '../support/both.js';
import { givenBack, startLocal } from '../support/local.js';
import { createWorld, type Parties } from '../support/world.js';

function signal() {
  let give = (): void => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { give: () => give(), given };
}

forBoth(
  'paused: nothing leaves a second later, whether it waits or is in an instance’s hands; resumed, each goes once',
  async (t: ExecutionContext, parties: Parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const database = openDatabase({ url: world.db.url });
    t.teardown(() => database.close());
    const [alice, bob] = [await world.user(), await world.user()];
    const held = signal();
    const reading = signal();
    /** A pause is asked about again half a second after the claim. */
    let passedMs = 0;
    const local = await startLocal(t, world, {
      clock: { elapsed: () => performance.now() + passedMs },
      ledger: (ledger) => ({
        ...ledger,
        async holdings(...question) {
          reading.give();
          await held.given;
          return ledger.holdings(...question);
        },
      }),
    });
    const slow = await world.insert({ from: alice, to: bob });
    await reading.given;
    await pauseRows(database, { scope: 'all' }, 'upgrade', 'ann@ops');
    const waits = await world.insert({ from: bob, to: alice });
    passedMs = 501;
    held.give();
    const { attempts } = await givenBack(local, /^NOT_SENT: paused: upgrade$/);
    t.is(attempts, -1, 'not counted');
    const claims = local.events.length;
    await local.event('claimed', (event) => local.events.indexOf(event) > claims && event.rows === 0);
    t.is(world.sandbox.audit.entries.length, 0, 'nothing has left');
    t.like(await world.row(waits), { status: 'pending', attempts: 0, claim_token: null });

    await resumeRows(database, { scope: 'all' }, null, 'ann@ops');
    await world.ended([slow, waits]);
    for (const hash of [slow, waits]) {
      t.is((await world.row(hash)).status, 'completed');
      t.is(world.sandbox.audit.of(hash).length, 1);
    }
  },
);
