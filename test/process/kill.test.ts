// A sample of `npm run test:kill`, which goes through every step, participant and setting.
import test from 'ava';
import { CASES, type KillCase, killAt, nameOf } from './kill.js';

/** Each step once, each way, each participant, with deduplication off: what leans on it is found out. */
const SAMPLE: readonly KillCase[] = CASES.filter(
  ({ step, parties, apiVersion, dedup }) =>
    !dedup &&
    (parties === 'external') === (apiVersion === '3.6.0') &&
    (parties === 'external' || step === 'after the record' || step === 'after the answer, before settle'),
);

for (const wanted of SAMPLE) {
  test(`I4 kill -9 ${nameOf(wanted)}: one effect, the right end`, async (t) => {
    t.deepEqual(await killAt(t, wanted), []);
  });
}
