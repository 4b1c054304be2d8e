// The demo's processes: started with this very installation's command line, and gone with the demo.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { sleep } from '../../runtime/timers.js';

export interface Child {
  readonly name: string;
  /** Resolves with the first line of stdout that matches; rejects if the process ends first. */
  line(fits: (line: string) => boolean): Promise<string>;
  /** The last few lines of stderr and warnings, for a post-mortem. */
  lastWords(): string;
  running(): boolean;
  /** Sends SIGTERM, and SIGKILL after some time; resolves with the exit code. */
  stop(): Promise<number | null>;
}

const STOP_MS = 10_000;
const LAST_LINES = 15;

export function startChild(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Child {
  const extension = path.extname(fileURLToPath(import.meta.url));
  const entry = fileURLToPath(new URL(`./child${extension}`, import.meta.url));
  const loader = extension === '.ts' ? ['--import', import.meta.resolve('tsx')] : [];
  const child = spawn(process.execPath, [...loader, entry, ...args], {
    // A process group of its own: Ctrl-C reaches only the demo, which then stops everything in order.
    detached: true,
    stdio: 'pipe',
    env: { ...process.env, ...env },
  });
  const last: string[] = [];
  const watchers = new Set<(line: string) => void>();
  const hear = (line: string): void => {
    for (const watch of [...watchers]) watch(line);
    if (line.includes('"level":"info"')) return;
    last.push(line);
    if (last.length > LAST_LINES) last.shift();
  };
  createInterface({ input: child.stdout }).on('line', hear);
  createInterface({ input: child.stderr }).on('line', hear);
  child.stdin.on('error', () => {});
  let code: number | null | undefined;
  const exited = once(child, 'exit').then(([status]) => {
    code = status as number | null;
    return code;
  });
  const lastWords = (): string => last.join('\n');
  return {
    name,
    line: (fits) =>
      new Promise((resolve, reject) => {
        const watch = (line: string): void => {
          if (!fits(line)) return;
          watchers.delete(watch);
          resolve(line);
        };
        watchers.add(watch);
        void exited.then(() =>
          reject(new Error(`${name} exited with ${code} before it was ready\n${lastWords()}`)),
        );
      }),
    lastWords,
    running: () => code === undefined,
    async stop() {
      if (code === undefined) {
        child.kill('SIGTERM');
        const late = new AbortController();
        await Promise.race([exited, sleep(STOP_MS, late.signal)]);
        late.abort();
        if (code === undefined) child.kill('SIGKILL');
      }
      return exited;
    },
  };
}
