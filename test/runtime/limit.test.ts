import { getEventListeners } from 'node:events';
import test from 'ava';
import { limited } from '../../src/runtime/limit.js';

/** Work that only its signal ends. */
const untilAborted = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    else signal.addEventListener('abort', () => resolve('aborted'));
  });

test('limited: it ends after so long, though nobody holds what it waits with', async (t) => {
  t.is(await limited([], 1, untilAborted), 'aborted');
  t.is(await limited([new AbortController().signal], 1, untilAborted), 'aborted');
});

test('limited: it ends with any of its signals, also one that ended before', async (t) => {
  const ended = new AbortController();
  const other = new AbortController();
  const waiting = limited([other.signal, ended.signal], null, untilAborted);
  ended.abort();
  t.is(await waiting, 'aborted');
  t.is(await limited([ended.signal], null, untilAborted), 'aborted');
});

test('limited: work that ends in time keeps its answer, and leaves nothing on signals that live long', async (t) => {
  const { signal } = new AbortController();
  t.is(await limited([signal], 60_000, async () => 'done'), 'done');
  await t.throwsAsync(
    limited([signal], null, async () => {
      throw new Error('its own');
    }),
    { message: 'its own' },
  );
  t.is(getEventListeners(signal, 'abort').length, 0);
});
