// The session of `migrate`, up and down, and of the other commands that change pins: one at a time, each in a session of its
// own, and no lock is waited for longer than two seconds.
import pg from 'pg';
import { CommandRefused } from '../../core/errors.js';
import { sleep } from '../../runtime/timers.js';
import { type Connector, createConnector, refusesSettings, sessionSettings } from '../connector.js';
import { LOCKED, lostRace, sqlState, UnfitSession } from '../errors.js';

const LOCK_TIMEOUT = '2s';
const TRIES = 60;
const CONNECT_TIMEOUT_MS = 10_000;
/** Building an index may take as long as it takes, whatever time-outs the role has. */
const TIMES = { statementMs: 0, idleInTransactionMs: 0 };

export async function inSession(
  url: string,
  say: (line: string) => void,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = await session(url);
  try {
    await alone(client, say);
    await client.query(OWN_SCHEMA);
    await work(client);
  } finally {
    await client.end();
  }
}

/** On the first host that is fit, and for as long as it lasts in one server process that is ours alone. */
async function session(url: string): Promise<pg.Client> {
  const connector = createConnector(url, TIMES);
  for (let left = connector.hosts; ; left--) {
    const at = connector.at();
    let client: pg.Client | undefined;
    try {
      client = await connected(connector);
      const kind = await connector.fit(client);
      if (!(await keepsItsServer(client, connector))) throw new CommandRefused(POOLED);
      if (kind === 'pooled') await client.query(sessionSettings(TIMES));
      return client;
    } catch (error) {
      await client?.end();
      if (error instanceof CommandRefused || error instanceof UnfitSession) throw error;
      if (refusesSettings(error) && connector.withoutSettings()) left += 1;
      else {
        const answer = sqlState(error);
        if (left <= 1 || (answer !== null && answer !== '57P03')) throw error;
        connector.leave(at);
      }
    }
  }
}

const POOLED =
  'refused: DATABASE_URL leads through a pooler in transaction mode, where the lock of a migration would stay behind in a session that then belongs to somebody else. Migrate with a URL that leads to the database itself, as in DATABASE_LISTEN_URL';

async function connected(connector: Connector): Promise<pg.Client> {
  const client = new pg.Client({
    ...connector.config(),
    application_name: 'canton-submitter migrate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

const serverOf = async (client: pg.Client): Promise<number> =>
  (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0;

/** Enough to catch a pooler that hands out its servers in turn. */
const ROUNDS = 3;

/**
 * Whether the whole session runs in one server process. A pooler in transaction mode would lend the server that was ours a
 * moment ago to a second session, and give us another one while that session is in a transaction.
 */
async function keepsItsServer(client: pg.Client, connector: Connector): Promise<boolean> {
  const ours = await serverOf(client);
  // Postgres tells the process id at connect; a pooler makes one up.
  if ('processID' in client && client.processID === ours) return true;
  const other = await connected(connector);
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await other.query('begin');
      // The other session first: where there is only one server, we would wait for it.
      if ((await serverOf(other)) === ours || (await serverOf(client)) !== ours) return false;
      await other.query('commit');
    }
    return true;
  } catch (error) {
    // A pooler in statement mode refuses transactions altogether.
    if (sqlState(error) === '08P01') return false;
    throw error;
  } finally {
    await other.end();
  }
}

/**
 * From here on the session sees the schema of the tables and nothing else, and so do the functions, which keep the path of
 * the session that made them: nobody can put objects of another schema before ours.
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
 * Tries, and does not wait in a statement: a waiting statement holds a snapshot, and the migration ahead of us would wait for
 * that in its `create index concurrently`. The lock ends with the session.
 */
async function alone(client: pg.Client, say: (line: string) => void): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { rows } = await client.query<{ got: boolean }>(
      'select pg_try_advisory_lock(1835363696, 3) as got',
    );
    if (rows[0]?.got) return;
    if (tries === 0) say('another migration is running; waiting for it');
    await sleep(500);
  }
}

export async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin isolation level read committed');
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

/** Where a lock was not free within its time-out: gives up, so that nobody queues behind us, and tries again later. */
export async function patiently<T>(say: (line: string) => void, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries >= TRIES || (sqlState(error) !== LOCKED && !lostRace(error))) throw error;
      if (tries === 1) say('the table is locked by somebody else; trying again every second');
      await sleep(1_000);
    }
  }
}
