import test from 'ava';
import { freshDatabase } from '../support/postgres.js';
import { isBroken, stress } from './stress.js';

test.serial(
  'I1 I2 I3 I6 processes that insert, claim, look, park, replay, stall and are killed: nothing overlaps, nothing is stranded',
  async (t) => {
    const { url } = await freshDatabase(t);
    const result = await stress({ url, seconds: 12, processes: 4 });
    t.log({ ...result, examples: undefined });
    t.false(isBroken(result), JSON.stringify(result, null, 2));
    t.true(result.claimed > 50 && result.looked > 5);
  },
);

test.serial('the stress can fail: without the guards of the claim it sees a sender held twice', async (t) => {
  const { url } = await freshDatabase(t);
  const result = await stress({ url, seconds: 40, processes: 4, broken: true, kill: false });
  t.true(result.seen > 0);
});
