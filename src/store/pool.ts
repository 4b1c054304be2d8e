// Connections. One pool a process. Every statement has a time limit, on the server too, so that a lock that somebody keeps does
// not pile up backends whose callers have given up. A server that takes no writes is left, with the whole pool.
import { Socket } from 'node:net';
import pg from 'pg';
import { createConnector, localSettings, refusesSettings } from './connector.js';
import { LOCKED, lostRace, StoreUnavailable, sqlState, takesNoWrites, toStoreError } from './errors.js';
import type { Statement } from './statements.js';

export interface DatabaseOptions {
  /** Checked by the configuration. May name several hosts, as in libpq. */
  readonly url: string;
  readonly poolSize?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  /** How long a statement may take; the driver gives up a second later. */
  readonly statementTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
}

export interface Database {
  /** Runs a statement on its own. Throws StoreUnavailable where trying again may help. */
  run<Row extends pg.QueryResultRow>(statement: Statement<Row>, values: readonly unknown[]): Promise<Row[]>;
  /** A transaction of several statements, READ COMMITTED; rolled back when `work` throws. */
  transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /** This server takes no writes: the next statement goes to a new connection, to the next host where there is one. */
  leave(): void;
  /** Called each time a server is left: a listener on it will hear nothing that matters any more. */
  onLeft(listener: () => void): void;
  close(): Promise<void>;
}

const STATEMENT_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Our transactions pause for a round trip; a process that stalls must not keep its locks. */
const IDLE_IN_TRANSACTION_MS = 60_000;

export function openDatabase(options: DatabaseOptions): Database {
  const times = {
    statementMs: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
  };
  const connector = createConnector(options.url, times);
  const pooled = new WeakSet<pg.ClientBase>();
  const listeners = new Set<() => void>();

  /** Chooses the host, and reads the files that the URL names, for each connection instead of once for the pool. */
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
      // The pool awaits this, whatever its type says: nobody gets a session that was not checked.
      onConnect: async (client) => {
        if ((await connector.fit(client)) === 'pooled') pooled.add(client);
      },
    });
    // An idle connection that breaks is reported here and replaced at its next use; without a listener it would end the process.
    pool.on('error', () => {});
    return pool;
  };
  let pool = open();

  /** Once, however many statements find out: those on the old pool end there. */
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
      const wrongServer = failed !== undefined && takesNoWrites(failed) && (await isStandby(client, failed));
      // Only an answer of the server proves that the connection is in a known state; otherwise it is destroyed.
      client.release(failed !== undefined && (sqlState(failed) === null || wrongServer));
      if (wrongServer) leave(from);
    }
  }

  /** Tries each host once. As in libpq, a server that refuses our login ends it: the others are not asked. */
  async function connect(): Promise<readonly [pg.PoolClient, pg.Pool]> {
    for (let left = connector.hosts; ; left--) {
      const [from, at] = [pool, connector.at()];
      try {
        return [await from.connect(), from];
      } catch (error) {
        // Somebody else found out before us and has replaced the pool: try that one.
        if (from !== pool) left += 1;
        else if (refusesSettings(error) && connector.withoutSettings()) {
          // Then the driver's time-out has to suffice, with the settings that transactions ask for themselves.
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
          // Not as a named statement, since a transaction pooler (PgBouncer before 1.21) loses those. What is worth
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
          // Not the role's default isolation: what is read under a lock must be current. The settings are in the same
          // message, since between two messages the role's own time-outs would apply.
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

/**
 * On a standby no lock is given, with a code that a primary uses too, as for a publication without a replica identity. Leaving
 * a primary for that would end every statement that is under way there.
 */
async function isStandby(client: pg.PoolClient, failed: unknown): Promise<boolean> {
  if (sqlState(causeOf(failed)) !== NOT_IN_STATE) return true;
  try {
    const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
    return rows[0]?.standby !== false;
  } catch {
    return true;
  }
}

const NOT_IN_STATE = '55000';

/** Makes a file that cannot be read fail this one connection: thrown inside the pool, the error would end the process. */
function readable(given: pg.ClientConfig, more: () => pg.ClientConfig): pg.ClientConfig {
  try {
    const config = { ...given, ...more() };
    // Reads the files, and opens no connection.
    new pg.Client(config);
    return config;
  } catch (error) {
    const socket = new Socket();
    const reason = error instanceof Error ? error : new Error(String(error));
    return { ...given, stream: () => Object.assign(socket, { connect: () => socket.destroy(reason) }) };
  }
}

const UNHURRIED_MS = 600_000;

/** Within a transaction: runs a statement over all pending rows, of which there may be hundreds of thousands. */
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

/** Tries again at once after losing a race that rolled everything back; a deadlock with foreign code is one too. */
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

/** The transaction lost against another one, and changed nothing. */
export const hasLostRace = (error: unknown): boolean => lostRace(causeOf(error));

/** The statement waited too long for a lock, and changed nothing. */
export const wasLocked = (error: unknown): boolean => sqlState(causeOf(error)) === LOCKED;
