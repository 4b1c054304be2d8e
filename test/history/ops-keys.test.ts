import test from 'ava';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { startLocal } from '../support/local.js';
import { scaled } from '../support/pace.js';
import { PATIENT } from '../support/paced-sandbox.js';
import { createWorld, DEMO, type User } from '../support/world.js';

const PROMPT = '0xDE30000000000000000000000000000000000002';
const PROBE_MS = 300;

const CASES = [
  { blame: 'receiver', error: 'INFORMEES_NOT_ACTIVE' },
  { blame: 'token', error: 'PACKAGE_NOT_FOUND' },
  { blame: 'sender', error: 'PERMISSION_DENIED' },
] as const;

for (const { blame, error } of CASES) {
  test(`P29 ${error} is one ${blame}'s trouble: the others go on, that one is probed once an interval`, async (t) => {
    // Without lanes: else a sender's own lane would hold its rows back, whatever the breaker does.
    const world = await createWorld(t, { ...PATIENT, dedup: false, lanes: 'off' });
    const { audit, faults } = world.sandbox;
    const local = await startLocal(t, world, {
      settings: {
        lanes: 'off',
        probeMs: PROBE_MS,
        // Waiting for a receiver counts, and this is not about how long.
        retry: { minMs: 100, maxMs: 500, maxAttempts: 100_000 },
        concurrency: 2,
        pollMs: 100,
      },
    });
    const user = async (): Promise<User> => {
      const made = await world.user({ balance: 25, holdings: 25 });
      world.sandbox.createParties([
        { party: made.party, holdings: [{ token: 'PROMPT', amount: '1', count: 25 }] },
      ]);
      return made;
    };
    const [alice, bob, carol, dave] = [await user(), await user(), await user(), await user()];
    const troubled = { receiver: [alice, bob], token: [alice, bob], sender: [alice, alice] }[blame];
    const match =
      blame === 'receiver' ? [{ receiver: dave.party }] : troubled.map((one) => ({ party: one.party }));
    const set = match.map((one) =>
      faults.add({ on: 'submit', match: one, do: { kind: 'refuse', with: { error } } }),
    );
    const bad: string[] = [];
    const contract = blame === 'token' ? PROMPT : DEMO;
    // Many more than there are intervals: each that is tried beside the probes is a call too many.
    for (const [nonce, from] of Array.from({ length: 12 }, () => troubled)
      .flat()
      .entries()) {
      bad.push(await world.insert({ from, to: dave, nonce, contract }));
    }
    const key = {
      receiver: `receiver:${dave.party}`,
      token: `token:${PROMPT.toLowerCase()}`,
      sender: `sender:${alice.party}`,
    }[blame];
    const is = (state: string) => (event: Extract<SubmitterEvent, { kind: 'breaker' }>) =>
      event.state === state && event.key === key;
    await local.event('breaker', is('open'));
    const from = {
      at: performance.now(),
      calls: audit.entries.filter((entry) => bad.includes(entry.commandId)).length,
    };

    const good: string[] = [];
    for (let nonce = 0; nonce < 6; nonce++) {
      good.push(await world.insert({ from: carol, to: bob, nonce }));
      await world.ended(good);
    }
    const callsOfBad = (): number =>
      audit.entries.filter((entry) => bad.includes(entry.commandId)).length - from.calls;
    await world.until('three probes of it', () => callsOfBad() >= 3);
    const intervals = (performance.now() - from.at) / scaled(PROBE_MS);
    t.true(callsOfBad() <= Math.ceil(intervals) + 2, `${callsOfBad()} calls in ${intervals} intervals`);
    for (const hash of bad) t.like(await world.row(hash), { status: 'pending', parked: false });
    for (const hash of good) t.like(await world.row(hash), { status: 'completed', attempts: 1 });
    t.false(
      local.events.some((event) => event.kind === 'breaker' && event.key === null),
      'nobody else waited',
    );

    for (const { id } of set) faults.remove(id);
    await world.ended(bad);
    for (const hash of bad) t.is((await world.row(hash)).status, 'completed');
    await local.event('breaker', is('closed'));
    t.is(audit.summary().doubleCommits, 0);
  });
}
