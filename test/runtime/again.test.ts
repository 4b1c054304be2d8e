import { createServer } from 'node:net';
import test from 'ava';
import { createAgain } from '../../src/runtime/again.js';

test('one try at a time, however many failures ask for one; later each time, until one works', async (t) => {
  // Its timers keep no process; this does.
  const alive = createServer().listen(0);
  t.teardown(() => alive.close());
  let went = 0;
  let gone = (): void => {};
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      gone = resolve;
    });
  const asked: number[] = [];
  const go = (): void => {
    went += 1;
    gone();
  };
  const again = createAgain({ minMs: 1, maxMs: 8 }, () => {
    asked.push(asked.length);
    return 1;
  });
  for (let round = 1; round <= 3; round++) {
    const tried = next();
    // The poll, a bell and a notification, each of which found the database away.
    for (let n = 0; n < 20; n++) again.failed(go);
    await tried;
    t.is(went, round);
    t.is(asked.length, round, 'one timer');
  }
  again.worked();
  const tried = next();
  again.failed(go);
  await tried;
  t.is(went, 4);
});
