// Which ends of completion streams add up to "something in between ends them", and which do not.
import test from 'ava';
import { createCuts } from '../../../src/path/look/cuts.js';
import type { Ledger, ReadFailure } from '../../../src/ports/ledger.js';
import { handClock } from '../../support/oauth.js';

const NAMED = /^something between us and the participant ends our completion stream after 15 s: /;

const failure = (errorId: string): ReadFailure => ({
  kind: 'failed-read',
  refusal: { kind: 'not-the-row', blame: 'all', errorId, detail: '', retryAfterMs: null },
  pruned: false,
});
const UNAVAILABLE = failure('GRPC_UNAVAILABLE');

function setup() {
  const clock = handClock();
  let ready = true;
  const cuts = createCuts({ clock, ledger: { ready: () => ready } as Ledger });
  const after = (ms: number, end: ReadFailure | null, tells = false): string | null => {
    const life = cuts.opened();
    if (tells) life.toldTime();
    clock.advance(ms);
    return life.ended(end);
  };
  const disconnect = (): void => {
    ready = false;
  };
  return { clock, cuts, after, disconnect };
}

for (const errorId of ['GRPC_UNAVAILABLE', 'STREAM_ENDED', 'GRPC_INTERNAL', 'GRPC_CANCELLED'])
  test(`the third idle stream in a row that is cut names it: ${errorId}`, (t) => {
    const { after } = setup();
    t.is(after(15_000, failure(errorId)), null);
    t.is(after(15_000, failure(errorId)), null);
    t.regex(after(15_000, failure(errorId)) ?? '', NAMED);
    t.regex(after(15_000, failure(errorId)) ?? '', NAMED);
  });

test('a time that was told, or a stream that lived as long as its reader wanted, begins the count anew', (t) => {
  for (const [end, tells] of [
    [UNAVAILABLE, true],
    [null, false],
  ] as const) {
    const { after } = setup();
    for (let n = 0; n < 2; n++) after(15_000, UNAVAILABLE);
    t.is(after(15_000, end, tells), null);
    for (let n = 0; n < 2; n++) t.is(after(15_000, UNAVAILABLE), null);
    t.regex(after(15_000, UNAVAILABLE) ?? '', NAMED);
  }
});

test('a refusal at once, one in words of the participant, and a connection that broke are something else', (t) => {
  const { after, disconnect } = setup();
  for (let n = 0; n < 4; n++) {
    t.is(after(999, UNAVAILABLE), null);
    t.is(after(15_000, failure('SERVER_IS_SHUTTING_DOWN')), null);
    t.is(after(15_000, failure('GRPC_UNAUTHENTICATED')), null);
  }
  disconnect();
  for (let n = 0; n < 4; n++) t.is(after(15_000, UNAVAILABLE), null);
});

test('streams that were open side by side end together, and count once', (t) => {
  const { clock, cuts } = setup();
  for (let n = 1; n <= 3; n++) {
    const lives = Array.from({ length: 4 }, () => cuts.opened());
    clock.advance(15_000);
    for (const life of lives) t.is(life.ended(UNAVAILABLE) !== null, n === 3, `${n}`);
  }
});
