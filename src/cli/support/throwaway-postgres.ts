// A Postgres for the demo, the tests and development: nothing to install, and gone afterwards.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../../core/errors.js';

export interface ThrowawayPostgres {
  /** A superuser's URL to the database `postgres`, on a server that listens on loopback only. */
  readonly url: string;
  /** Pulls the plug (no checkpoint, nothing flushed); resolves when all processes of the server are gone. */
  crash(): Promise<void>;
  /** Starts the same server again, on the same port, with what it had on disk. */
  restart(): Promise<void>;
  /** Stops the server and deletes its folder. */
  stop(): Promise<void>;
}

export interface ThrowawayOptions {
  /** Server settings, for example `{ track_functions: 'pl' }`. Commits are synced unless told otherwise. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Lives as long as that process rather than this one, for a server that several processes share. */
  readonly watch?: number;
  /** Files to delete when the server ends, for example those that others find its address in. */
  readonly forget?: readonly string[];
  /** Where to create its folder; default: the system's folder for temporary files. */
  readonly parent?: string;
}

export const ORDER_VARIABLE = 'CANTON_SUBMITTER_POSTGRES_ORDER';

export interface ChildOrder {
  readonly settings: Readonly<Record<string, string>>;
  readonly watch: number | null;
  readonly forget: readonly string[];
  readonly parent: string;
  readonly password: string;
}

export type ChildReport =
  | { readonly url: string; readonly folder: string; readonly pid: number }
  | { readonly done: string; readonly pid: number }
  | { readonly failed: string };

const DEFAULTS = { max_connections: '200', shared_buffers: '128MB' };

export async function startPostgres(options: ThrowawayOptions = {}): Promise<ThrowawayPostgres> {
  const order: ChildOrder = {
    settings: { ...DEFAULTS, ...options.settings },
    watch: options.watch ?? null,
    forget: options.forget ?? [],
    parent: options.parent ?? tmpdir(),
    password: randomBytes(12).toString('hex'),
  };
  const extension = extname(fileURLToPath(import.meta.url));
  const entry = fileURLToPath(new URL(`./throwaway-postgres-child${extension}`, import.meta.url));
  const child = spawn(
    process.execPath,
    [...(extension === '.ts' ? ['--import', import.meta.resolve('tsx')] : []), entry],
    // A process group of its own: Ctrl-C is for the parent, whose end closes the child's stdin.
    {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, [ORDER_VARIABLE]: JSON.stringify(order) },
    },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const reports = createInterface({ input: child.stdout });
  const report = await new Promise<ChildReport>((resolve) => {
    child.once('error', (error) => resolve({ failed: String(error) }));
    void ended.then(() => resolve({ failed: 'the throw-away Postgres exited before it was ready' }));
    reports.once('line', (line) => resolve(JSON.parse(line) as ChildReport));
  });
  if ('failed' in report) throw new Error(report.failed);
  if (!('url' in report)) throw new Error('the throw-away Postgres did not print its address');

  // None of this may keep the process alive once its work is done; only waiting for an answer may.
  const held = [child.stdin, child.stdout] as unknown as { ref(): void; unref(): void }[];
  const letGo = (): void => {
    for (const one of [child, ...held]) one.unref();
  };
  letGo();

  let pid = report.pid;
  let stopped = false;
  void ended.then(async () => {
    // The owner process died, not this one; its server must not outlive it.
    if (stopped || options.watch !== undefined) return;
    try {
      process.kill(pid, 'SIGQUIT');
    } catch {}
    await rm(report.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  });
  const tell = async (what: 'crash' | 'start'): Promise<void> => {
    const answer = new Promise<string>((resolve) => reports.once('line', resolve));
    for (const one of [child, ...held]) one.ref();
    child.stdin.write(`${what}\n`);
    const done = JSON.parse(await answer) as ChildReport;
    if ('pid' in done) pid = done.pid;
    letGo();
  };
  return {
    url: report.url,
    crash: () => tell('crash'),
    restart: () => tell('start'),
    async stop() {
      stopped = true;
      child.ref();
      if (order.watch === null) child.stdin.end();
      else child.kill('SIGTERM');
      await ended;
      await rm(report.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}

/** Rethrows why it did not start: the library that brings a Postgres along is optional, and says what to install. */
export function missing(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw reason.includes('not installed') ? new ConfigError([reason]) : error;
}
