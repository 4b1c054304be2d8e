// The command line in an environment of its own: `start` is a process, as an operator has it; `cli` is a command of many.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { compiled } from '../support/compiled.js';
import { endsWithUs } from '../support/ends-with-us.js';
import { HANG_MS } from '../support/time.js';
import type { Order } from './host.js';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  /** Resolves with the first line of stdout that fits. */
  line(fits: (line: string) => boolean): Promise<string>;
  /** Resolves when stderr has this in it. */
  said(pattern: RegExp): Promise<void>;
  /** All of it up to now. */
  stdout(): string;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

/** Only what is given and what Node itself needs: a setting of whoever runs the tests decides nothing. */
function own(env: Readonly<Record<string, string>>): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...env };
}

export function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Running {
  const started = spawn(process.execPath, [compiled('cli/main'), ...args], {
    env: own(env),
    stdio: 'pipe',
  });
  const child = endsWithUs(started);
  const out = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      out[name] += text;
      for (const watch of [...watchers]) watch();
    });
  }
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, ...out })));
  // A process that ends before it has read everything is its own affair.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return {
    ended,
    kill: (signal) => void child.kill(signal),
    stdout: () => out.stdout,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          if (!pattern.test(out.stderr)) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        watch();
        void ended.then(({ stderr }) => reject(new Error(`ended without ${pattern}\n${stderr}`)));
      }),
    line: (fits) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          const found = out.stdout.split('\n').slice(0, -1).find(fits);
          if (found === undefined) return;
          watchers.delete(watch);
          resolve(found);
        };
        watchers.add(watch);
        watch();
        void ended.then(({ code, stdout, stderr }) =>
          reject(new Error(`ended with ${code}\n${stdout}\n${stderr}`)),
        );
      }),
  };
}

/** What has a process of its own for as long as it runs. */
const STAYS = ['run', 'sandbox', 'demo'];

/** One command from its start to its end. */
export const cli = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Ended> =>
  STAYS.some((name) => args.includes(name))
    ? start(args, env, input).ended
    : atHost({ args, env: own(env), input });

let host: ChildProcess | undefined;
let before: Promise<unknown> = Promise.resolve();

/** In the process that this test file keeps for that, one after the other. */
function atHost(order: Order): Promise<Ended> {
  const ended = before.then(async () => {
    if (host === undefined) {
      host = endsWithUs(
        fork(compiled('cli/host', 'test'), { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
      );
      host.unref();
      host.channel?.unref();
    }
    const child = host;
    child.channel?.ref();
    try {
      const answer = once(child, 'message', { signal: AbortSignal.timeout(HANG_MS) });
      child.send(order);
      const [said] = (await answer) as [Ended];
      return said;
    } finally {
      child.channel?.unref();
    }
  });
  before = ended.catch(() => {});
  return ended;
}

/** For what no event tells: the end of other people's processes. */
export async function eventually(what: string, holds: () => boolean, timeoutMs = HANG_MS): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
