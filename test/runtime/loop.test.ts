import test from 'ava';
import { createLoop } from '../../src/runtime/loop.js';
import { createSlots } from '../../src/runtime/slots.js';

const gate = () => {
  let open = (): void => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
};

test('a signal during a round causes exactly one more, however many there are', async (t) => {
  const rounds: string[] = [];
  const first = gate();
  const loop = createLoop<string>(
    async (reason) => {
      rounds.push(reason);
      if (rounds.length === 1) await first.passed;
    },
    (error) => t.fail(String(error)),
  );
  loop.signal('a');
  for (const reason of ['b', 'c', 'd']) loop.signal(reason);
  first.open();
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(rounds, ['a', 'b']);
  await loop.stop();
});

test('a round that throws is reported and does not end the loop', async (t) => {
  const seen: unknown[] = [];
  let rounds = 0;
  const loop = createLoop<null>(
    async () => {
      rounds += 1;
      if (rounds === 1) throw new Error('boom');
    },
    (error) => seen.push(error),
  );
  loop.signal(null);
  await new Promise((resolve) => setImmediate(resolve));
  loop.signal(null);
  await new Promise((resolve) => setImmediate(resolve));
  t.is(rounds, 2);
  t.is(seen.length, 1);
});

test('stop waits for the running round and begins no other', async (t) => {
  const held = gate();
  let rounds = 0;
  const loop = createLoop<null>(async () => {
    rounds += 1;
    await held.passed;
  }, t.log);
  loop.signal(null);
  loop.signal(null);
  const stopped = loop.stop();
  held.open();
  await stopped;
  t.is(rounds, 1);
});

test('slots are counted from the moment work is given until it has ended', async (t) => {
  const work = [gate(), gate()];
  let freed = 0;
  const slots = createSlots(2, () => {
    freed += 1;
  });
  for (const one of work) slots.run(() => one.passed);
  t.is(slots.free(), 0);
  work[0]?.open();
  while (freed === 0) await new Promise((resolve) => setImmediate(resolve));
  t.is(slots.free(), 1);
  work[1]?.open();
  await slots.idle();
  t.is(slots.busy(), 0);
});
