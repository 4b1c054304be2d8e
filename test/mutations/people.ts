// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is looked for is the text of a source
// Of what people do: replay in its four ways, repin, the tolerance.
import type { Mutation } from './mutation.js';

const of = (file: string, find: string, put: string, match: string, what: string): Mutation => ({
  name: 'people',
  file: `src/store/${file}`,
  find,
  put,
  test: 'test/store/people.test.ts',
  match,
  what,
});
const FORCE_NEW = 'replay --force-new*';
const CHANGES_NONE = 'replay --completed changes no row*';
const SETTLES = 'replay --completed settles*';
const REPIN = 'migrate --repin*';
const TOLERANCE = 'the tolerance grows by --tolerance*';

export const people: readonly Mutation[] = [
  of(
    'operator/replay.ts',
    '${SELECTED} and ${LOOKABLE} order by m.id`',
    '${SELECTED} order by m.id`',
    REPIN,
    'replay shows what it does',
  ),
  of(
    'operator/replay.ts',
    '${SELECTED} and ${LOOKABLE} order by m.id for update',
    '${SELECTED} order by m.id for update',
    REPIN,
    'replay leaves what was sent on another participant',
  ),
  of(
    'operator/force-new.ts',
    "`${SELECTED} and m.available_at = 'infinity'`",
    'SELECTED',
    FORCE_NEW,
    'only parked rows are sent anew',
  ),
  of(
    'operator/force-new.ts',
    "'forgotten', ${RECORD_FOR_AUDIT}, ",
    '',
    FORCE_NEW,
    'what is forgotten is in the audit',
  ),
  of(
    'operator/complete.ts',
    "\n       and m.available_at = 'infinity' for update",
    ' for update',
    CHANGES_NONE,
    'only a parked row is settled by hand',
  ),
  of(
    'operator/complete.ts',
    'and m.claim_token is null and m.lease_expires_at is null\n',
    '\n',
    CHANGES_NONE,
    'and only in nobody’s hands',
  ),
  of(
    'operator/complete.ts',
    'await client.query(ALONE);',
    '',
    'replay --completed: two people*',
    'one person at a time',
  ),
  of(
    'operator/complete.ts',
    'if (rows[0] !== undefined) return { takenBy: rows[0].by };',
    '',
    SETTLES,
    'no two rows are completed by one update',
  ),
  of(
    'operator/complete.ts',
    'coalesce(m.submission_party, (select',
    'coalesce((select',
    'replay --completed finds*',
    'the party is the one that was sent with',
  ),
  of(
    'operator/recheck-by-hand.ts',
    "if (claims !== null) return { kind: 'held', ...claims };",
    '',
    'replay --recheck*',
    'nobody may be at work',
  ),
  of(
    'operator/participant.ts',
    "else 'infinity' end",
    'else m.available_at end',
    REPIN,
    'undecided rows are parked',
  ),
  of(
    'operator/participant.ts',
    "    union all\n    select m.id from mempool m where m.status = 'pending' and m.claim_token is not null\n  )",
    '  )',
    REPIN,
    'claims end',
  ),
  of(
    'operator/participant.ts',
    'sent_on = sent_on + 1',
    'sent_on = sent_on',
    REPIN,
    'records know their participant',
  ),
  of('operator/participant.ts', 'ledger_end = null,', '', REPIN, 'offsets go with their participant'),
  of(
    'operator/participant.ts',
    'recheck_from = null, recheck_until = null, recheck_at = null,',
    '',
    REPIN,
    'so does a recheck',
  ),
  of(
    'operator/participant.ts',
    "or m.available_at = 'infinity' then m.last_error",
    'then m.last_error',
    REPIN,
    'what was parked keeps its reason',
  ),
  of(
    'migrate/change-pins.ts',
    'const moved = grown === 0 ? 0',
    'const moved = grown >= 0 ? 0',
    TOLERANCE,
    'bounds grow with the tolerance',
  ),
  of(
    'migrate/change-pins.ts',
    ' and m.submission_hash is null',
    '',
    TOLERANCE,
    'what was signed keeps its bound',
  ),
  of(
    'migrate/change-pins.ts',
    ' and m.sent_on = p.sent_on',
    '',
    TOLERANCE,
    'another participant’s records stay',
  ),
  of(
    'migrate/change-pins.ts',
    "recheck_until = p.recheck_until + $7::float8 * interval '1 ms'",
    'recheck_until = case when $7::float8 is not null then p.recheck_until end',
    TOLERANCE,
    'so does what a recheck waits for',
  ),
  of(
    'migrate/change-pins.ts',
    'halted = case when $6::boolean then null else p.halted end',
    'halted = case when $6::boolean is not null then null else p.halted end',
    'migrate --tolerance*',
    'only a person lets claims go on',
  ),
];
