import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { withoutPassword } from '../config/secrets.js';
import { databaseProblems } from '../config.js';
import { ConfigError, Refusal } from '../core/errors.js';
import { roleProblem, sqlState, toStoreError } from '../store/errors.js';
import { DEFAULTS, migrate } from '../store/migrate.js';
import { migrateDown } from '../store/migrate-down.js';
import { printMigration } from '../store/print.js';
import { type RepinPreview, repin } from '../store/repin.js';
import type { Lanes } from '../store/steps.js';
import { canAsk, confirmed } from './support/confirm.js';
import { readOneStepTokens } from './support/one-step-tokens.js';
import { count } from './support/text.js';

interface Settings {
  readonly url: string | null;
  readonly lanes: Lanes | null;
  readonly toleranceMs: number | null;
  readonly clockSkewMaxMs: number | null;
  readonly oneStepTokens: readonly string[] | null;
}

const milliseconds = z.coerce.number().int().min(0).max(86_400_000);
const optional = <T extends z.ZodType>(type: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), type.optional());

const environment = z.object({
  DATABASE_URL: optional(z.string()),
  LANES: optional(z.enum(['sender', 'off'])),
  LEDGER_TIME_TOLERANCE_MS: optional(milliseconds),
  CLOCK_SKEW_MAX_MS: optional(milliseconds),
  TOKENS_FILE: optional(z.string()),
});

/** Every problem at once. */
function readSettings(env: NodeJS.ProcessEnv, needsDatabase: boolean): Settings {
  const problems: string[] = [];
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(`${issue.path.join('.')}: ${issue.message}`);
  }
  if (needsDatabase) problems.push(...databaseProblems(env));
  const oneStepTokens = readOneStepTokens(env.TOKENS_FILE, problems);
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return {
    url: parsed.data.DATABASE_URL ?? null,
    lanes: parsed.data.LANES ?? null,
    toleranceMs: parsed.data.LEDGER_TIME_TOLERANCE_MS ?? null,
    clockSkewMaxMs: parsed.data.CLOCK_SKEW_MAX_MS ?? null,
    oneStepTokens,
  };
}

interface Flags {
  readonly create?: boolean;
  readonly down?: boolean;
  readonly print?: boolean;
  readonly repin?: boolean;
  readonly tolerance?: number;
  readonly yes?: boolean;
}

async function run(flags: Flags): Promise<void> {
  if ([flags.down, flags.print, flags.repin, flags.tolerance !== undefined].filter(Boolean).length > 1) {
    throw new ConfigError(['give one of --down, --print, --repin and --tolerance']);
  }
  const settings = readSettings(process.env, !flags.print);
  const say = (line: string): void => console.log(line);
  if (flags.print) {
    process.stdout.write(
      printMigration(
        {
          lanes: settings.lanes ?? DEFAULTS.lanes,
          toleranceMs: settings.toleranceMs ?? DEFAULTS.toleranceMs,
          clockSkewMaxMs: settings.clockSkewMaxMs ?? DEFAULTS.clockSkewMaxMs,
        },
        settings.oneStepTokens,
      ),
    );
    return;
  }
  const url = settings.url ?? '';
  if (flags.down) await migrateDown(url, say);
  else if (flags.repin) await repin(url, (preview) => agrees(preview, flags.yes ?? false), say);
  else if (flags.tolerance === undefined)
    await migrate({ ...settings, url, say, create: flags.create ?? false });
  else {
    await migrate({ ...settings, url, say, toleranceMs: flags.tolerance, clearsHalt: true });
    say(
      `start every instance with LEDGER_TIME_TOLERANCE_MS=${flags.tolerance}; with another it claims nothing`,
    );
  }
}

/** A script has nobody to ask: there the command line is word enough, since no row is lost by it. */
async function agrees({ participant, undecided, claimed }: RepinPreview, yes: boolean): Promise<boolean> {
  if (yes || !canAsk()) return true;
  console.log(
    `Pinned is ${participant}. Its ${count(undecided, 'undecided row')} will be parked, and end by replay --completed or --force-new alone; ${count(claimed, 'other claim')} will end.`,
  );
  return await confirmed('Pin another participant? [y/N] ');
}

const tolerance = (text: string): number => {
  const parsed = milliseconds.safeParse(text);
  if (text.trim() !== '' && parsed.success) return parsed.data;
  throw new InvalidArgumentError('a whole number of milliseconds, 0 to 86400000');
};

/** What the database answers to a migration is said as it is: which statement it was, the lines before it tell. */
function inWords(error: unknown): unknown {
  if (error instanceof ConfigError || error instanceof Refusal) return error;
  const role = roleProblem(error, withoutPassword(process.env.DATABASE_URL ?? ''));
  if (role !== null) return new ConfigError([role]);
  return sqlState(error) === null
    ? toStoreError(error)
    : new Refusal(`the database refuses it: ${error instanceof Error ? error.message : String(error)}`);
}

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('prepare the database: columns, indexes, triggers, and what all instances must agree on')
    .option('--create', "make the API's tables where there are none: for a trial without the API")
    .option('--down', 'give the table back as it was; refused while rows are claimed, undecided or parked')
    .option('--print', 'print the SQL for a person who applies it by hand, and change nothing')
    .option(
      '--tolerance <ms>',
      "pin the synchronizer's time tolerance, and let claims that were halted go on",
      tolerance,
    )
    .option(
      '--repin',
      'give up the pinned participant: undecided rows are parked, the next instance pins anew',
    )
    .option('--yes', 'do not ask on a terminal')
    .addHelpText(
      'after',
      `
Environment: DATABASE_URL (required), LANES (sender or off), LEDGER_TIME_TOLERANCE_MS, CLOCK_SKEW_MAX_MS,
TOKENS_FILE (only where rows of hosted senders are pending at the first migration). What is not set stays as it is
pinned, or gets its default. Stop the old submitter three minutes before the first migration.`,
    )
    .action(async (flags: Flags) => {
      try {
        await run(flags);
      } catch (error) {
        throw inWords(error);
      }
    });
}
