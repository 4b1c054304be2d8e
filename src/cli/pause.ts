import { Command } from 'commander';
import { loadDatabaseSettings } from '../config.js';
import { CommandRefused, ConfigError } from '../core/errors.js';
import { readDue } from '../store/operator/due.js';
import { type PauseScope, pauseRows, readPauses, resumeRows } from '../store/operator/pauses.js';
import { addressArgument, reasonArgument } from './support/arguments.js';
import { withDatabase } from './support/database.js';
import { count } from './support/text.js';
import { whoRuns } from './support/who.js';

interface Flags {
  readonly all?: boolean;
  readonly token?: string;
  readonly sender?: string;
  readonly reason?: string;
}

function scopeOf({ all, token, sender }: Flags): PauseScope {
  const given: PauseScope[] = [
    ...(all === true ? [{ scope: 'all' } as const] : []),
    ...(token === undefined ? [] : [{ scope: 'token', address: token } as const]),
    ...(sender === undefined ? [] : [{ scope: 'sender', address: sender } as const]),
  ];
  const [scope] = given;
  if (scope === undefined || given.length > 1)
    throw new ConfigError(['say what: exactly one of --all, --token ADDRESS and --sender ADDRESS']);
  return scope;
}

const words = (what: PauseScope): string =>
  what.scope === 'all' ? 'everything' : `${what.scope} ${what.address}`;
const flagOf = (what: PauseScope): string =>
  what.scope === 'all' ? '--all' : `--${what.scope} ${what.address}`;

async function pause(reason: string, flags: Flags): Promise<void> {
  const what = scopeOf(flags);
  await withDatabase(loadDatabaseSettings(process.env), async (database) => {
    const isNew = await pauseRows(database, what, reason, whoRuns());
    const { paused } = await readDue(database);
    console.log(
      `${words(what)} ${isNew ? 'is paused' : 'was paused already; its reason is now this one'}. Rows in flight finish, undecided rows are looked up as always; ${count(paused, 'row')} that could be claimed now ${paused === 1 ? 'waits' : 'wait'}.`,
    );
    console.log(`To resume: canton-submitter resume ${flagOf(what)}`);
  });
}

async function resume(flags: Flags): Promise<void> {
  const what = scopeOf(flags);
  await withDatabase(loadDatabaseSettings(process.env), async (database) => {
    const ended = await resumeRows(database, what, flags.reason ?? null, whoRuns());
    const left = (await readPauses(database)).map((one) =>
      one.scope === 'all' ? '--all' : `--${one.scope} 0x${one.address}`,
    );
    const still = left.length === 0 ? '' : `; still paused: ${left.join(', ')}`;
    if (ended === null) throw new CommandRefused(`${words(what)} is not paused${still}`);
    console.log(`${words(what)} is resumed (it was paused for: ${ended.reason})${still}`);
  });
}

const chosen = (command: Command): Command =>
  command
    .option('--all', 'every row')
    .option('--token <address>', 'rows of this token contract', addressArgument)
    .option('--sender <address>', 'rows of this sender', addressArgument);

export function pauseCommand(): Command {
  return chosen(new Command('pause'))
    .description('keep every instance from claiming such rows, until `resume`')
    .argument('<reason>', 'why, for whoever sees it in `status`', reasonArgument)
    .addHelpText(
      'after',
      `
In force with the next claim of any instance, even one of an earlier build; what was claimed before and has not left within half a
second is given back. What has left ends. Undecided rows are looked up as always, since a look sends nothing. A sender's rows
keep their order: a paused row holds back the sender's later ones. It is shown in \`status\`, /readyz (which stays ready) and
the page, and noted in mempool_submitter_audit_v1 with who and why.
Environment: DATABASE_URL.

Examples:
  canton-submitter pause --all 'participant upgrade until 14:00'
  canton-submitter pause --token 0x… 'the issuer asked'`,
    )
    .action(pause);
}

export function resumeCommand(): Command {
  return chosen(new Command('resume'))
    .description('end a pause')
    .option('--reason <text>', 'why, for the audit', reasonArgument)
    .addHelpText(
      'after',
      `
Ends exactly the pause that is named: \`--all\` ends that of everything, and not those of single tokens and senders.
Environment: DATABASE_URL.

Examples:
  canton-submitter resume --all
  canton-submitter resume --token 0x…`,
    )
    .action(resume);
}
