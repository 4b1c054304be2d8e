import { Command, InvalidArgumentError } from 'commander';
import { toJson } from '../admin/server.js';
import { loadDatabaseSettings } from '../config.js';
import { StoreUnavailable } from '../core/errors.js';
import { pause } from '../runtime/timers.js';
import { UnfitSession } from '../store/errors.js';
import type { Database } from '../store/pool.js';
import { type QueueStatus, readStatus, type StatusRow } from '../store/status.js';
import { withDatabase } from './support/database.js';
import { count, duration, oneLine, table } from './support/text.js';

interface Flags {
  readonly json?: boolean;
  /** Seconds. */
  readonly watch?: number | true;
}

const WATCH_SECONDS = 2;
/** Rows shown per list on a terminal; `--json` has them all. */
const SHOWN = 10;
const CLEAR = '\u001b[H\u001b[2J';

async function status(flags: Flags): Promise<void> {
  const settings = loadDatabaseSettings(process.env);
  if (flags.watch === undefined) {
    await withDatabase(settings, async (database) => {
      const snapshot = await readStatus(database);
      process.stdout.write(`${flags.json ? toJson(snapshot) : statusText(snapshot)}\n`);
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
      await pause(pauseMs, stop.signal);
    }
  });
}

async function watched(database: Database, json: boolean): Promise<void> {
  try {
    const snapshot = await readStatus(database);
    if (json) process.stdout.write(`${toJson(snapshot)}\n`);
    else process.stdout.write(onScreen(statusText(snapshot), process.stdout));
  } catch (error) {
    if (!(error instanceof StoreUnavailable) || error instanceof UnfitSession) throw error;
    process.stderr.write(`the database cannot be reached, retrying: ${oneLine(error.message)}\n`);
  }
}

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

export function statusText(status: QueueStatus): string {
  const { queue, holders, failures, parked, hashingScheme } = status;
  const parts = [
    ...notices(status),
    'Pending rows',
    table(
      Object.entries(queue).map(([state, { rows, oldestMs }]) => [
        state,
        rows,
        oldestMs === null ? '' : `oldest ${duration(oldestMs)}`,
      ]),
    ),
  ];
  if (holders.length > 0)
    parts.push('', 'Held by', table(holders.map(({ holder, rows }) => [holder || '(nobody)', rows])));
  if (hashingScheme !== null) parts.push('', `External senders sign under hashing scheme V${hashingScheme}`);
  if (parked.length > 0) parts.push('', 'Parked, waiting for a person: see `replay`', list(parked));
  if (failures.length > 0) parts.push('', 'Latest failures', list(failures));
  return parts.join('\n');
}

/** Conditions of the whole table that are out of the ordinary. */
function notices({ now, halted, recheck, recordedElsewhere }: QueueStatus): string[] {
  const lines: string[] = [];
  if (halted !== null) lines.push(`HALTED, no instance claims: ${oneLine(halted)}`);
  if (recheck !== null) {
    lines.push(
      `Rechecked ${duration(now - recheck.at)} ago: new rows are looked up from offset ${recheck.from} on before they may fail`,
    );
  }
  if (recordedElsewhere > 0) {
    lines.push(
      `${count(recordedElsewhere, 'row was', 'rows were')} sent on a participant that is no longer pinned: use replay --completed or --force-new`,
    );
  }
  return lines.length === 0 ? [] : [...lines, ''];
}

const list = (rows: readonly StatusRow[]): string => {
  const shown = rows.slice(0, SHOWN).map(({ txHash, ageMs, undecided, reason }) => {
    const what = `${undecided ? '(undecided) ' : ''}${reason}`;
    return [txHash, duration(ageMs), oneLine(what)];
  });
  return `${table(shown)}${rows.length > SHOWN ? '\n  … see all of them with --json' : ''}`;
};

const seconds = (text: string): number => {
  const value = Number(text);
  if (value >= 0.1 && value <= 3_600) return value;
  throw new InvalidArgumentError('seconds between two updates, 0.1 to 3600');
};

export function statusCommand(): Command {
  return new Command('status')
    .description('show the queue by state and age, who holds rows, recent failures, parked rows')
    .option('--json', 'print one line of JSON; with --watch, one line each time')
    .option(
      '--watch [seconds]',
      `repeat every ${WATCH_SECONDS} s, or as often as given, until Ctrl-C`,
      seconds,
    )
    .addHelpText(
      'after',
      `
Environment: DATABASE_URL. Reads only, through indexes: safe on a busy table.

Examples:
  canton-submitter status --watch
  canton-submitter status --json | jq .queue`,
    )
    .action(status);
}
