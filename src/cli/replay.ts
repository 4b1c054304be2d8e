import { createInterface } from 'node:readline/promises';
import { Command, InvalidArgumentError } from 'commander';
import { loadDatabaseSettings } from '../config.js';
import { ConfigError } from '../core/errors.js';
import type { TxHash } from '../core/ids.js';
import { type ReplayedRow, type ReplaySelection, replay } from '../store/replay.js';
import { isAddress, isTxHash } from '../transfer/address.js';
import { withDatabase } from './support/database.js';
import { count, oneLine, table } from './support/text.js';

interface Flags {
  readonly hash?: TxHash;
  readonly sender?: string;
  readonly olderThan?: number;
  readonly parked?: boolean;
  readonly error?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const SHOWN = 20;

async function run(flags: Flags): Promise<void> {
  const settings = loadDatabaseSettings(process.env);
  const selection = selectionOf(flags);
  if (Object.keys(selection).length === 0) {
    throw new ConfigError(['say which rows: --hash, --sender, --older-than, --parked or --error']);
  }
  await withDatabase(settings, async (database) => {
    if (flags.dryRun || asks(flags)) {
      const rows = await replay(database, selection, { dryRun: true });
      if (flags.dryRun) return report(rows, 'would be replayed', flags);
      if (rows.length === 0) return report(rows, 'match', flags);
      report(rows, 'would be replayed', flags);
      if (!(await confirmed(`Replay ${count(rows.length, 'row')}? [y/N] `))) {
        process.stderr.write('nothing was changed\n');
        return;
      }
    }
    report(await replay(database, selection, { dryRun: false }), 'replayed', flags);
  });
}

const selectionOf = ({ hash, sender, olderThan, parked, error }: Flags): ReplaySelection => ({
  ...(hash === undefined ? {} : { hash }),
  ...(sender === undefined ? {} : { sender }),
  ...(olderThan === undefined ? {} : { olderThanMs: olderThan }),
  ...(parked === undefined ? {} : { parked }),
  ...(error === undefined ? {} : { error }),
});

/** One hash is as deliberate as it gets; a script that has no terminal has nobody to ask. */
const asks = (flags: Flags): boolean =>
  !flags.yes && flags.hash === undefined && process.stdin.isTTY && process.stdout.isTTY;

async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}

function report(rows: readonly ReplayedRow[], done: string, { json }: Flags): void {
  if (json) {
    for (const row of rows)
      process.stdout.write(`${JSON.stringify({ ...row, nonce: row.nonce.toString() })}\n`);
    process.stderr.write(`${count(rows.length, 'row')} ${done}\n`);
    return;
  }
  if (rows.length > 0) {
    const lines = rows
      .slice(0, SHOWN)
      .map(({ txHash, state, undecided, attempts, lastError }) => [
        txHash,
        undecided ? `${state}, undecided: looked up first` : state,
        attempts,
        oneLine(lastError ?? '', 100),
      ]);
    process.stdout.write(`${table(lines)}\n${rows.length > SHOWN ? '  … more with --json\n' : ''}`);
  }
  process.stdout.write(`${count(rows.length, 'row')} ${done}\n`);
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function age(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|min|h|d)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined)
    throw new InvalidArgumentError('an age is a number and a unit: 90s, 10min, 2h, 1d');
  return Number(match[1]) * unit;
}

function hash(text: string): TxHash {
  const lower = text.toLowerCase();
  if (isTxHash(lower)) return lower as TxHash;
  throw new InvalidArgumentError('a transaction hash is 0x and 64 hex digits');
}

function sender(text: string): string {
  if (isAddress(text)) return text;
  throw new InvalidArgumentError('an address is 0x and 40 hex digits');
}

export function replayCommand(): Command {
  return new Command('replay')
    .description('make waiting, retrying or parked rows due now; always safe, they keep their record')
    .option('--hash <hash>', 'this transaction', hash)
    .option('--sender <address>', 'rows of this sender', sender)
    .option('--older-than <age>', 'rows that arrived at least so long ago: 90s, 10min, 2h, 1d', age)
    .option('--parked', 'parked rows only')
    .option('--error <text>', 'rows whose last error contains this, for example UNKNOWN_TOKEN')
    .option('--dry-run', 'show what would be replayed, and change nothing')
    .option('--yes', 'do not ask on a terminal')
    .option('--json', 'one line of JSON per row on stdout, the count on stderr')
    .addHelpText(
      'after',
      `
All conditions that are given must hold; at least one must be. Takes only rows that are pending and that no instance
holds. Their attempts count from zero again; what may have been sent of them is looked up on the ledger before anything
is sent. Environment: DATABASE_URL.`,
    )
    .action(run);
}
