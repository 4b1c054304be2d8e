// The command line as a process of its own, in an environment of its own.
import { spawn } from 'node:child_process';
import { compiled } from '../support/compiled.js';
import { endsWithUs } from '../support/ends-with-us.js';
import { HANG_MS } from '../support/time.js';

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
export function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Running {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  const started = spawn(process.execPath, [compiled('cli/main'), ...args], {
    env: { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...env },
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

export const cli = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Ended> => start(args, env, input).ended;

/** For what no event tells: the end of other people's processes. */
export async function eventually(what: string, holds: () => boolean, timeoutMs = HANG_MS): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
