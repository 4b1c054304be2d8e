import test from 'ava';
import { LONG } from '../support/long.js';
import { freshDatabase } from '../support/postgres.js';
import { HANG_MS } from '../support/time.js';
import { isBroken, stress } from './stress.js';

const SECONDS = LONG ? 60 : 3;

test.serial(
  'I1 I2 I3 I6 processes that insert, claim, look, park, replay, stall and are killed: nothing overlaps, nothing is stranded',
  async (t) => {
    const { url } = await freshDatabase(t);
    const result = await stress({ url, seconds: SECONDS, processes: LONG ? 8 : 4 });
    t.log({ ...result, examples: undefined });
    t.false(isBroken(result), JSON.stringify(result, null, 2));
    t.true(result.claimed > 20 && result.looked > 2);
  },
);

test.serial('the stress can fail: without the guards of the claim it sees a sender held twice', async (t) => {
  const { url } = await freshDatabase(t);
  const result = await stress({ url, seconds: HANG_MS / 1_000, processes: 4, broken: true, kill: false });
  t.true(result.seen > 0);
});
