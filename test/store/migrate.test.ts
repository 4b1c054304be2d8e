import test from 'ava';
import { ConfigError } from '../../src/core/errors.js';
import { schemaProblems } from '../../src/store/check.js';
import { migrateDown } from '../../src/store/migrate/down.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { printMigration } from '../../src/store/migrate/print.js';
import { freshDatabase, type TestDatabase } from '../support/postgres.js';
import { insertRow, insertUser, MIDDLEWARE, migrateOptions, prepared } from './support.js';

/** Everything of the schema that a person could see. */
async function catalog(db: TestDatabase) {
  const relation = `'mempool'::regclass`;
  return {
    columns:
      await db.query(`select attname, atttypid::regtype::text as type, attnotnull, pg_get_expr(adbin, adrelid) as value,
        col_description(attrelid, attnum) as comment
      from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where attrelid = ${relation} and attnum > 0 and not attisdropped order by attname`),
    indexes: await db.query(
      `select pg_get_indexdef(indexrelid) as def, indisvalid from pg_index where indrelid = ${relation} order by 1`,
    ),
    constraints: await db.query(
      `select conname, pg_get_constraintdef(oid) as def from pg_constraint where conrelid = ${relation} order by 1`,
    ),
    triggers: await db.query(
      `select pg_get_triggerdef(oid) as def from pg_trigger where tgrelid = ${relation} order by 1`,
    ),
    table: await db.query(
      `select reloptions, obj_description(oid) as comment from pg_class where oid = ${relation}`,
    ),
    functions: await db.query(
      `select proname, pg_get_functiondef(oid) as def from pg_proc where proname like 'mempool%' order by 1`,
    ),
    relations: await db.query<{ relname: string }>(
      `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'i', 'S') order by 1`,
    ),
  };
}

const agreed = async () => true;

const pin = (db: TestDatabase) =>
  db.one<{ generation: string; lanes: string; protocol: number }>('select * from mempool_submitter_v1');

test('migrate again changes nothing: same generation, no index built', async (t) => {
  const db = await prepared(t);
  const before = await catalog(db);
  const said: string[] = [];
  await migrate(migrateOptions(db.url, { say: (line) => said.push(line) }));
  t.deepEqual(await catalog(db), before);
  t.is((await pin(db)).generation, '1');
  t.deepEqual(
    said.filter((line) => /building|dropping|pinned/.test(line)),
    [],
  );
  t.deepEqual(await schemaProblems(db.database, 'sender'), []);
});

test('migrate on what an earlier version left: functions that took or returned something else are replaced', async (t) => {
  const db = await prepared(t);
  const before = await catalog(db);
  const claims = 'boolean, bigint, text, int, float8, bigint, bigint, float8';
  await db.query(`drop function mempool_claim_v1, mempool_write_ahead_v1, mempool_stale_v1, mempool_moved_v1, mempool_database_v1;
    drop table mempool_submitter_audit_v1;
    alter table mempool_submitter_v1 drop column database_id, drop column timeline, drop column halted, drop column recheck_from,
      drop column recheck_until, drop column recheck_at;
    create function mempool_claim_v1(${claims}) returns table (answer text, sent_on int) language sql as $$ select 'none', 1 $$;
    create function mempool_write_ahead_v1(bigint, bigint, uuid, boolean, bigint, timestamptz, text, text, int) returns text
      language sql as $$ select 'yield' $$`);
  t.is(await db.store.pinned(), null, 'not migrated, as far as this version is concerned');
  await migrate(migrateOptions(db.url));
  t.deepEqual(await catalog(db), before);
  const pinned = await db.store.pinned();
  t.is(pinned?.generation, 2n);
  t.truthy(pinned?.database, 'pinned now');
  t.deepEqual(pinned?.database, pinned?.answeringDatabase);
  t.deepEqual(await schemaProblems(db.database, 'sender'), []);
  await db.query(`drop function mempool_claim_v1;
    create function mempool_claim_v1(${claims}) returns table (answer text, last_error text, sender_key text) language sql
      as $$ select 'none', '', '' $$`);
  await migrate(migrateOptions(db.url));
  t.deepEqual(await catalog(db), before);
});

test('the settle of an earlier build stays until the pin stops its instances: they have outcomes to write', async (t) => {
  const db = await prepared(t);
  const before = await catalog(db);
  const settles = 'select pronargs from pg_proc where proname = $1 order by 1';
  const old =
    'boolean, bigint[], uuid[], text[], text[], bigint[], text[], text[], boolean[], float8[], int[]';
  await db.query(`create function mempool_settle_v1(${old}) returns int language sql as $$ select 1 $$;
    update mempool_submitter_v1 set protocol = 1`);
  const killed = migrate(
    migrateOptions(db.url, {
      say: (line) => {
        if (line.endsWith('are in place')) throw new Error('killed');
      },
    }),
  );
  await t.throwsAsync(killed, { message: 'killed' });
  t.is((await pin(db)).protocol, 1);
  t.deepEqual(
    (await db.query(settles, ['mempool_settle_v1'])).map(({ pronargs }) => pronargs),
    [11, 14],
  );
  await migrate(migrateOptions(db.url));
  t.like(await pin(db), { protocol: 2 });
  t.deepEqual(await catalog(db), before);
});

test('migrate on a table of canton-middleware: no row is rewritten, its inserts work, down gives it back', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  await db.query('alter table mempool set (fillfactor = 95, parallel_workers = 2)');
  for (let n = 0; n < 5; n++) await insertRow(db.query, { from: `s${n}` });
  await db.query("update mempool set status = 'mined'");
  const before = await catalog(db);
  const file = "select pg_relation_filenode('mempool') as file";
  const { file: fileBefore } = await db.one(file);

  await migrate(migrateOptions(db.url));
  t.is((await db.one(file)).file, fileBefore);
  await insertRow(db.query);
  t.is(
    (await db.query("select 1 from mempool where status = 'pending' and available_at <= now()")).length,
    1,
  );
  const undescribed = `select attrelid::regclass::text || '.' || attname as name from pg_attribute
    where attrelid in ('mempool'::regclass, 'mempool_submitter_v1'::regclass, 'mempool_submitter_audit_v1'::regclass,
      'mempool_ended_v1'::regclass, 'mempool_instances_v1'::regclass, 'mempool_pauses_v1'::regclass, 'mempool_attempts_v1'::regclass) and attnum > 0 and not attisdropped
      and col_description(attrelid, attnum) is null`;
  t.deepEqual(await db.query(undescribed), []);

  await migrateDown(db.url, agreed, () => {});
  const { relations, ...rest } = await catalog(db);
  t.deepEqual({ ...rest, relations: before.relations }, before);
  t.deepEqual(
    relations.map(({ relname }) => relname).filter((name) => name.startsWith('mempool_')),
    [
      'mempool_attempts_v1',
      'mempool_ended_v1',
      'mempool_ended_v1_pkey',
      'mempool_id_seq',
      'mempool_outbox_consumers_v1',
      'mempool_outbox_consumers_v1_pkey',
      'mempool_outbox_counter_v1',
      'mempool_outbox_counter_v1_pkey',
      'mempool_outbox_dead_v1',
      'mempool_outbox_due_v1',
      'mempool_outbox_lanes_due_v1',
      'mempool_outbox_lanes_v1',
      'mempool_outbox_lanes_v1_pkey',
      'mempool_outbox_new_v1',
      'mempool_outbox_position_v1',
      'mempool_outbox_v1',
      'mempool_outbox_v1_id_seq',
      'mempool_outbox_v1_pkey',
      'mempool_pkey',
      'mempool_submitter_audit_v1',
      'mempool_submitter_audit_v1_id_seq',
      'mempool_submitter_audit_v1_pkey',
      'mempool_tx_hash_key',
    ],
    'the audit stays, and the stories, the memory of what has ended, and what was not delivered yet',
  );
  await t.throwsAsync(() => migrateDown(db.url, agreed, () => {}), { message: /nothing to undo/ });
  await migrate(migrateOptions(db.url));
  t.is((await pin(db)).generation, '1');
});

test('migrate --down is refused while a pending row has a lease or a record or is parked', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const id = await db.insert();
  const down = () => migrateDown(db.url, agreed, () => {});
  const claimed = await db.claimOne();
  await t.throwsAsync(down, { message: /1 pending rows are claimed, 1 undecided/ });
  await db.settle(claimed, { kind: 'pending', record: 'keep', wait: 'now', attempts: 0, lastError: null });
  await t.throwsAsync(down, { message: /0 pending rows are claimed, 1 undecided/ });
  const [look] = await db.look();
  if (look === undefined) return t.fail();
  await db.settle(look, { kind: 'pending', record: 'clear', wait: 'parked', attempts: 0, lastError: null });
  await t.throwsAsync(down, { message: /1 parked/ });
  await db.query('update mempool set available_at = now() where id = $1', [id]);
  await t.notThrowsAsync(down);
});

/** As psql does: one statement after the other, a dollar-quoted body in one piece. */
async function byHand(db: TestDatabase, script: string): Promise<void> {
  const client = await db.pool.connect();
  try {
    for (const statement of script.match(/(?:\$\$[\s\S]*?\$\$|'(?:[^']|'')*'|--[^\n]*|[^;$'])+;/g) ?? []) {
      await client.query(statement);
    }
  } finally {
    client.release();
  }
}

test('migrate --print, applied by hand, makes what migrate makes, and of what an earlier version left too', async (t) => {
  const [printed, byUs] = [await freshDatabase(t), await freshDatabase(t)];
  const scriptOf = (create: boolean): string =>
    printMigration(
      { lanes: 'sender', toleranceMs: 60_000, clockSkewMaxMs: 60_000, sameNonce: 'pay' },
      ['0xAA'],
      { kind: 'same' },
      create,
    );
  await t.throwsAsync(() => byHand(printed, scriptOf(false)), { message: /there is no table mempool/ });
  t.deepEqual(
    await printed.query("select relname from pg_class where relname ~ '^(mempool|users)'"),
    [],
    'no second queue is made',
  );
  await byHand(printed, scriptOf(true));
  const script = scriptOf(false);
  await migrate(migrateOptions(byUs.url));
  t.deepEqual(await catalog(printed), await catalog(byUs));
  t.like(await pin(printed), { generation: '1', lanes: 'sender', protocol: 2 });

  await printed.query(
    `update mempool_submitter_v1 set protocol = 1, database_oid = null;
     create index mempool_lane_v1 on mempool (nonce); drop index mempool_lane_v2`,
  );
  await byHand(printed, script);
  t.deepEqual(await catalog(printed), await catalog(byUs));
  t.like(await pin(printed), { generation: '2', protocol: 2 });
  await byHand(printed, script);
  t.like(await pin(printed), { generation: '2' });
});

test('P24 the first pin gives every pending row of a party an unknown record, from 0, with a bound that fits', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  await insertUser(db.query, 'hosted');
  await insertUser(db.query, 'keyed', { key: 'c2VjcmV0' });
  await insertUser(db.query, 'keyless', { mode: 'external' });
  await insertUser(db.query, 'partyless', { party: '' });
  for (const from of ['hosted', 'keyed', 'keyless', 'partyless', 'nobody'])
    await insertRow(db.query, { from });
  const offer = await insertRow(db.query, { from: 'hosted', nonce: 2 });
  await db.query("update mempool set contract_address = '0xOFFER' where id = $1", [offer]);
  const done = await insertRow(db.query, { from: 'hosted', nonce: 0 });
  await db.query("update mempool set status = 'failed' where id = $1", [done]);

  const error = await t.throwsAsync(() => migrate(migrateOptions(db.url, { oneStepTokens: null })), {
    instanceOf: ConfigError,
  });
  t.regex(error.message, /TOKENS_FILE/);
  t.is((await db.query('select 1 from mempool_submitter_v1')).length, 0);
  t.is((await db.query('select 1 from mempool where sent_until is not null')).length, 0);

  const said: string[] = [];
  await migrate(
    migrateOptions(db.url, {
      oneStepTokens: ['0x70c'],
      toleranceMs: 1_000,
      clockSkewMaxMs: 2_000,
      say: (line) => said.push(line),
    }),
  );
  t.true(said.some((line) => line.startsWith('4 pending rows will be looked up')));
  const rows =
    await db.query(`select from_address as sender, nonce, sent_from, submission_id, submission_party, m.sent_on,
      case when sent_until = 'infinity' then null else round(extract(epoch from sent_until - p.pinned_at))::int end as seconds,
      sent_until is not null as undecided
    from mempool m, mempool_submitter_v1 p order by id`);
  const unknown = { sent_from: '0', submission_id: null, sent_on: 1, undecided: true };
  t.like(rows[0], { ...unknown, submission_party: 'hosted::1220', seconds: 63 });
  t.like(rows[1], { ...unknown, submission_party: 'keyed::1220', seconds: 63 });
  t.like(rows[2], { ...unknown, submission_party: 'keyless::1220', seconds: 63 });
  t.like(rows[3], { undecided: false });
  t.like(rows[4], { undecided: false });
  t.like(rows[5], { ...unknown, seconds: null });
  t.like(rows[6], { undecided: false });
  // Only the first pin does that: a row that comes later has nothing behind it.
  const later = await insertRow(db.query, { from: 'hosted', nonce: 3 });
  await migrate(migrateOptions(db.url));
  t.is((await db.query('select 1 from mempool where id = $1 and sent_until is null', [later])).length, 1);
});

test('P24 no TOKENS_FILE is needed where no row of a hosted sender is pending', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  await insertUser(db.query, 'keyed', { key: 'c2VjcmV0' });
  await insertRow(db.query, { from: 'keyed' });
  await insertRow(db.query, { from: 'nobody' });
  await t.notThrowsAsync(() => migrate(migrateOptions(db.url, { oneStepTokens: null })));
});

test('migrate steps aside for a transaction that keeps the table: inserts go on, and it comes again', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  const keeper = await db.pool.connect();
  await keeper.query('begin; lock table mempool in access share mode');
  let aside = (): void => {};
  const stepsAside = new Promise<void>((resolve) => {
    aside = resolve;
  });
  const migrating = migrate(
    migrateOptions(db.url, { say: (line) => line.includes('trying again') && aside() }),
  );
  await stepsAside;
  await insertRow(db.query);
  await keeper.query('commit');
  keeper.release();
  await t.notThrowsAsync(migrating);
});

test('two migrations at once: one after the other, both succeed', async (t) => {
  const db = await freshDatabase(t);
  await t.notThrowsAsync(Promise.all([1, 2, 3].map(() => migrate(migrateOptions(db.url)))));
  t.is((await pin(db)).generation, '1');
});
