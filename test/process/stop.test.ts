import test from 'ava';
import { startInstance } from '../support/fleet.js';
import { startLocal } from '../support/local.js';
import { endBound } from '../support/looks.js';
import { PACE } from '../support/pace.js';
import { createWorld } from '../support/world.js';

test('SIGTERM: what is in flight ends, what was never sent goes back, what is unanswered keeps its record', async (t) => {
  const world = await createWorld(t, { timeScale: 0.2, dedup: false, latencyMs: 4_000 });
  const { audit, faults } = world.sandbox;
  const [alice, carol, dave, eve] = [
    await world.user(),
    await world.user(),
    await world.user(),
    await world.user(),
  ];
  const bob = await world.user({ balance: 0 });
  const instance = startInstance(t, world, {
    CONCURRENCY: '3',
    LEASE_MS: '20000',
    SUBMISSION_WINDOW_MS: '20000',
    STOP_GRACE_MS: '7000',
    CALL_TIMEOUT_MS: '60000',
  });
  await instance.said((line) => line.msg === 'ready');

  // One is answered within the grace, one never, one still reads its sender's holdings, one has no slot.
  faults.add({ on: 'submit', match: { party: carol.party }, do: { kind: 'hang' } });
  faults.add({
    on: 'StateService/GetActiveContracts',
    match: { party: dave.party },
    // Within the 10 s that a read may take, whatever the pace.
    do: { kind: 'slow', ms: Math.min(4_000, 8_000 / PACE) },
  });
  const unanswered = await world.insert({ from: carol, to: bob });
  await world.until('one waits for an answer that never comes', () => audit.of(unanswered).length === 1);
  const answered = await world.insert({ from: alice, to: bob });
  await world.until('one is under way', () => audit.of(answered).length === 1);
  const unsent = await world.insert({ from: dave, to: bob });
  await instance.said((line) => line.msg === 'taken' && line.txHash === unsent);
  const waiting = await world.insert({ from: eve, to: bob });
  instance.signal('SIGTERM');
  await instance.said((line) => line.msg === 'stopping');
  const afterStop = await world.insert({ from: alice, to: bob, nonce: 1 });

  t.is(await instance.exited, 0);
  t.true(instance.log.some((line) => line.msg === 'stopped' && line.clean === true));
  t.like(await world.row(answered), { status: 'completed', sent_until: null });
  const untouched = {
    status: 'pending',
    attempts: 0,
    claim_token: null,
    lease_expires_at: null,
    sent_until: null,
  };
  for (const hash of [unsent, waiting, afterStop]) t.like(await world.row(hash), untouched);
  const kept = await world.row(unanswered);
  t.like(kept, { status: 'pending', claim_token: null, lease_expires_at: null, parked: false });
  t.not(kept.sent_until, null);
  t.is(kept.submission_id, audit.of(unanswered)[0]?.submissionId ?? '');
  const { due } = await world.db.one<{ due: boolean }>(
    'select bool_and(available_at <= now()) as due from mempool',
  );
  t.true(due, 'another instance may take all of them at once');

  faults.clear();
  // What hangs never arrives.
  await endBound(world, unanswered);
  await world.sandbox.control({ kind: 'latency', ms: 20 });
  const next = await startLocal(t, world);
  await world.ended([unanswered, unsent, waiting, afterStop]);
  t.truthy(await next.event('looked', (event) => event.txHash === unanswered && event.found === 'dead'));
  t.is(audit.of(unanswered).length, 2);
  for (const hash of [answered, unsent, waiting, afterStop]) t.is(audit.of(hash).length, 1);
  t.deepEqual(await world.audit(), []);
});
