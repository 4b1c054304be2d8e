import test from 'ava';
import { isExhausted, onOverload, onTaken, roomFor, uncongested } from '../../../src/path/gate/refusals.js';

test('halved by overload, at most once a round trip, never below one', (t) => {
  let state = onOverload(uncongested(64), 0, 10);
  t.is(state.limit, 32);
  // All of these began before the cut: they speak of the 64.
  for (let n = 0; n < 50; n++) state = onOverload(state, 9, 11 + n);
  t.is(state.limit, 32);
  for (let n = 1; n < 20; n++) state = onOverload(state, 100 * n, 100 * n + 50);
  t.is(state.limit, 1);
});

test('grows by one a round of what is taken, up to its ceiling', (t) => {
  let state = { ...uncongested(8), limit: 4 };
  for (let n = 0; n < 4; n++) state = onTaken(state);
  t.true(state.limit > 4.8 && state.limit <= 5, `${state.limit}`);
  for (let n = 0; n < 100; n++) state = onTaken(state);
  t.is(state.limit, 8);
});

test('room is what the limit leaves; a cut below what is in flight leaves none', (t) => {
  const state = onOverload(uncongested(16), 0, 1);
  t.is(roomFor(state, 3), 5);
  t.is(roomFor(state, 12), 0);
});

test('exhausted where one at a time is too many, told by what began after the last cut', (t) => {
  let state = uncongested(2);
  t.false(isExhausted(state, 0));
  state = onOverload(state, 0, 10);
  t.false(isExhausted(state, 5));
  t.true(isExhausted(state, 20));
});

test('settles at a limit that somebody else sets: neither at one nor far above', (t) => {
  const most = 20;
  let state = uncongested(64);
  let now = 0;
  const sums: number[] = [];
  for (let round = 0; round < 400; round++) {
    const beganAt = now;
    now += 100;
    const flight = Math.floor(state.limit);
    for (let n = 0; n < flight; n++) state = n < most ? onTaken(state) : onOverload(state, beganAt + 1, now);
    if (round > 100) sums.push(flight);
    t.true(flight >= 8, `${flight}`);
  }
  const mean = sums.reduce((sum, one) => sum + one, 0) / sums.length;
  t.true(mean > 12 && mean < 22, `${mean}`);
});
