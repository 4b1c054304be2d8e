// `migrate` where the API's tables are not: on a server of its own, since it looks into every database there.
import test from 'ava';
import pg from 'pg';
import { startPostgres } from '../../src/cli/support/throwaway-postgres.js';
import { ConfigError } from '../../src/core/errors.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { freshDatabase } from '../support/postgres.js';
import { MIDDLEWARE, migrateOptions } from './support.js';

test('migrate makes no second queue: a wrong database, another schema, no table at all; each is told with what was found', async (t) => {
  const server = await startPostgres();
  t.teardown(() => server.stop());
  const urlOf = (name: string): string => Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
  const query = async (name: string, sql: string): Promise<unknown[]> => {
    const client = new pg.Client(urlOf(name));
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  await query('postgres', 'create database api');
  await query('postgres', 'create database "ods and ends"');
  await query('api', `create schema ethrpc; set search_path = ethrpc; ${MIDDLEWARE}`);
  const plain = (name: string, say: (line: string) => void = () => {}) =>
    migrate(migrateOptions(urlOf(name), { create: false, say }));

  const wrongName = await t.throwsAsync(() => plain('postgres'), { instanceOf: ConfigError });
  t.regex(
    wrongName.message,
    /no table mempool and users in database postgres where search_path \(public, pg_temp\) leads/,
  );
  t.regex(wrongName.message, /database api: schema ethrpc has mempool, with about 0 rows(;|$)/m);
  t.regex(wrongName.message, /database ods and ends: no table mempool/);
  t.regex(wrongName.message, /migrate --create/);
  t.false(wrongName.message.includes(new URL(server.url).password));
  const wrongSchema = await t.throwsAsync(() => plain('api'), { instanceOf: ConfigError });
  t.regex(wrongSchema.message, /alter role postgres in database "api" set search_path = ethrpc/);
  for (const name of ['postgres', 'api'])
    t.deepEqual(
      await query(name, "select 1 where to_regclass('public.mempool') is not null"),
      [],
      'nothing was made',
    );

  // As the message says.
  await query('api', 'alter role postgres in database "api" set search_path = ethrpc');
  await plain('api');
  t.deepEqual(
    await query(
      'api',
      "select 1 from pg_tables where tablename = 'mempool_submitter_v1' and schemaname = 'ethrpc'",
    ),
    [{ '?column?': 1 }],
  );
  await query('api', 'create table public.mempool (like ethrpc.mempool including all)');
  const said: string[] = [];
  await plain('api', (line) => said.push(line));
  t.deepEqual(
    said.filter((line) => line.startsWith('note: schema')),
    ['note: schema public has a table mempool too, with about 0 rows; it is left alone'],
  );

  await migrate(migrateOptions(urlOf('ods and ends'), { create: true }));
  await query('ods and ends', 'drop table users cascade');
  const half = await t.throwsAsync(() => plain('ods and ends'), { instanceOf: ConfigError });
  t.regex(half.message, /no table users in database ods and ends/);
});

test('migrate takes the tables as the API makes them: a view, a partitioned table, a column of another type is refused before anything is changed', async (t) => {
  for (const [change, refusal] of [
    [
      'alter table mempool rename to queue; create view mempool as select * from queue',
      /^mempool is a view, /,
    ],
    [
      'alter table mempool rename to old; create table mempool (like old including defaults) partition by hash (id)',
      /^mempool is a partitioned table, /,
    ],
    ['alter table users rename to people; create view users as select * from people', /^users is a view, /],
    [
      'alter table mempool alter column nonce type numeric',
      /^column nonce of mempool is numeric, where bigint /,
    ],
    ['alter table mempool alter column id type int', /^column id of mempool is integer, where bigint /],
    [
      "create type kind as enum ('pending'); alter table mempool alter column status drop default, alter column status type kind using status::kind",
      /^column status of mempool is kind, where text /,
    ],
    [
      'alter table mempool alter column created_at drop default, alter column created_at type time using created_at::time',
      /^column created_at of mempool is time without time zone, where timestamptz /,
    ],
    ['alter table users drop column key_mode', /^column key_mode of users is missing, where text /],
  ] as const) {
    const db = await freshDatabase(t);
    await db.query(MIDDLEWARE);
    await db.query(change);
    const error = await t.throwsAsync(() => migrate(migrateOptions(db.url, { create: false })), {
      instanceOf: ConfigError,
    });
    t.regex(error.message, refusal);
    const made = "select from pg_tables where tablename like 'mempool\\_%'";
    t.deepEqual(await db.query(made), []);
  }
});
