// Several marks: what the participant can show no more, pruned or of a party whose rights are gone, is no reason to wait
// for ever. Where the token may not ask for the participant id, nothing else could prove it.
import { party } from '../../src/core/ids.js';
import { forBoth } from '../support/both.js';
import { type Local, startLocal } from '../support/local.js';
import { createLooks, endBound } from '../support/looks.js';
import { advance } from '../support/marks.js';
import { createWorld, type World } from '../support/world.js';

/** The completion of this row is marked, over a stream that shows the newest mark there is. */
async function mark(world: World, local: Local, hash: string): Promise<bigint> {
  const entry = world.sandbox.audit.of(hash).find(({ outcome }) => outcome.kind === 'accepted');
  if (entry?.outcome.kind !== 'accepted') throw new Error('not accepted');
  const { offset, updateId } = entry.outcome;
  await advance(local.store, {
    ledgerEnd: BigInt(world.sandbox.ledgerEnd()),
    mark: { offset: BigInt(offset), updateId, party: party(entry.actAs[0] ?? '') },
    oldMark: (await local.store.pinned())?.mark ?? null,
  });
  return BigInt(offset);
}

forBoth(
  "P8 the rights of the newest mark's party are gone, and the id may not be asked: another party's mark proves, deaths are read, and marks move on",
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob, carol] = [await world.user(), await world.user(), await world.user()];
    const settings = { participantId: world.sandbox.participantId, callTimeoutMs: 500 };
    const first = await startLocal(t, world, { settings });
    for (const [from, to] of [
      [alice, carol],
      [bob, carol],
    ] as const) {
      const hash = await world.insert({ from, to });
      await world.ended([hash]);
      await mark(world, first, hash);
    }
    const pinned = await first.store.pinned();
    await first.stop();
    t.is(pinned?.mark?.party, party(bob.party));
    t.is(pinned?.otherMarks[0]?.party, party(alice.party));

    const { faults, audit } = world.sandbox;
    const denied = { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } } as const;
    faults.add({ on: 'PartyManagementService/GetParticipantId', do: denied });
    for (const on of ['CommandCompletionService/CompletionStream', 'UpdateService/GetUpdateById'])
      faults.add({ on, match: { party: bob.party }, do: denied });
    faults.add({ on: 'submit', times: 1, do: { kind: 'hang' } });
    const looks = createLooks();
    const second = await startLocal(t, world, { settings, store: looks.wrap });
    const hash = await world.insert({ from: carol, to: alice });
    await second.event('settled', (event) => event.txHash === hash);
    // What hangs never arrives.
    await endBound(world, hash);
    t.deepEqual(await looks.once(world, second), ['dead']);
    looks.goOn();
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    t.is(audit.of(hash).filter(({ outcome }) => outcome.kind === 'accepted').length, 1);
    await world.until('the marks have moved on', async () => {
      const now = await second.store.pinned();
      return now?.mark?.party === party(carol.party);
    });
    t.deepEqual(await world.audit(), []);
  },
);
