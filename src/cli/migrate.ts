import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { z } from 'zod';
import { ConfigError } from '../core/errors.js';
import { DEFAULTS, migrate } from '../store/migrate.js';
import { migrateDown } from '../store/migrate-down.js';
import { printMigration } from '../store/print.js';
import type { Lanes } from '../store/steps.js';

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

/** Only the shape that migrate needs: which tokens take two steps. The whole file is checked by `run`. */
const tokensFile = z.record(
  z.string(),
  z.looseObject({ steps: z.union([z.literal(1), z.literal(2)]).optional() }),
);

/** Every problem at once. */
function readSettings(env: NodeJS.ProcessEnv, needsDatabase: boolean): Settings {
  const problems: string[] = [];
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(`${issue.path.join('.')}: ${issue.message}`);
  }
  if (needsDatabase && !env.DATABASE_URL) problems.push('DATABASE_URL: required, a postgres:// URL');
  let oneStepTokens: readonly string[] | null = null;
  if (env.TOKENS_FILE) {
    try {
      const tokens = tokensFile.parse(JSON.parse(readFileSync(env.TOKENS_FILE, 'utf8')));
      oneStepTokens = Object.keys(tokens).filter((address) => tokens[address]?.steps !== 2);
    } catch (error) {
      const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      problems.push(`TOKENS_FILE: ${env.TOKENS_FILE} cannot be read: ${why}`);
    }
  }
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
  readonly down?: boolean;
  readonly print?: boolean;
}

async function run(flags: Flags): Promise<void> {
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
  else await migrate({ ...settings, url, say });
}

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('prepare the database: columns, indexes, triggers, and what all instances must agree on')
    .option('--down', 'give the table back as it was; refused while rows are claimed, undecided or parked')
    .option('--print', 'print the SQL for a person who applies it by hand, and change nothing')
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
        console.error(error instanceof Error ? error.message : String(error));
        process.exitCode = error instanceof ConfigError ? 2 : 1;
      }
    });
}
