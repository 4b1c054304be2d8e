// Connections. One pool a process; every statement has an end, on the server too, so that a lock that somebody keeps
// does not pile up backends whose callers have given up. A server that takes no writes is left, with the whole pool.
import { Socket } from 'node:net';
import pg from 'pg';
import { createConnector, localSettings, refusesSettings } from './connector.js';
import { LOCKED, lostRace, StoreUnavailable, sqlState, takesNoWrites, toStoreError } from './errors.js';
import type { Statement } from './statements.js';

export interface DatabaseOptions {
  /** Checked by the configuration; several hosts as in libpq. */
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
  /** A transaction of several statements, READ COMMITTED; rolled back when `work` throws. */
  transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /** This server takes no writes: whatever is asked next goes to a new connection, on the next host where there is one. */
  leave(): void;
  /** Told of each time that a server was left: a listener on it hears nothing that matters any more. */
  onLeft(listener: () => void): void;
  close(): Promise<void>;
}

const STATEMENT_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Ours pause for a round trip; a process that stalls may not keep its locks. */
const IDLE_IN_TRANSACTION_MS = 60_000;

export function openDatabase(options: DatabaseOptions): Database {
  const times = {
    statementMs: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
  };
  const connector = createConnector(options.url, times);
  const pooled = new WeakSet<pg.ClientBase>();
  const listeners = new Set<() => void>();

  /** The host is asked for where a connection is made, not where the pool is; so are the files that the URL names. */
  class SessionClient extends pg.Client {
    constructor(given: pg.ClientConfig = {}) {
      super(readable({ ...given }, () => connector.config()));
    }
  }

  const open = (): pg.Pool => {
    const pool = new pg.Pool({
      Client: SessionClient,
      max: options.poolSize ?? 4,
      application_name: options.applicationName ?? 'canton-submitter',
      connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      query_timeout: times.statementMs + 1_000,
      keepAlive: true,
      idleTimeoutMillis: 60_000,
      // Awaited, whatever its type says: nobody gets a session that is not fit.
      onConnect: async (client) => {
        if ((await connector.fit(client)) === 'pooled') pooled.add(client);
      },
    });
    // An idle connection that breaks is reported here and replaced at its next use; unheard, it would end the process.
    pool.on('error', () => {});
    return pool;
  };
  let pool = open();

  /** Once, however many statements learn of it: those on the old pool end there. */
  const leave = (left: pg.Pool): void => {
    if (left !== pool || left.ending) return;
    connector.leave(connector.at());
    replace();
    for (const listener of listeners) listener();
  };

  const replace = (): void => {
    const old = pool;
    pool = open();
    void old.end();
  };

  async function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const [client, from] = await connect();
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
      const wrongServer = failed !== undefined && takesNoWrites(failed);
      // Only an answer of the server proves that the connection is in a known state.
      client.release(failed !== undefined && (sqlState(failed) === null || wrongServer));
      if (wrongServer) leave(from);
    }
  }

  /** Each host once; the server's own no to who we are is not asked again elsewhere, as in libpq. */
  async function connect(): Promise<readonly [pg.PoolClient, pg.Pool]> {
    for (let left = connector.hosts; ; left--) {
      const [from, at] = [pool, connector.at()];
      try {
        return [await from.connect(), from];
      } catch (error) {
        // Somebody else has found out already what this one has: the pool of now will do.
        if (from !== pool) left += 1;
        else if (refusesSettings(error) && connector.withoutSettings()) {
          // Then the driver's time-out has to do, and what transactions ask for themselves.
          left += 1;
          replace();
        } else {
          const answer = sqlState(error);
          if (answer !== null && answer !== '57P03') throw error;
          connector.leave(at);
          if (left <= 1) throw error;
        }
      }
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
          // Never what the role has as its default: what is read under a lock must be as it is now. The settings in the
          // same message: between two of them the role's own time-outs would hold.
          const more = pooled.has(client) ? `; ${localSettings(times)}` : '';
          try {
            await client.query(`begin isolation level read committed${more}`);
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
    leave: () => leave(pool),
    onLeft: (listener) => void listeners.add(listener),
    async close() {
      if (!pool.ending) await pool.end();
    },
  };
}

/** A file that cannot be read fails this connection: thrown from within the pool, it would end the process. */
function readable(given: pg.ClientConfig, more: () => pg.ClientConfig): pg.ClientConfig {
  try {
    const config = { ...given, ...more() };
    // Reads the files, and opens nothing.
    new pg.Client(config);
    return config;
  } catch (error) {
    const socket = new Socket();
    const reason = error instanceof Error ? error : new Error(String(error));
    return { ...given, stream: () => Object.assign(socket, { connect: () => socket.destroy(reason) }) };
  }
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
