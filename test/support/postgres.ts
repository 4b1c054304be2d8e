// Databases for tests: one server for the whole ava run (TEST_DATABASE_URL's, or a throw-away one that the first test
// file starts and that ends with ava), and a fresh database for each test, copied from one that is migrated already.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import { type MigrateOptions, migrate } from '../../src/store/migrate/migrate.js';
import { compiled } from './compiled.js';
import './ends-with-us.js';
import { onceARun, RUN, RUN_FOLDER, RUN_NAME } from './run.js';
import { startTestServer } from './server.js';
import { turn } from './turn.js';

/** What the helper needs of ava's `t`. */
interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

export interface TestDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  query<R extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R[]>;
  /** Exactly one row. */
  one<R extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R>;
}

/** How the names of this run's databases to copy begin. */
const TEMPLATES = `cms_of_${RUN_NAME}_`;

async function sharedServer(): Promise<string> {
  const url = process.env.TEST_DATABASE_URL;
  if (url) return await onceARun('server', async () => guarded(url));
  return await onceARun('server', async () => {
    const started = await startTestServer({ watch: RUN, forget: [RUN_FOLDER] });
    return started.url;
  });
}

/** Somebody else's server: what this run leaves there is dropped when it is over, however that comes about. */
function guarded(url: string): string {
  const args = [compiled('support/run-guard', 'test'), String(RUN), RUN_FOLDER, TEMPLATES];
  spawn(process.execPath, args, { detached: true, stdio: 'ignore' }).unref();
  return url;
}

let server: Promise<string> | undefined;
/** The URL of the server that this run's databases live on. */
export const serverUrl = (): Promise<string> => {
  server ??= sharedServer();
  return server;
};

let administrators: Promise<pg.Pool> | undefined;

/** Connections to the server's own database, kept open as long as this process. */
function administrator(): Promise<pg.Pool> {
  administrators ??= serverUrl().then((connectionString) => {
    const pool = new pg.Pool({ connectionString, max: 4, allowExitOnIdle: true });
    pool.on('error', () => {});
    return pool;
  });
  return administrators;
}

async function admin(sql: string): Promise<void> {
  await (await administrator()).query(sql);
}

/** What a database is migrated with. */
export type Migrated = Partial<Omit<MigrateOptions, 'url' | 'say'>>;

const templates = new Map<string, Promise<string>>();

/** The name of a database that is migrated like this, to copy: made once a run. */
function templateOf(options: Migrated): Promise<string> {
  const wanted = { lanes: null, toleranceMs: null, clockSkewMaxMs: null, oneStepTokens: [], ...options };
  const key = createHash('sha256').update(JSON.stringify(wanted)).digest('hex').slice(0, 12);
  const name = `${TEMPLATES}${key}`;
  const known = templates.get(key);
  if (known !== undefined) return known;
  const made = onceARun(key, async () => {
    await admin(`create database ${name} template template0`);
    await migrate({ ...wanted, create: true, url: await urlOf(name), say: () => {} });
    return name;
  });
  templates.set(key, made);
  return made;
}

async function urlOf(name: string): Promise<string> {
  const url = new URL(await serverUrl());
  url.pathname = `/${name}`;
  return url.href;
}

/** A fresh database, migrated; every setting that is not given is at its default. */
export async function migratedDatabase(t: Teardown, options: Migrated = {}): Promise<TestDatabase> {
  const copy = await freshDatabase(t, { template: await templateOf(options) });
  // A copy is another database, which every claim would say.
  await copy.query(
    'update mempool_submitter_v1 set database_oid = d.database_oid from mempool_database_v1() d',
  );
  return copy;
}

/** An empty database of its own, dropped after the test. */
export async function freshDatabase(
  t: Teardown,
  options: { readonly template?: string } = {},
): Promise<TestDatabase> {
  await turn(t);
  const name = `cms_${randomBytes(6).toString('hex')}`;
  await admin(`create database ${name} template ${options.template ?? 'template0'}`);
  const url = await urlOf(name);
  t.teardown(() => admin(`drop database if exists ${name} with (force)`));
  return databaseAt(t, url);
}

/** A database that is there, and stays when the test is over. */
export function databaseAt(t: Teardown, url: string): TestDatabase {
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  // Not waited for: a test that failed may still hold a connection, which its server ends.
  t.teardown(async () => void pool.end());
  const query: TestDatabase['query'] = async <R extends pg.QueryResultRow>(sql: string, values?: unknown[]) =>
    (await pool.query<R>(sql, values)).rows;
  return {
    url,
    pool,
    query,
    async one<R extends pg.QueryResultRow>(sql: string, values?: unknown[]) {
      const rows = await query<R>(sql, values);
      if (rows.length !== 1 || rows[0] === undefined)
        throw new Error(`${rows.length} rows instead of one: ${sql}`);
      return rows[0];
    },
  };
}
