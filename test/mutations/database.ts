// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is looked for is the text of a source
// Of the right database in real hands: what a settlement rests on, copies, memory, spellings, sessions, people.
import type { Mutation } from './mutation.js';

const in_ =
  (test: string) =>
  (file: string, find: string, put: string, match: string, what: string): Mutation => ({
    name: 'database',
    file,
    find,
    put,
    test,
    match,
    what,
  });
const fences = in_('test/store/fences.test.ts');
const again = in_('test/store/again.test.ts');
const spelling = in_('test/store/spelling.test.ts');
const proven = in_('test/store/proven.test.ts');
const marks = in_('test/history/ledger-marks.test.ts');
const undecided = in_('test/history/ledger-undecided.test.ts');
const DEATH = 'I4 a death that was read before*';
const ANY_OLD =
  "\n              or exists (select from jsonb_array_elements(q.other_marks) o\n                where (o->>'offset')::bigint = $5::bigint and o->>'update_id' = $6::text)";

export const database: readonly Mutation[] = [
  fences(
    'schema.sql',
    "when s.generation is distinct from v_pin.generation then 'the pins were changed meanwhile'",
    '',
    'I5 nothing becomes failed*',
    'an end counts under the pins of its claim',
  ),
  fences(
    'schema.sql',
    "case when v_pin.halted is not null then 'claims were halted meanwhile'\n             when v_moved",
    'case when v_moved',
    DEATH,
    'an end is not settled while claims are halted',
  ),
  fences(
    'schema.sql',
    "\n             when s.kind = 'pending' and s.bound is distinct from (extract(epoch from m.sent_until) * 1000)::float8\n               then 'its bound was moved meanwhile'",
    '',
    DEATH,
    'a death counts under the bound that was looked up',
  ),
  fences(
    'src/core/settlement.ts',
    "claim.kind === 'undecided' ? (claim.record.sentUntil ?? 'infinity') : null",
    'null',
    DEATH,
    'a death says under which bound it was read',
  ),
  fences(
    'src/store/change-pins.ts',
    'if (wanted < pinned && !lowers) {',
    'if (false) {',
    'a bound is lowered by a flag*',
    'lowering has a flag of its own',
  ),
  fences(
    'src/store/change-pins.ts',
    'if (lowers) throw new Refusal(`refused: it is halted',
    'if (false) throw new Refusal(`refused: it is halted',
    'a bound is lowered by a flag*',
    'nothing is lowered while it is halted',
  ),
  fences(
    'src/store/change-pins.ts',
    'if (clearsHalt && (changes.toleranceMs ?? pin.tolerance_ms) < least) {',
    'if (false) {',
    'a halt ends above*',
    'a halt ends above the lateness',
  ),
  fences(
    'src/store/halt.ts',
    'greatest(halted_above_ms,',
    'least(halted_above_ms,',
    'a halt ends above*',
    'the greatest of them',
  ),
  fences(
    'src/store/force-new.ts',
    '\n         and ${FINGERPRINT} = s.fingerprint',
    '',
    'replay --force-new sends exactly*',
    'as they were shown',
  ),
  fences(
    'src/store/force-new.ts',
    '.filter((tuple) => !tuple.by_hash_alone)',
    '.filter(() => true)',
    'replay --force-new takes what*',
    'by hash alone',
  ),
  fences(
    'src/store/force-new.ts',
    " + (select p.clock_skew_max_ms from mempool_submitter_v1 p) * interval '1 ms'",
    '',
    'replay --force-new takes what*',
    'a bound is past on the ledger’s clock',
  ),
  fences(
    'src/store/connected.ts',
    'if (listeners.length > 0) {',
    'if (false) {',
    'migrate --down and*',
    'nobody is connected',
  ),
  fences(
    'src/store/connected.ts',
    'if (holders.length > 0) {',
    'if (false) {',
    'migrate --down and*',
    'nobody holds a row',
  ),
  fences(
    'src/store/migrate-down.ts',
    "'drop table if exists mempool_submitter_v1',",
    "'drop table if exists mempool_submitter_v1, mempool_submitter_audit_v1, mempool_ended_v1',",
    'migrate --down says*',
    'audit and memory stay',
  ),
  fences(
    'src/store/statements.ts',
    ANY_OLD,
    '',
    'marks of several parties*',
    'any mark may be the one that was shown',
  ),
  fences(
    'src/store/statements.ts',
    "where o.mark->>'party' <> $4::text order by",
    'order by',
    'marks of several parties*',
    'one mark a party',
  ),
  marks(
    'src/path/marks.ts',
    "if (shown !== 'unsure') return shown;",
    'return shown;',
    'P8 the rights*',
    'the next mark is asked for',
  ),
  marks(
    'src/path/read-completions.ts',
    'const marks = reading.marks.slice(1);',
    'const marks: readonly Mark[] = [];',
    'P8 the rights*',
    'another mark proves the stream',
  ),
  in_('test/path/settle.test.ts')(
    'src/path/settle.ts',
    "if (settled.result === 'locked') kept.push(one);",
    'if (false) kept.push(one);',
    'I9 a row that somebody keeps locked*',
    'the outcome of a locked row is kept',
  ),

  again(
    'schema.sql',
    'if p_pin.database_oid::text <> v_asked then return true; end if;',
    '',
    'P20 a copy of the database*',
    'the database’s oid is compared',
  ),
  again(
    'schema.sql',
    "if p_pin.table_oid is not null and p_pin.table_oid <> 'mempool'::regclass::oid::bigint then return true; end if;",
    '',
    'P20 a table that was dropped*',
    'the table’s oid is compared',
  ),
  again(
    'triggers.sql',
    'update mempool_submitter_v1 set table_oid = 0;',
    '',
    'P20 what is copied back*',
    'a truncate is like another table',
  ),
  again(
    'triggers.sql',
    "if exists (select from mempool m where m.status = 'pending' and (m.lease_expires_at",
    "if false and exists (select from mempool m where m.status = 'pending' and (m.lease_expires_at",
    'P20 what is copied back*',
    'a truncate forgets nothing on its way',
  ),
  again(
    'triggers.sql',
    "where m.status in ('completed', 'failed', 'mined')\n  on conflict",
    'where false\n  on conflict',
    'P20 what is copied back*',
    'nor what has ended',
  ),
  again(
    'triggers.sql',
    "  if old.status in ('completed', 'failed', 'mined') then\n    insert",
    '  if false then\n    insert',
    'I4 a hash that has ended*',
    'ended hashes are remembered',
  ),
  again(
    'triggers.sql',
    'if found then\n    new.status',
    'if false then\n    new.status',
    'I4 a hash that has ended*',
    'a row of an ended hash is answered',
  ),
  again(
    'triggers.sql',
    'create or replace function mempool_remember_v1() returns trigger language plpgsql\nsecurity definer',
    'create or replace function mempool_remember_v1() returns trigger language plpgsql\n',
    'whoever may write to mempool*',
    'a delete needs no rights on the memory',
  ),
  again(
    'schema.sql',
    'where m.id = any (v_ids) and e.tx_hash = m.tx_hash',
    'where false and m.id = any (v_ids) and e.tx_hash = m.tx_hash',
    'I4 an insert that does not see*',
    'an ended hash is never claimed',
  ),
  again(
    'src/store/complete.ts',
    ' union all select e.tx_hash, e.update_id from mempool_ended_v1 e',
    '',
    'an update that has done a pruned row*',
    'the update of a pruned row is taken',
  ),
  again(
    'src/store/prune.ts',
    'if (remembers?.yes !== true) {',
    'if (false) {',
    'prune deletes*',
    'nothing is pruned without a memory',
  ),
  again(
    'schema.sql',
    "if v_pin.same_nonce = 'park' and not p_look then",
    'if false then',
    'SAME_NONCE=park: *completed*',
    'a used nonce parks',
  ),
  again(
    'schema.sql',
    'and not c.same_nonce_ok and',
    'and',
    'SAME_NONCE=park: *completed*',
    'a person lets it through',
  ),
  again(
    'src/store/first-pin.ts',
    'sent_by = p.old_user',
    'sent_by = null::text',
    'P24 the first pin asks*',
    'leftovers carry the old user',
  ),
  again(
    'src/store/migrate.ts',
    'if (rows[0]?.some && (options.oldUser ?? null) === null) {',
    'if (false) {',
    'P24 the first pin asks*',
    'the old user is asked for',
  ),
  undecided(
    'src/path/look.ts',
    'await readAll(reading);',
    'await readUntilDecided(reading);',
    'P24 the old submitter had a ledger user*',
    'the old user’s completions are read',
  ),
  undecided(
    'src/path/look.ts',
    "if (found !== 'dead') return await old.close(row, found, verdict);",
    'return await old.close(row, found, verdict);',
    'P24 a leftover may be our own*',
    'and then our own',
  ),
  undecided(
    'src/path/look.ts',
    'await readUntilDecided(part(reading, dead));',
    'await readUntilDecided(part(reading, [...old.open, ...dead]));',
    'P24 without the right*',
    'what the old user’s completions leave open waits',
  ),

  in_('test/history/same-nonce.test.ts')(
    'src/path/claim.ts',
    'of reply.parked ?? []) emit',
    'of []) emit',
    'SAME_NONCE=park*',
    'what is set aside for its nonce is said',
  ),

  spelling(
    'schema.sql',
    'from users a where mempool_address_v1(a.evm_address) = mempool_address_v1(f.from_address)',
    'from users a where a.evm_address = f.from_address',
    'a registered party*',
    'a sender is found by value',
  ),
  spelling(
    'schema.sql',
    'from users b where mempool_address_v1(b.evm_address) = mempool_address_v1(f.recipient_address)',
    'from users b where b.evm_address = f.recipient_address',
    'a registered party*',
    'a receiver is found by value',
  ),
  spelling(
    'schema.sql',
    'order by (a.evm_address = f.from_address) desc, a.id limit 1',
    'order by a.id limit 1',
    'of two users*',
    'the one spelled alike counts',
  ),
  spelling(
    'schema.sql',
    'pg_catalog.hashtextextended(mempool_address_v1(address), 0::bigint)',
    'pg_catalog.hashtextextended(address, 0::bigint)',
    'I6 one sender*',
    'a lane is a sender by value',
  ),

  proven(
    'schema.sql',
    "if current_setting('transaction_isolation') <> 'read committed' then",
    'if false then',
    'every statement that decides*',
    'isolation is asked for',
  ),
  proven(
    'src/store/migration.ts',
    '    await client.query(OWN_SCHEMA);\n',
    '',
    'every function of ours*',
    'functions have a path of their own',
  ),
  proven(
    'src/store/low-water.ts',
    'elapsed() - wholeAt >= WHOLE_EVERY_MS',
    'false',
    'an empty claim begins*',
    'everything is looked at now and then',
  ),
  proven(
    'src/store/store.ts',
    '        lowWater.fresh.forget();\n',
    '',
    'a row that comes in far behind*',
    'what was given back is seen at once',
  ),
];
