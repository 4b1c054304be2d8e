// What up and down share: one migration at a time, one connection, and no lock that is waited for longer than 2 s.
import pg from 'pg';
import { pause } from '../runtime/timers.js';
import { LOCKED, lostRace, sqlState } from './errors.js';

const LOCK_TIMEOUT = '2s';
const TRIES = 60;

export async function ofMigration(
  url: string,
  say: (line: string) => void,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'canton-submitter migrate',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    await alone(client, say);
    await client.query(OWN_SCHEMA);
    await work(client);
  } finally {
    await client.end();
  }
}

/**
 * From here on the session sees the schema of the tables and nothing else, and so do the functions, which keep the path
 * of the session that makes them: whoever may create things in another schema cannot put theirs before ours.
 */
export const OWN_SCHEMA = `select set_config('search_path', (
    select string_agg(quote_ident(s.name), ', ' order by s.nr) from (
      select min(f.nr) as nr, f.name from (
        select 1 as nr, coalesce((select n.nspname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                 where c.oid = to_regclass('mempool')), current_schema()) as name
        union all
        select 2, n.nspname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where c.oid = to_regclass('users')) f group by f.name) s) || ', pg_temp', false)`;

/**
 * Tried, not waited for: a statement that waits has a snapshot, which `create index concurrently` of the one ahead of
 * us would wait for in turn. The lock ends with the session.
 */
async function alone(client: pg.Client, say: (line: string) => void): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { rows } = await client.query<{ got: boolean }>(
      'select pg_try_advisory_lock(1835363696, 3) as got',
    );
    if (rows[0]?.got) return;
    if (tries === 0) say('another migration is running; waiting for it');
    await pause(500);
  }
}

export async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    await client.query(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

/** A lock that was not to be had within its time-out: step aside, so that nobody queues behind us, and come again. */
export async function patiently<T>(say: (line: string) => void, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries >= TRIES || (sqlState(error) !== LOCKED && !lostRace(error))) throw error;
      if (tries === 1) say('the table is locked by somebody else; trying again every second');
      await pause(1_000);
    }
  }
}
