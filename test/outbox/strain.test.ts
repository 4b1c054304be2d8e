import test from 'ava';
import { after, FINE, probeAfterMs, type Strain } from '../../src/outbox/strain.js';

const after_ = (from: Strain, ...lanes: readonly string[]): Strain =>
  lanes.reduce((strain, lane) => after(strain, { lane, delivered: false, probe: false }), from);

test('a receiver is down when three senders in a row were refused, not when one was three times', (t) => {
  t.is(after_(FINE, 'a', 'a', 'a', 'b').kind, 'fine');
  const between = after(after_(FINE, 'a', 'b'), { lane: 'c', delivered: true, probe: false });
  t.is(after_(between, 'c').kind, 'fine');
  t.deepEqual(after_(FINE, 'a', 'b', 'c'), { kind: 'down', probes: 0 });
});

test('while it is down only probes count, each later than the one before; the first delivery ends it', (t) => {
  const down = after_(FINE, 'a', 'b', 'c', 'd', 'e');
  t.deepEqual(down, { kind: 'down', probes: 0 });
  const probed = after(down, { lane: 'a', delivered: false, probe: true });
  t.deepEqual(probed, { kind: 'down', probes: 1 });
  const policy = { minMs: 500, maxMs: 300_000 };
  t.true(probeAfterMs(probed, policy, () => 1) > probeAfterMs(down, policy, () => 1));
  t.is(
    probeAfterMs({ kind: 'down', probes: 99 }, policy, () => 1),
    300_000,
  );
  t.is(after(probed, { lane: 'a', delivered: true, probe: true }), FINE);
});
