// Random histories of rows, instances, networks, ledgers and databases, against the real decisions of src/core. Many
// more by command: `npm run test:histories -- --runs 100000`.
import test from 'ava';
import { LONG } from '../support/long.js';
import { mutants, withoutGuard } from './histories/mutants.js';
import { check, inWords } from './histories/run.js';

const RUNS = LONG ? 100_000 : 4_000;
/** The rarest of them is met once in some thousand histories of its kind. */
const RUNS_WITHOUT = 40_000;

test('I3 I4 I5 I6 thousands of histories: accepted once at most, failed only what never will be, every row ends, and side by side none spends what another does', (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { broken, had } = check({ runs: RUNS, seed });
  t.is(broken, null, broken === null ? '' : `seed ${seed}, after ${broken.after}:\n${inWords(broken)}`);
  // And they are about something.
  t.log(
    `${RUNS} histories (seed ${seed}): ${[...had].map(([what, count]) => `${count} ${what}`).join(', ')}`,
  );
  for (const what of [
    'unanswered',
    'found',
    'dead',
    'fenced',
    'completed',
    'failed',
    'writes lost',
    'rechecked',
    'waits',
  ])
    t.true((had.get(what) ?? 0) > RUNS / 50, what);
  for (const what of ['another', 'foreign', 'stale', 'earlier', 'reserved'])
    t.true((had.get(what) ?? 0) > 0, what);
});

for (const [name, { kind }] of Object.entries(mutants)) {
  test(`the histories miss it when it is gone: ${name}`, (t) => {
    const { broken } = check({ runs: RUNS_WITHOUT, seed: 1, kind, rules: withoutGuard(name), shrink: false });
    t.regex(broken?.why ?? '', /^I[3456]: /);
  });
}
