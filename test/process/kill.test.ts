// A sample of `npm run test:kill`, which goes through every step, participant and setting.
import test from 'ava';
import { CASES, type KillCase, killAt, nameOf, type Step } from './kill.js';

const EXTERNAL: readonly Step[] = [
  'after prepare',
  'after the record',
  'after the execute left',
  'after the commit, before the answer',
];
const HOSTED: readonly Step[] = ['after the record', 'after the answer, before settle'];

/** A step of each kind, each way to send, with deduplication off: what leans on it is found out. */
const SAMPLE: readonly KillCase[] = CASES.filter(
  ({ step, parties, apiVersion, dedup }) =>
    !dedup &&
    (parties === 'external') === (apiVersion === '3.6.0') &&
    (parties === 'external' ? EXTERNAL : HOSTED).includes(step),
);

for (const wanted of SAMPLE) {
  test(`I4 kill -9 ${nameOf(wanted)}: one effect, the right end`, async (t) => {
    t.deepEqual(await killAt(t, wanted), []);
  });
}
