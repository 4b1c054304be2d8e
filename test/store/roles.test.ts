import { randomBytes } from 'node:crypto';
import test from 'ava';
import pg from 'pg';
import { transferFinding } from '../../src/cli/doctor/transfer.js';
import { loadConfig } from '../../src/config.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { printRoles } from '../../src/store/migrate/roles.js';
import { readSqlSteps } from '../../src/store/migrate/sql-files.js';
import { openDatabase } from '../../src/store/pool.js';
import { FUNCTIONS, OUTBOX_FUNCTIONS, OUTBOX_TABLES, TABLES } from '../../src/store/privileges.js';
import { cli } from '../cli/support.js';
import { startFleet } from '../support/fleet.js';
import { scaled } from '../support/pace.js';
import { freshDatabase, migratedDatabase, type TestDatabase } from '../support/postgres.js';
import { createWorld, DEMO } from '../support/world.js';

interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

const as = (db: TestDatabase, role: string): string => {
  const url = new URL(db.url);
  url.username = role;
  url.password = role;
  return url.href;
};

/** The API's tables, in the hands of a role of its own, and ours beside it; roles are the server's, so their names are new. */
async function withRoles(t: Teardown): Promise<{ db: TestDatabase; prefix: string; grant(): Promise<void> }> {
  const db = await freshDatabase(t);
  const prefix = `cms_${randomBytes(4).toString('hex')}`;
  const roles = ['api', 'migrate', 'run', 'status'].map((kind) => `${prefix}_${kind}`);
  t.teardown(async () => {
    for (const role of roles) {
      await db.query(`drop owned by ${role} cascade`);
      await db.query(`drop role ${role}`);
    }
  });
  const [apiTables] = readSqlSteps();
  await db.query(`create role ${prefix}_api; grant create on schema public to ${prefix}_api`);
  await db.query(`set role ${prefix}_api; ${apiTables?.sql ?? ''}; reset role`);
  return {
    db,
    prefix,
    async grant() {
      await db.query(printRoles(prefix));
      for (const role of roles) await db.query(`alter role ${role} password '${role}'`);
    },
  };
}

test('every table and function of ours is in the list of privileges, and no other', async (t) => {
  const db = await migratedDatabase(t);
  const names = async (sql: string) => (await db.query<{ name: string }>(sql)).map(({ name }) => name);
  const tables = await names(
    "select relname as name from pg_class where relkind in ('r', 'p', 'v', 'm') and relnamespace = 'public'::regnamespace",
  );
  const functions = await names(
    "select distinct proname as name from pg_proc where pronamespace = 'public'::regnamespace",
  );
  t.deepEqual(
    tables.sort(),
    Object.keys({ ...TABLES, ...OUTBOX_TABLES }).sort(),
    'add it to src/store/privileges.ts',
  );
  t.deepEqual(
    functions.sort(),
    Object.keys({ ...FUNCTIONS, ...OUTBOX_FUNCTIONS }).sort(),
    'add it to src/store/privileges.ts',
  );
});

test('migrate, run, status and show work under the roles of `migrate --roles`, and none of them can do more', async (t) => {
  const { db, prefix, grant } = await withRoles(t);
  await grant();
  const options = { lanes: null, toleranceMs: scaled(60_000), clockSkewMaxMs: null, oneStepTokens: [DEMO] };
  await migrate({ ...options, url: as(db, `${prefix}_migrate`), say: () => {} });
  await grant();

  const world = await createWorld(t, { db });
  const runs = as(db, `${prefix}_run`);
  await db.query(
    `insert into mempool_attempts_v1 (row_id, tx_hash, kind, number, outcome, ended_at)
     values (0, '', 'attempt', 1, 'retry', now() - interval '91 days'), (0, '', 'attempt', 2, 'retry', now() - interval '89 days')`,
  );
  await startFleet(t, world, 1, {
    DATABASE_URL: runs,
    LEDGER_TIME_TOLERANCE_MS: '60000',
  });
  const row = await world.insert({ from: await world.user(), to: await world.user() });
  await world.ended([row]);
  t.is((await world.row(row)).status, 'completed');
  const stories = () =>
    db.query<{ number: number }>('select number from mempool_attempts_v1 where row_id = 0');
  await world.until('the old story is gone', async () => (await stories()).length === 1);
  t.deepEqual(await stories(), [{ number: 2 }]);

  const reads = as(db, `${prefix}_status`);
  const shown = await cli(['status', '--json'], { DATABASE_URL: reads });
  t.is(shown.code, 0, shown.stderr);
  const story = await cli(['show', row], { DATABASE_URL: reads });
  t.is(story.code, 0, story.stderr);
  t.regex(story.stdout, /^0x[0-9a-f]{64}: completed\n/);

  // Every check of `doctor` is fine for this role; only the row of --transfer is not its to insert.
  const [from, to] = [await world.user(), await world.user()];
  const config = loadConfig({ ...world.sandbox.env, DATABASE_URL: runs });
  const database = openDatabase({ url: runs, poolSize: 1, applicationName: 'roles' });
  const named = { from: from.address, to: to.address, token: DEMO, transfer: '1', yes: true };
  const sent = await transferFinding(database, config, named);
  await database.close();
  t.is(sent?.status, 'fail');
  t.regex(sent?.what ?? '', /permission denied for table mempool: docs\/operations\.md, "Privileges"/);
  t.is((await db.query('select 1 from mempool')).length, 1);

  const denied: Readonly<Record<string, readonly string[]>> = {
    [runs]: [
      'delete from mempool',
      'truncate mempool',
      'insert into mempool select * from mempool',
      "update users set canton_party = 'mine'",
      'delete from users',
      'delete from mempool_submitter_v1',
      'delete from mempool_ended_v1',
      'delete from mempool_submitter_audit_v1',
      'alter table mempool disable trigger all',
      'create table mine (a int)',
    ],
    [reads]: [
      "update mempool set status = 'failed'",
      'update mempool_submitter_v1 set halted = null',
      'select canton_private_key_encrypted from users',
      'select mempool_rescue_v1(1)',
      'delete from mempool',
    ],
  };
  for (const [url, statements] of Object.entries(denied)) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    for (const sql of statements) {
      const error = await t.throwsAsync(client.query(sql), undefined, sql);
      t.is((error as { code?: string } | undefined)?.code, '42501', sql);
    }
    await client.end();
  }
});
