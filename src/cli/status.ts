import { Command, InvalidArgumentError } from 'commander';
import { toJson } from '../admin/json.js';
import { loadDatabaseSettings } from '../config.js';
import { StoreUnavailable } from '../core/errors.js';
import { sleep } from '../runtime/timers.js';
import { UnfitSession } from '../store/errors.js';
import { type Assessment, assess } from '../store/operator/assess.js';
import type { Database } from '../store/pool.js';
import { type QueueStatus, readStatus } from '../store/status.js';
import { exit } from './exit.js';
import { statusText } from './status/text.js';
import { withDatabase } from './support/database.js';
import { oneLine } from './support/text.js';

interface Flags {
  readonly json?: boolean;
  /** Seconds. */
  readonly watch?: number | true;
}

const WATCH_SECONDS = 2;
/**
 * As for every command, 1 is that something has to be looked at, and 2 that nothing can work as it is: `status` itself ends
 * with 1 where the database does not answer, and with 2 where it is called or configured wrongly.
 */
const EXIT: Readonly<Record<Assessment['state'], number>> = {
  fine: exit.clean,
  'needs-a-person': exit.failure,
  'not-moving': exit.configuration,
};
const CLEAR = '\u001b[H\u001b[2J';

async function status(flags: Flags): Promise<void> {
  const settings = loadDatabaseSettings(process.env);
  if (flags.watch === undefined) {
    await withDatabase(settings, async (database) => {
      const snapshot = await readStatus(database);
      process.stdout.write(`${flags.json ? jsonOf(snapshot) : statusText(snapshot)}\n`);
      process.exitCode = EXIT[assess(snapshot).state];
    });
    return;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const pauseMs = (typeof flags.watch === 'number' ? flags.watch : WATCH_SECONDS) * 1_000;
  // A problem that waiting cannot fix ends the command, at its start or later; an outage is one line.
  await withDatabase(settings, async (database) => {
    while (!stop.signal.aborted) {
      await watched(database, flags.json ?? false);
      await sleep(pauseMs, stop.signal);
    }
  });
}

async function watched(database: Database, json: boolean): Promise<void> {
  try {
    const snapshot = await readStatus(database);
    if (json) process.stdout.write(`${jsonOf(snapshot)}\n`);
    else process.stdout.write(onScreen(statusText(snapshot), process.stdout));
  } catch (error) {
    if (!(error instanceof StoreUnavailable) || error instanceof UnfitSession) throw error;
    process.stderr.write(`the database cannot be reached, retrying: ${oneLine(error.message)}\n`);
  }
}

/** The assessment first: it is what monitoring goes by. */
const jsonOf = (snapshot: QueueStatus): string => toJson({ ...assess(snapshot), ...snapshot });

/** No more lines than the terminal has: otherwise the first ones would scroll out. */
export function onScreen(text: string, screen: Screen): string {
  const { isTTY, columns = 80, rows = 24 } = screen;
  if (!isTTY) return `${text}\n`;
  const lines = text
    .split('\n')
    .map((line) => (line.length > columns ? `${line.slice(0, columns - 1)}…` : line));
  const shown =
    lines.length < rows
      ? lines
      : [...lines.slice(0, rows - 2), '  … enlarge the window or use --json to see more'];
  return `${CLEAR}${shown.join('\n')}\n`;
}

interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

const seconds = (text: string): number => {
  const value = Number(text);
  if (value >= 0.1 && value <= 3_600) return value;
  throw new InvalidArgumentError('give the seconds between two updates, 0.1 to 3600');
};

export function statusCommand(): Command {
  return new Command('status')
    .description('say whether a person is needed, and show the queue, the instances, parked and failed rows')
    .option('--json', 'print one line of JSON; with --watch, one line each time')
    .option(
      '--watch [seconds]',
      `repeat every ${WATCH_SECONDS} s, or as often as given, until Ctrl-C`,
      seconds,
    )
    .addHelpText(
      'after',
      `
Exit code, for monitoring (not with --watch): 0 fine; 1 a person is needed (rows are parked or paused, claims are halted, an
instance has not been ready for ten minutes, …), or the database does not answer; 2 nothing moves (rows could be claimed and
no instance is alive and ready), or the command is called or configured wrongly. The first lines say what to do; with --json
they are "state" and "findings".
Environment: DATABASE_URL. Reads only, through indexes: safe on a busy table.

Examples:
  canton-submitter status --watch
  canton-submitter status --json | jq .findings`,
    )
    .action(status);
}
