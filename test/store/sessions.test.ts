// A role, a database or a pooler that differs from what everything was proven under.
import { randomInt } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { CommandRefused, ConfigError } from '../../src/core/errors.js';
import { hiddenRows } from '../../src/store/check.js';
import { UnfitSession } from '../../src/store/errors.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { openDatabase } from '../../src/store/pool.js';
import { createStore } from '../../src/store/store.js';
import { startPooler } from '../support/pooler.js';
import { freshDatabase, type TestDatabase } from '../support/postgres.js';
import { lasting } from '../support/time.js';
import { insertRow, MIDDLEWARE, migrateOptions, prepared } from './support.js';

const SETTINGS = {
  text: "select current_setting('transaction_isolation') as isolation, current_setting('row_security') as rows",
};

function opened(t: ExecutionContext, url: string) {
  const database = openDatabase({ url, poolSize: 3 });
  t.teardown(() => database.close());
  return database;
}

/** With the rights of docs/operations.md, and no more. */
async function serviceRole(t: ExecutionContext, db: TestDatabase): Promise<{ role: string; url: string }> {
  const role = `service_${randomInt(1e9)}`;
  await db.query(`create role ${role} login password 'service';
    grant select, update on mempool to ${role}; grant select on users to ${role};
    grant select, update on mempool_submitter_v1 to ${role}; grant select, insert on mempool_submitter_audit_v1 to ${role};
    grant select on mempool_pauses_v1, mempool_instances_v1, mempool_attempts_v1, mempool_samples_v1 to ${role}`);
  t.teardown(async () => void (await db.query(`drop owned by ${role}; drop role ${role}`)));
  const url = new URL(db.url);
  [url.username, url.password] = [role, 'service'];
  return { role, url: url.href };
}

const REPEATABLE = "alter database current set default_transaction_isolation = 'repeatable read'";
const byDefault = async (db: TestDatabase, ...settings: readonly string[]): Promise<void> => {
  const { name } = await db.one<{ name: string }>('select current_database() as name');
  for (const one of settings) await db.query(one.replace('current', name));
};

test('isolation: what the database has as its default decides nothing, alone or in a transaction', async (t) => {
  const db = await prepared(t);
  await byDefault(db, REPEATABLE);
  const database = opened(t, db.url);
  const [alone] = await database.run(SETTINGS, []);
  t.deepEqual(alone, { isolation: 'read committed', rows: 'off' });
  const within = await database.transaction(async (client) => (await client.query(SETTINGS.text)).rows[0]);
  t.deepEqual(within, { isolation: 'read committed', rows: 'off' });
});

test('isolation: where a pooler keeps the session from asking, it is refused in words that help', async (t) => {
  const db = await prepared(t);
  const pooler = await startPooler(t, db.url);
  const fit = opened(t, pooler);
  // All at once: the first that is refused its settings finds out for the others.
  const answers = await Promise.all([1, 2, 3, 4].map(() => fit.run(SETTINGS, [])));
  t.deepEqual(new Set(answers.map(([one]) => one?.isolation)), new Set(['read committed']));
  await byDefault(db, REPEATABLE);
  const unfit = opened(t, await startPooler(t, db.url));
  const error = await t.throwsAsync(() => unfit.run(SETTINGS, []), { instanceOf: UnfitSession });
  t.regex(
    error.message,
    /"repeatable read".*alter role \w+ set default_transaction_isolation = 'read committed'/,
  );
});

test('formats: those of a role or a database change neither what is written nor what is read', async (t) => {
  const db = await prepared(t);
  await byDefault(
    db,
    ...[
      'array_nulls = off',
      'extra_float_digits = -15',
      "datestyle = 'SQL, DMY'",
      "bytea_output = 'escape'",
    ].map((one) => `alter database current set ${one}`),
  );
  const odd = {
    text: `select (extract(epoch from timestamptz '2026-11-27 06:00:00.125Z') * 1000)::float8 as at, $1::text[] as texts`,
  };
  const read = [{ at: 1795759200125, texts: ['a', null] }];
  const arrays = [['a', null]];
  t.deepEqual(await opened(t, db.url).run(odd, arrays), read);
  const fit = opened(t, await startPooler(t, db.url, { options: 'ignored', size: 1 }));
  const error = await t.throwsAsync(() => fit.run(odd, arrays), { instanceOf: UnfitSession });
  t.regex(error.message, /^array_nulls of role \w+ is off, .*alter role \w+ set array_nulls = on$/);
  await byDefault(db, 'alter database current set array_nulls = on');
  const next = opened(t, await startPooler(t, db.url, { options: 'ignored', size: 1 }));
  const digits = await t.throwsAsync(() => next.run(odd, arrays), { instanceOf: UnfitSession });
  t.regex(digits.message, /^extra_float_digits of role \w+ is -15, /);
});

test('time-outs of a role end neither a migration nor a claim', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  await byDefault(
    db,
    ...['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'].map(
      (name) => `alter database current set ${name} = '1ms'`,
    ),
  );
  const { yes } = await db.one<{ yes: boolean }>(
    "select exists (select from pg_settings where name = 'transaction_timeout') as yes",
  );
  // Switched off by each session's first statement, which has to fit into it.
  if (yes) await byDefault(db, "alter database current set transaction_timeout = '4s'");
  await migrate(migrateOptions(db.url, { create: false }));
  const database = opened(t, db.url);
  await insertRow(db.query);
  const pinned = await createStore(database).pinned();
  const reply = await createStore(database).claim({
    holder: 'me',
    limit: 1,
    leaseMs: 30_000,
    generation: pinned?.generation ?? 0n,
    sentFrom: 1n,
    windowMs: 30_000,
  });
  t.is(reply.kind === 'claimed' ? reply.rows.length : 0, 1);
  const slow = await database.transaction(async (client) => {
    await lasting(4_500);
    return (await client.query('select count(*)::int as rows from generate_series(1, 500000)')).rows[0];
  });
  t.is(slow.rows, 500_000);
  const shown = await database.run(
    {
      text: "select current_setting('statement_timeout') as s, current_setting('idle_in_transaction_session_timeout') as i",
    },
    [],
  );
  t.deepEqual(shown, [{ s: '10s', i: '1min' }]);
});

test('time-outs of a role, through a pooler: a transaction asks for its own', async (t) => {
  const db = await prepared(t);
  await byDefault(db, "alter database current set idle_in_transaction_session_timeout = '1ms'");
  const database = opened(t, await startPooler(t, db.url, { options: 'ignored', size: 1 }));
  const shown = await database.transaction(async (client) => {
    const { rows } = await client.query(
      `${SETTINGS.text}, current_setting('idle_in_transaction_session_timeout') as idle`,
    );
    return rows[0];
  });
  t.deepEqual(shown, { isolation: 'read committed', rows: 'off', idle: '1min' });
  // What somebody else has left behind in the session that is ours for a moment.
  await database.run({ text: "set default_transaction_isolation = 'repeatable read'" }, []);
  const poisoned = await database.transaction(async (client) => (await client.query(SETTINGS.text)).rows[0]);
  t.is(poisoned.isolation, 'read committed');
  const [after] = await database.run(SETTINGS, []);
  t.is(after?.rows, 'on', 'nothing stays behind in a session that is somebody else’s by then');
});

test('row-level security: rows that a role does not see are an error, and a refusal before that', async (t) => {
  const db = await prepared(t);
  const { role, url } = await serviceRole(t, db);
  const service = opened(t, url);
  t.deepEqual(await hiddenRows(service), []);
  await db.query('alter table mempool enable row level security');
  await insertRow(db.query);
  const error = await t.throwsAsync(() => service.run({ text: 'select count(*) from mempool' }, []));
  t.regex(error.message, /row-level security/);
  t.deepEqual(await hiddenRows(service), [
    `table mempool, role ${role}: row-level security hides rows from this role; give it BYPASSRLS, or take row-level security off the table`,
  ]);
  // Where the session may not ask for an error, the refusal stands all the same.
  t.is((await hiddenRows(opened(t, await startPooler(t, url)))).length, 1);
  await db.query(`alter role ${role} bypassrls`);
  t.deepEqual(await hiddenRows(service), []);
});

test('row-level security: migrate refuses too, where it is forced upon the owner', async (t) => {
  const db = await prepared(t);
  const { role, url } = await serviceRole(t, db);
  await db.query(`grant create on schema public to ${role}; alter table mempool owner to ${role};
    alter table mempool force row level security; alter table mempool enable row level security`);
  const error = await t.throwsAsync(() => migrate(migrateOptions(url)), { instanceOf: ConfigError });
  t.regex(error.message, /^table mempool, role service_\d+: row-level security hides rows/);
  await db.query('alter table mempool owner to current_user');
});

for (const options of ['refused', 'ignored'] as const) {
  for (const size of [1, 3]) {
    test(`a pooler in transaction mode under migrate is refused: ${size} servers, options ${options}`, async (t) => {
      const db = await prepared(t);
      const pooler = await startPooler(t, db.url, { options, size });
      const error = await t.throwsAsync(() => migrate(migrateOptions(pooler)), {
        instanceOf: CommandRefused,
      });
      t.regex(error.message, /pooler in transaction mode.*DATABASE_LISTEN_URL/);
      const locks =
        "select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())";
      t.deepEqual(await db.query(locks), [], 'no lock of a migration stays behind');
    });
  }
}

test('a pooler in session mode will do for migrate, and its session is set as it has to be', async (t) => {
  const db = await freshDatabase(t);
  await db.query(MIDDLEWARE);
  await byDefault(
    db,
    "alter database current set lock_timeout = '1s'",
    "alter database current set statement_timeout = '1s'",
  );
  const pooler = await startPooler(t, db.url, { mode: 'session' });
  // Whoever reads the table holds up the migration, for its own two seconds and not for the role's one.
  const reader = await db.pool.connect();
  await reader.query('begin; lock table mempool in access share mode');
  const said: string[] = [];
  const say = (line: string): void => {
    said.push(line);
    if (/locked by somebody else/.test(line)) void reader.query('commit').finally(() => reader.release());
  };
  await t.notThrowsAsync(() => migrate(migrateOptions(pooler, { say })));
  t.true(said.some((line) => /locked by somebody else/.test(line)));
});
