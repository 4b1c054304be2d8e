import { Command } from 'commander';
import { ConfigError } from '../core/errors.js';
import { type Flags, misuse, wayOf } from './replay/flags.js';
import { age } from './support/age.js';
import { addressArgument, hashArgument, reasonArgument } from './support/arguments.js';
import { unheard } from './support/output.js';

/** One file per kind of replay, loaded on demand, because one of them needs the ledger libraries. */
async function run(flags: Flags): Promise<void> {
  const problems = misuse(flags);
  if (problems.length > 0) throw new ConfigError(problems);
  switch (wayOf(flags)) {
    case 'replay':
      return (await import('./replay/plain.js')).plain(flags);
    case 'recheck':
      return (await import('./replay/recheck.js')).replayRecheck(flags);
    case 'completed':
      return (await import('./replay/completed.js')).replayCompleted(flags);
    case 'force-new':
      return (await import('./replay/force-new.js')).forceNewRows(flags);
  }
}

export function replayCommand(): Command {
  return new Command('replay')
    .description(
      'make waiting, retrying or parked rows due now; it never pays twice, because they keep their record',
    )
    .option('--hash <hash>', 'this transaction', hashArgument)
    .option('--sender <address>', 'rows of this sender', addressArgument)
    .option('--older-than <age>', 'rows that arrived at least this long ago: 90s, 10min, 2h, 1d', age)
    .option('--parked', 'parked rows only')
    .option('--error <text>', 'rows whose last error contains this, for example UNKNOWN_TOKEN')
    .option(
      '--recheck',
      'after the database was set back (disk or VM snapshot): look up every pending row before sending',
    )
    .option(
      '--completed <hash>',
      'complete this parked row with the update that made its transfer',
      hashArgument,
    )
    .option('--update <id>', 'that update; its content is compared with the row first')
    .option(
      '--force-new',
      'forget what may have been sent for parked rows, and send them anew: may pay twice',
    )
    .option('--reason <text>', 'why, for the audit', reasonArgument)
    .option('--dry-run', 'show what would be done, and change nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print one line of JSON per row on stdout, the count on stderr')
    .addHelpText(
      'after',
      `
Give at least one condition; a row must meet all of them. Takes only pending rows that no instance holds. Their attempts
start from zero again; what may have been sent for them is looked up on the ledger before anything else is sent. Rows
sent on a participant that is no longer pinned (migrate --repin) stay: only --completed or --force-new can end them.
Each of these leaves entries in mempool_submitter_audit_v1, with who and why.
Environment: DATABASE_URL; --recheck: TOKENS_FILE too, with every instance stopped; --completed: as \`run\`.

Examples:
  canton-submitter replay --hash 0x…
  canton-submitter replay --parked --error 'UNKNOWN_TOKEN:' --dry-run
  canton-submitter replay --older-than 10min --sender 0x…
  canton-submitter replay --completed 0x… --update 1220ab`,
    )
    .action((flags: Flags) => (flags.dryRun ? run(flags) : unheard(() => run(flags))));
}
