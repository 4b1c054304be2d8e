import test from 'ava';
import { party, type TxHash } from '../../../src/core/ids.js';
import type { SubmitterEvent } from '../../../src/observe/events.js';
import { createBreaker } from '../../../src/path/gate/breaker.js';
import {
  abandoned,
  allowance,
  closedBreaker,
  keyWait,
  onProbe,
  onProbeOver,
  onRefused,
  onServed,
  withoutKeys,
} from '../../../src/path/gate/refusals.js';

const blamed = (n: number, key: string | null) => ({
  sender: `s${n}`,
  receiver: `r${n}`,
  key,
  reason: 'R',
  held: false,
});
const INTERVAL = 5_000;

test("P29 what is everybody's trouble stops claiming, and lets one probe through per interval", (t) => {
  let state = onRefused(closedBreaker, blamed(1, null), 0, INTERVAL);
  t.is(allowance(state, 4_999), 'none');
  t.is(allowance(state, 5_000), 'one');
  state = onProbe(state);
  t.is(allowance(state, 60_000), 'none');
  state = onProbeOver(state, 6_000, INTERVAL);
  t.is(allowance(state, 10_999), 'none');
  t.is(allowance(state, 11_000), 'one');
  t.is(allowance(onServed(state, []), 11_000), 'any');
});

test("one party's trouble waits for that party alone", (t) => {
  const state = onRefused(closedBreaker, blamed(1, 'receiver:r1'), 0, INTERVAL);
  t.is(allowance(state, 0), 'any');
  t.is(keyWait(state, ['receiver:r2'], 1_000, INTERVAL).wait, null);
  t.is(keyWait(state, ['receiver:r1'], 1_000, INTERVAL).wait?.ms, 4_000);
});

test('an open key lets one row through per interval, and closes when it is served', (t) => {
  let state = onRefused(closedBreaker, blamed(1, 'receiver:r1'), 0, INTERVAL);
  const probe = keyWait(state, ['receiver:r1'], 5_000, INTERVAL);
  t.is(probe.wait, null);
  state = probe.state;
  t.is(keyWait(state, ['receiver:r1'], 5_001, INTERVAL).wait?.ms, 4_999);
  t.is(keyWait(onServed(state, ['receiver:r1']), ['receiver:r1'], 5_001, INTERVAL).wait, null);
});

test('an open key that nobody asks for any more is given up; one that rows wait for is not, nor while nothing is claimed', (t) => {
  const opened = onRefused(closedBreaker, blamed(1, 'receiver:r1'), 0, INTERVAL);
  t.deepEqual(abandoned(opened, 600_000), []);
  t.deepEqual(abandoned(opened, 605_001), ['receiver:r1']);
  const { state: asked } = keyWait(opened, ['receiver:r1'], 600_000, INTERVAL);
  t.deepEqual(abandoned(asked, 605_001), []);
  t.deepEqual(abandoned(onRefused(opened, blamed(2, null), 5_000, INTERVAL), 605_001), []);
  t.is(withoutKeys(opened, ['receiver:r1']).keys.size, 0);
});

test('what is given up is told as closed, once, so that its gauge and its alert end', (t) => {
  let now = 0;
  const events: SubmitterEvent[] = [];
  const settings = { concurrency: 1, probeMs: INTERVAL };
  const breaker = createBreaker(
    { settings, clock: { elapsed: () => now }, emit: (event) => events.push(event) },
    () => {},
  );
  const row = {
    row: `0x${'11'.repeat(32)}` as TxHash,
    sender: party('s1'),
    receiver: party('r1'),
    token: '0x70C',
    beganAt: 0,
  };
  breaker.refused(row, {
    kind: 'not-the-row',
    blame: 'sender',
    errorId: 'PERMISSION_DENIED',
    detail: 'no actAs',
    retryAfterMs: null,
  });
  for (const at of [600_000, 605_001, 605_002]) {
    now = at;
    breaker.allowance();
  }
  const states = events.flatMap((event) => (event.kind === 'breaker' ? [`${event.key} ${event.state}`] : []));
  t.deepEqual(states, ['sender:s1 open', 'sender:s1 closed']);
});

test("three senders and three receivers with nobody served between are everybody's trouble, however far apart; two are not", (t) => {
  let state = closedBreaker;
  for (const n of [1, 2]) state = onRefused(state, blamed(n, `sender:s${n}`), n, INTERVAL);
  t.is(allowance(state, 10), 'any');
  t.is(allowance(onRefused(state, blamed(3, 'sender:s3'), 10, INTERVAL), 11), 'none');
  // A quiet system: one row every few minutes, and an outage of an hour (P29).
  t.is(allowance(onRefused(state, blamed(3, 'sender:s3'), 600_000, INTERVAL), 600_001), 'none');
  const served = onServed(state, ['sender:s9']);
  t.is(allowance(onRefused(served, blamed(3, 'sender:s3'), 10, INTERVAL), 11), 'any');
});

test('P29 three bad pairs open it once: what is known of a key says nothing of anybody else', (t) => {
  let state = closedBreaker;
  for (const n of [1, 2, 3]) state = onRefused(state, blamed(n, `receiver:r${n}`), n, INTERVAL);
  t.is(allowance(state, 10), 'none');
  state = onServed(state, ['receiver:r9']);
  t.is(allowance(state, 10), 'any');
  // The third was not known by itself yet; all three come back for as long as they like.
  for (let round = 1; round < 50; round++)
    for (const n of [1, 2, 3]) {
      state = onRefused(state, blamed(n, `receiver:r${n}`), round * 6_000 + n, INTERVAL);
      t.is(allowance(state, round * 6_000 + n), 'any');
    }
});

test('a probe that meets a key that is known leaves the rest closed or open, as it was', (t) => {
  let state = onRefused(closedBreaker, blamed(1, 'receiver:r1'), 0, INTERVAL);
  state = onProbe(onRefused(state, blamed(2, null), 0, INTERVAL));
  state = onRefused(state, blamed(1, 'receiver:r1'), 6_000, INTERVAL);
  t.true(state.all?.probing);
  t.is(state.all?.probeAt, INTERVAL);
});

test('waiting counts only where all that it waits for may be the row’s own', (t) => {
  const own = onRefused(closedBreaker, { ...blamed(1, 'receiver:r1'), held: true }, 0, INTERVAL);
  t.true(keyWait(own, ['receiver:r1'], 1, INTERVAL).wait?.counts);
  const both = onRefused(own, blamed(2, 'sender:s1'), 0, INTERVAL);
  t.false(keyWait(both, ['receiver:r1', 'sender:s1'], 1, INTERVAL).wait?.counts);
});
