// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is looked for is the text of a source
// The database's identity, the recheck after a failover (P20), and the halt.
import type { Mutation } from './mutation.js';

const of = (file: string, find: string, put: string, match: string, what: string): Mutation => ({
  name: match.startsWith('halted') ? 'halt' : 'P20',
  file,
  find,
  put,
  test: 'test/store/recheck.test.ts',
  match,
  what,
});
const schema = (find: string, put: string, match: string, what: string): Mutation =>
  of('protocol.sql', find, put, match, what);
const rewrite = (find: string, put: string, match: string, what: string): Mutation =>
  of('src/store/recheck.ts', find, put, match, what);
const DOUBTS = 'P20 a recheck doubts every pending row*';

const held = (file: string, find: string, put: string, match: string, what: string): Mutation => ({
  ...of(file, find, put, match, what),
  test: 'test/history/table-held.test.ts',
});

export const recheck: readonly Mutation[] = [
  held(
    'src/store/pin-lock.ts',
    '      if (elapsed() < tryAt) throw held(holders, before);\n',
    '',
    'P20 a table held*',
    'nobody waits for the table, and inserts behind, while somebody works on all of it',
  ),
  held(
    'src/store/pin-lock.ts',
    '      stubborn = all.flatMap(({ pid }) => (pid === null ? [] : [pid]));\n',
    '',
    'P20 a transaction that was waited for*',
    'who was waited for in vain is not waited for again at once',
  ),
  held(
    'src/store/pin-lock.ts',
    '      tryAt = rest(all);\n',
    '',
    'P20 a transaction that was waited for*',
    'between two tries passes some time',
  ),
  held(
    'src/path/participant/participant.ts',
    "error instanceof TableHeld ? 'table-held' : 'pins-unread'",
    "'pins-unread'",
    'P20 a table held*',
    'the reason names whoever has the table, and no setting',
  ),
  held(
    'src/store/pin-lock.ts',
    'not exists (select from locks o where o.pid',
    'not exists (select from locks o where false and o.pid',
    'P20 an instance that changes*',
    'the lock of an instance that rechecks does not count as somebody else’s',
  ),
  held(
    'src/store/pin-lock.ts',
    '        await client.query(TURN);\n',
    '',
    'P20 an instance that changes*',
    'one instance at a time waits for the table',
  ),
  schema(
    ' or mempool_moved_v1(p_pin);',
    ';',
    'P20 another timeline*',
    'claim and write-ahead compare the database',
  ),
  {
    ...schema(
      ' or mempool_moved_v1(p_pin);',
      ';',
      'P20 failover*',
      'claim and write-ahead compare the database, on two real servers',
    ),
    test: 'test/store/failover.test.ts',
  },
  {
    ...schema(' or mempool_moved_v1(p_pin);', ';', 'P20 database restored*', 'so does what was restored'),
    test: 'test/store/failover.test.ts',
  },
  schema(
    'if p_pin.timeline <> left(pg_walfile_name(pg_current_wal_lsn()), 8) then',
    'if false then',
    'P20 another timeline*',
    'the timeline is compared',
  ),
  schema(
    'if p_pin.database_id <> v_asked then',
    'if false then',
    'P20 another cluster*',
    'the cluster is compared',
  ),
  schema(
    "  if mempool_stale_v1(v_pin, p_generation) then\n    answer := 'stale'",
    "  if v_pin.generation is distinct from p_generation then\n    answer := 'stale'",
    'P20 another timeline*',
    'the claim compares the database',
  ),
  schema(
    "if mempool_stale_v1(v_pin, p_generation) then return 'stale'",
    "if v_pin.generation is distinct from p_generation then return 'stale'",
    'P20 another timeline*',
    'the write-ahead compares the database',
  ),
  schema(
    'exception when insufficient_privilege or feature_not_supported or undefined_function then\n',
    'exception when feature_not_supported then\n',
    'P20 a role or server*',
    'who may not ask for the cluster goes on without',
  ),
  schema(
    'exception when insufficient_privilege or feature_not_supported or undefined_function or object_not_in_prerequisite_state',
    'exception when feature_not_supported',
    'P20 a role or server*',
    'who may not ask for the timeline goes on without',
  ),
  schema(
    "when v_moved then 'the database is not the one that was pinned'",
    '',
    'P20 until it is rechecked nothing*',
    'nothing becomes failed before the recheck',
  ),
  schema(
    '  lock table mempool in row exclusive mode;\n  select * into v_pin from mempool_submitter_v1;\n  v_lanes',
    '  select * into v_pin from mempool_submitter_v1;\n  v_lanes',
    'P20 a settle waits*',
    'a settle takes the table before its rows',
  ),
  of(
    'src/store/statements.ts',
    '\n      and not mempool_moved_v1(p)',
    '',
    'P20 until it is rechecked the marks*',
    'the marks stand still before the recheck',
  ),
  of(
    'src/store/migrate/first-pin.ts',
    'd.database_id, d.timeline, d.database_oid, d.table_oid,\n',
    'null, null, null, null,\n',
    'P20 the first pin*',
    'the first pin has the identity of the database',
  ),
  of(
    'src/store/migrate/change-pins.ts',
    'timeline = coalesce(p.timeline, d.timeline)',
    'timeline = d.timeline',
    'P20 migrate never pins*',
    'migrate leaves another database to the recheck',
  ),
  of(
    'src/store/migrate/change-pins.ts',
    'PARTS.every((part) => (pin[part] ?? null) !== null || now[part] === null) &&',
    '',
    'P20 a role or server*',
    'migrate pins what could not be asked for before',
  ),

  rewrite(
    'p.generation = $1 and mempool_moved_v1(p) as due',
    'mempool_moved_v1(p) as due',
    'P20 of many instances*',
    'the generation is compared under the lock',
  ),
  rewrite(
    'p.generation = $1 and mempool_moved_v1(p) as due',
    'p.generation = $1 as due',
    'P20 of many instances*',
    'the database is compared under the lock',
  ),
  rewrite('set claim_token = null, claimed_by = null', 'set claimed_by = null', DOUBTS, 'every claim ends'),
  rewrite(
    'least(j.look_from, m.sent_from)',
    'coalesce(m.sent_from, j.look_from)',
    DOUBTS,
    'it looks from the ledger end that was pinned',
  ),
  {
    ...rewrite(
      "coalesce(p.table_oid <> 'mempool'::regclass::oid::bigint, false)",
      'false',
      'P20 a table restored by itself*',
      'pins that may be newer than the table say nothing of where to begin',
    ),
    test: 'test/store/again.test.ts',
  },
  {
    ...rewrite(
      '${byHand}::boolean or',
      'false and ${byHand}::boolean or',
      'P20 rows copied back into the same table*',
      'a person knows what cannot be seen: from the begin',
    ),
    test: 'test/store/again.test.ts',
  },
  {
    ...rewrite(
      'case when ${byHand}::boolean or',
      'case when true or ${byHand}::boolean or',
      'P20 a database set back as a whole*',
      'what is set back as a whole has the right ledger end',
    ),
    test: 'test/store/again.test.ts',
  },
  rewrite(
    'least(j.look_from, m.sent_from)',
    'j.look_from',
    DOUBTS,
    'it looks from where the row was sent from, where that is earlier',
  ),
  rewrite('greatest(m.sent_until, j.bound)', 'j.bound', DOUBTS, 'no bound gets shorter'),
  rewrite(
    'greatest(m.sent_until, j.bound)',
    'coalesce(m.sent_until, j.bound)',
    DOUBTS,
    'a bound covers what the row does not remember',
  ),
  rewrite(
    'submission_id = case when j.looks then null else m.submission_id end',
    'submission_id = m.submission_id',
    DOUBTS,
    'what it remembers is not taken for the last',
  ),
  rewrite(
    'submission_hash = case when j.looks then null else m.submission_hash end',
    'submission_hash = m.submission_hash',
    DOUBTS,
    'nor what was signed',
  ),
  rewrite(
    'coalesce(m.submission_party, ${PARTY}) as party',
    'coalesce(${PARTY}, m.submission_party) as party',
    DOUBTS,
    'it looks for the party that was sent with',
  ),
  rewrite(
    "when j.boundless then 'infinity'",
    "when false then 'infinity'",
    DOUBTS,
    'an offer of a hosted sender has no bound',
  ),
  rewrite(
    'coalesce(${HOSTED}, true) and not',
    'coalesce(${HOSTED}, false) and not',
    'P20 a user that is gone*',
    'who is not known any more may have been hosted',
  ),
  rewrite(
    '(m.sent_until is null or m.sent_on = p.sent_on) and coalesce',
    'coalesce',
    DOUBTS,
    'what was sent on another participant stays as it is',
  ),
  of(
    'src/store/record.ts',
    'greatest(now(), to_timestamp(${notBefore}::float8 / 1000))',
    '(select now() from (select ${notBefore}::float8) q)',
    'P20 no bound begins*',
    'no bound begins before what is known of time',
  ),
  rewrite(
    ' + floor(random() * 1000000)::bigint',
    '',
    'P20 it pins the database*',
    'the generation jumps over what may be lost',
  ),
  rewrite(
    'set database_id = d.database_id, timeline = d.timeline, database_oid',
    'set database_oid',
    'P20 it pins the database*',
    'the database is pinned as it is now',
  ),
  rewrite(
    "least(case when ${RECHECKED} then p.recheck_from end, ${lookFrom('$2')})",
    "${lookFrom('$2')}",
    'P20 what it left*',
    'a second failover keeps the earlier end',
  ),
  rewrite(
    'least(case when ${RECHECKED} then p.recheck_from end,',
    'least(p.recheck_from,',
    'P20 what it left*',
    'what is past is not kept',
  ),
  of(
    'src/store/pins.ts',
    "interval '7 days'",
    "interval '700 days'",
    'P20 what it left*',
    'it is in force for seven days',
  ),
  of(
    'src/store/store.ts',
    "if (result !== null) await ring(database, 'bell');",
    '',
    'P20 it pins the database*',
    'a recheck rings',
  ),
  schema(' or p_pin.halted is not null', '', 'halted: *', 'claim and write-ahead read that they are halted'),
  of('src/store/pins.ts', 'where halted is null', 'where true', 'halted: *', 'the first reason stands'),
];
