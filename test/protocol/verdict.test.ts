import test from 'ava';
import {
  dead,
  lookedInVain,
  retry,
  retryIn,
  type Tries,
  undecided,
  unsent,
  verdictName,
} from '../../src/protocol/verdict.js';

const tries = (attempts: number): Tries => ({
  attempts,
  policy: { minMs: 500, maxMs: 60_000, maxAttempts: 20 },
  random: () => 0.5,
});

test('attempts used up park whatever would have tried again, and say how many there were', (t) => {
  for (const make of [dead, retry, (why: string, of: Tries) => retryIn(7, why, of)]) {
    t.like(make('WHY: x', tries(19)), { record: 'clear', attempts: 0, lastError: 'WHY: x' });
    const parked = make('WHY: x', tries(20));
    t.like(parked, { record: 'clear', wait: 'parked', attempts: 0 });
    t.regex(parked.lastError ?? '', /^WHY: x \(after 20 attempts/);
  }
});

test('I4 a look that counts parks with its record, one attempt earlier than a retry, which was counted by its claim', (t) => {
  t.like(lookedInVain('WHY: x', tries(18)), { record: 'keep', wait: 60_000, attempts: 1 });
  t.like(lookedInVain('WHY: x', tries(19), 'OVER: x'), {
    record: 'keep',
    wait: 'parked',
    attempts: 0,
    lastError: 'OVER: x',
  });
});

test('what never left and what is undecided is not counted, and never parks', (t) => {
  t.deepEqual(unsent('x'), {
    kind: 'pending',
    record: 'clear',
    wait: 'now',
    attempts: -1,
    lastError: 'NOT_SENT: x',
  });
  t.deepEqual(undecided(5, null), { kind: 'pending', record: 'keep', wait: 5, attempts: 0, lastError: null });
  t.deepEqual(
    [unsent('x'), undecided(5, null), retry('x', tries(1)), retry('x', tries(20))].map(verdictName),
    ['released', 'undecided', 'retry', 'parked'],
  );
});
