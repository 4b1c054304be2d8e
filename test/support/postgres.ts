// Databases for tests: one server for the whole ava run (TEST_DATABASE_URL's, or a throw-away one that the first test
// file starts and that ends with ava), and a fresh database for each test.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { startPostgres } from '../../src/cli/support/throwaway-postgres.js';
import { migrate } from '../../src/store/migrate.js';

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

const SETTINGS = { track_functions: 'pl', max_connections: '300' };

async function sharedServer(): Promise<string> {
  if (process.env.TEST_DATABASE_URL) return process.env.TEST_DATABASE_URL;
  // ava runs each file in a process of its own, children of one: that parent is the run.
  const run = process.ppid;
  const file = path.join(tmpdir(), `canton-submitter-test-${run}.json`);
  try {
    writeFileSync(`${file}.lock`, String(process.pid), { flag: 'wx' });
  } catch {
    return await handedOver(file);
  }
  const server = await startPostgres({ settings: SETTINGS, watch: run, forget: [file, `${file}.lock`] });
  writeFileSync(`${file}.new`, JSON.stringify({ url: server.url }));
  renameSync(`${file}.new`, file);
  return server.url;
}

async function handedOver(file: string): Promise<string> {
  for (let tries = 0; tries < 1_200; tries++) {
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { url: string }).url;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  rmSync(`${file}.lock`, { force: true });
  throw new Error('the test file that was to start Postgres did not');
}

let server: Promise<string> | undefined;
/** The URL of the server that this run's databases live on. */
export const serverUrl = (): Promise<string> => {
  server ??= sharedServer();
  return server;
};

async function admin(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: await serverUrl() });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

let template: Promise<string | null> | undefined;

/**
 * The name of a database that is migrated already, to copy: made once a run. Null on somebody else's server, where
 * nobody would drop it.
 */
async function migratedTemplate(): Promise<string | null> {
  if (process.env.TEST_DATABASE_URL) return null;
  const client = new pg.Client({ connectionString: await serverUrl() });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock(1, 1)');
    const { rows } = await client.query("select 1 from pg_database where datname = 'cms_migrated'");
    if (rows.length === 0) {
      await client.query('create database cms_migrating template template0');
      await migrate({ ...MIGRATE, url: await urlOf('cms_migrating') });
      await client.query('alter database cms_migrating rename to cms_migrated');
    }
  } finally {
    await client.end();
  }
  return 'cms_migrated';
}

const MIGRATE = {
  lanes: null,
  toleranceMs: null,
  clockSkewMaxMs: null,
  oneStepTokens: [],
  create: true,
  say: () => {},
};

async function urlOf(name: string): Promise<string> {
  const url = new URL(await serverUrl());
  url.pathname = `/${name}`;
  return url.href;
}

/** A fresh database, migrated with every setting at its default. */
export async function migratedDatabase(t: Teardown): Promise<TestDatabase> {
  template ??= migratedTemplate();
  const name = await template;
  if (name !== null) return await freshDatabase(t, { template: name });
  const fresh = await freshDatabase(t);
  await migrate({ ...MIGRATE, url: fresh.url });
  return fresh;
}

/** An empty database of its own, dropped after the test. */
export async function freshDatabase(
  t: Teardown,
  options: { readonly template?: string } = {},
): Promise<TestDatabase> {
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
