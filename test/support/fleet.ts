// Submitters as real processes, started as an operator starts them, against a world's database and sandbox.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { compiled } from './compiled.js';
import { endsWithUs } from './ends-with-us.js';
import { scaled, scaledWindow } from './pace.js';
import { HANG_MS } from './time.js';
import { MASTER_KEY, type World } from './world.js';

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

export interface Instance {
  readonly pid: number;
  /** Everything it logged, parsed. */
  readonly log: readonly LogLine[];
  readonly exited: Promise<number | null>;
  /** Resolves with the first log line that fits, seen already or yet to come. */
  said(fits: (line: LogLine) => boolean, timeoutMs?: number): Promise<LogLine>;
  signal(signal: NodeJS.Signals): void;
}

interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

/** Times of a submitter scaled as the world's ledger is. */
export const SCALED: Readonly<Record<string, string>> = {
  // Room for a machine where eight processes share two cores; tests that wait for a bound set their own.
  SUBMISSION_WINDOW_MS: '5000',
  LEASE_MS: '1000',
  POLL_INTERVAL_MS: '200',
  CALL_TIMEOUT_MS: '5000',
  LOOK_PATIENCE_MS: '60000',
  STOP_GRACE_MS: '2000',
  RETRY_MIN_MS: '20',
  RETRY_MAX_MS: '200',
  BREAKER_PROBE_MS: '200',
  CANARY_INTERVAL_MS: '1000',
  LOG_LEVEL: 'debug',
  ADMIN_ADDRESS: 'off',
  CANTON_MASTER_KEY: MASTER_KEY.toString('base64'),
};

export function startInstance(
  t: Teardown,
  world: World,
  env: Readonly<Record<string, string>> = {},
): Instance {
  const started = spawn(process.execPath, [compiled('cli/main'), 'run'], {
    env: {
      ...process.env,
      ...world.sandbox.env,
      DATABASE_URL: world.db.url,
      ...inPace({ ...SCALED, ...env }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const child: ChildProcess = endsWithUs(started);
  const log: LogLine[] = [];
  const watchers = new Set<(line: LogLine) => void>();
  const hear = (text: string): void => {
    const line = parse(text);
    log.push(line);
    for (const watch of [...watchers]) watch(line);
  };
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', hear);
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  t.teardown(async () => {
    child.kill('SIGKILL');
    child.kill('SIGCONT');
    await exited;
  });
  return {
    pid: child.pid ?? 0,
    log,
    exited,
    said(fits, timeoutMs = HANG_MS) {
      const seen = log.find(fits);
      if (seen !== undefined) return Promise.resolve(seen);
      const patience = Math.max(timeoutMs, HANG_MS);
      return new Promise((resolve, reject) => {
        const fail = (): void =>
          reject(
            new Error(
              `not said within ${patience} ms; last lines:\n${log
                .slice(-15)
                .map((line) => JSON.stringify(line))
                .join('\n')}`,
            ),
          );
        const timer = setTimeout(fail, patience);
        timer.unref();
        const watch = (line: LogLine): void => {
          if (!fits(line)) return;
          clearTimeout(timer);
          watchers.delete(watch);
          resolve(line);
        };
        watchers.add(watch);
      });
    },
    signal: (signal) => void child.kill(signal),
  };
}

/** Settings that are times, in the pace of this machine. */
const inPace = (env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => {
      if (!name.endsWith('_MS')) return [name, value];
      return [name, String((name === 'SUBMISSION_WINDOW_MS' ? scaledWindow : scaled)(Number(value)))];
    }),
  );

/** So many instances, all ready to claim. */
export async function startFleet(
  t: Teardown,
  world: World,
  count: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Instance[]> {
  const fleet = Array.from({ length: count }, (_, index) =>
    startInstance(t, world, { INSTANCE_ID: `i${index + 1}`, ...env }),
  );
  await Promise.all(fleet.map((instance) => instance.said((line) => line.msg === 'ready')));
  return fleet;
}

function parse(text: string): LogLine {
  try {
    const line = JSON.parse(text) as LogLine;
    return typeof line === 'object' && line !== null ? line : { msg: text };
  } catch {
    return { msg: text };
  }
}
