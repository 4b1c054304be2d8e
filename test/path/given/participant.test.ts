// Why an instance claims nothing, in words: what is wrong, and what to do.
import test from 'ava';
import { blockerOf, disagreementWords, type Unready } from '../../../src/path/given/participant.js';

test('a setting that differs names the command that would pin it, with its value; lowering has a flag of its own', (t) => {
  const words = (
    about: 'LEDGER_TIME_TOLERANCE_MS' | 'LANES',
    mine: string | number,
    pinned: string | number,
  ) => disagreementWords({ kind: 'disagreement', about, mine, pinned });
  t.regex(words('LEDGER_TIME_TOLERANCE_MS', 90_000, 60_000), /for all with `migrate --tolerance 90000`$/);
  t.regex(
    words('LEDGER_TIME_TOLERANCE_MS', 30_000, 60_000),
    /for all with `migrate --lower-tolerance 30000`$/,
  );
  t.regex(words('LANES', 'off', 'sender'), /for all with `migrate --lanes off`$/);
});

test('another participant, user or synchronizer: point it back, or repin', (t) => {
  const why = (key: 'id' | 'userId'): Unready => ({ kind: 'pinned-otherwise', key, mine: 'a', pinned: 'b' });
  t.regex(blockerOf(why('id')).reason, /pinned to b: point CANTON_URL back, or see `migrate --repin`$/);
  t.regex(blockerOf(why('userId')).reason, /^CANTON_USER_ID is a.*: point the setting back, or/);
});
