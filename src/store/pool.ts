// Connections. One pool a process; every statement has an end, on the server too, so that a lock that somebody keeps
// does not pile up backends whose callers have given up.
import pg from 'pg';
import { LOCKED, lostRace, StoreUnavailable, sqlState, toStoreError } from './errors.js';
import type { Statement } from './statements.js';

export interface DatabaseOptions {
  readonly url: string;
  readonly poolSize?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  /** Longest a statement may take; the driver gives up a second later. */
  readonly statementTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
}

export interface Database {
  /** Runs a statement on its own. Throws StoreUnavailable where trying again may help. */
  run<Row extends pg.QueryResultRow>(statement: Statement<Row>, values: readonly unknown[]): Promise<Row[]>;
  /** A transaction of several statements; rolled back when `work` throws. */
  transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const STATEMENT_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;

export function openDatabase(options: DatabaseOptions): Database {
  const statementTimeout = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  const open = (withServerTimeout: boolean): pg.Pool => {
    const pool = new pg.Pool({
      connectionString: options.url,
      max: options.poolSize ?? 4,
      application_name: options.applicationName ?? 'canton-submitter',
      connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      query_timeout: statementTimeout + 1_000,
      ...(withServerTimeout ? { statement_timeout: statementTimeout } : {}),
      keepAlive: true,
      idleTimeoutMillis: 60_000,
    });
    // An idle connection that breaks is reported here and replaced at its next use; unheard, it would end the process.
    pool.on('error', () => {});
    return pool;
  };
  let pool = open(true);

  async function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await connect();
    // A connection that breaks between two statements must not end the process either.
    const ignore = (): void => {};
    client.on('error', ignore);
    let failed: unknown;
    try {
      return await work(client);
    } catch (error) {
      failed = error;
      throw error;
    } finally {
      client.off('error', ignore);
      // Only an answer of the server proves that the connection is in a known state.
      client.release(failed !== undefined && sqlState(failed) === null);
    }
  }

  async function connect(): Promise<pg.PoolClient> {
    try {
      return await pool.connect();
    } catch (error) {
      // A pooler (PgBouncer) that refuses the setting at connect: then the driver's time-out has to do.
      if (sqlState(error) !== '08P01' || !/startup parameter/.test(String(error))) throw error;
      const refused = pool;
      pool = open(false);
      void refused.end();
      return await pool.connect();
    }
  }

  return {
    async run(statement, values) {
      try {
        return await withClient(async (client) => {
          // Not by name: a transaction pooler (PgBouncer before 1.21) loses prepared statements. What is worth
          // planning once is inside our functions, whose plans the server keeps.
          const { rows } = await client.query({ text: statement.text, values: [...values] });
          return rows;
        });
      } catch (error) {
        throw toStoreError(error);
      }
    },
    async transaction(work) {
      try {
        return await withClient(async (client) => {
          await client.query('begin');
          try {
            const result = await work(client);
            await client.query('commit');
            return result;
          } catch (error) {
            await client.query('rollback').catch(() => {});
            throw error;
          }
        });
      } catch (error) {
        throw toStoreError(error);
      }
    },
    async close() {
      if (!pool.ending) await pool.end();
    },
  };
}

const UNHURRIED_MS = 600_000;

/** Within a transaction: a statement over all pending rows, of which there may be hundreds of thousands. */
export async function unhurried<Row extends pg.QueryResultRow>(
  client: pg.ClientBase,
  text: string,
  values: unknown[],
): Promise<pg.QueryResult<Row>> {
  await client.query(`set local statement_timeout = ${UNHURRIED_MS}`);
  const query: pg.QueryConfig & { readonly query_timeout: number } = {
    text,
    values,
    query_timeout: UNHURRIED_MS,
  };
  return await client.query<Row>(query);
}

/** Again, at once, after losing a race that rolled everything back; foreign code deadlocks too. */
export async function retryLostRace<T>(work: () => Promise<T>, tries = 5): Promise<T> {
  for (let left = tries; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left <= 1 || !hasLostRace(error)) throw error;
    }
  }
}

const causeOf = (error: unknown): unknown => (error instanceof StoreUnavailable ? error.cause : error);

/** The transaction lost against another one and did nothing. */
export const hasLostRace = (error: unknown): boolean => lostRace(causeOf(error));

/** The statement waited too long for a lock and did nothing. */
export const wasLocked = (error: unknown): boolean => sqlState(causeOf(error)) === LOCKED;
