import { Command } from 'commander';
import { loadDatabaseSettings } from '../config.js';
import { ConfigError } from '../core/errors.js';
import { prune } from '../store/operator/prune.js';
import { forgetConsumer, pruneOutcomes } from '../store/operator/prune-outcomes.js';
import { age } from './support/age.js';
import { agreed } from './support/agreed.js';
import { withDatabase } from './support/database.js';
import { unheard } from './support/output.js';
import { count } from './support/text.js';

interface Flags {
  readonly olderThan: number;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly outcomes?: boolean;
  readonly forgetConsumer?: string;
}

async function outcomes({
  olderThan,
  dryRun = false,
  yes = false,
  forgetConsumer: gone,
}: Flags): Promise<void> {
  await withDatabase(loadDatabaseSettings(process.env), async (database) => {
    if (gone !== undefined && !dryRun) {
      if (!(await forgetConsumer(database, gone)))
        throw new ConfigError([
          `--forget-consumer: no consumer ${gone} is known, or a process reads for it now (\`status\` lists them)`,
        ]);
      console.log(
        `consumer ${gone} is forgotten: if it comes back, it begins with the oldest outcome that is kept`,
      );
    }
    const rows = await pruneOutcomes(database, olderThan, { dryRun: true });
    const would = `${count(rows, 'outcome')} would be deleted, which everybody has`;
    if (dryRun || rows === 0) return console.log(would);
    if (!(await agreed(would, 'Delete them?', yes))) return console.log('nothing was deleted');
    console.log(`${count(await pruneOutcomes(database, olderThan, { dryRun: false }), 'outcome')} deleted`);
  });
}

async function run({ olderThan, dryRun = false, yes = false }: Flags): Promise<void> {
  await withDatabase(loadDatabaseSettings(process.env), async (database) => {
    const rows = await prune(database, olderThan, { dryRun: true });
    const would = `${count(rows, 'mined row')} would be deleted; their hashes are remembered`;
    if (dryRun || rows === 0) return console.log(would);
    if (!(await agreed(would, 'Delete them?', yes))) return console.log('nothing was changed');
    console.log(`${count(await prune(database, olderThan, { dryRun: false }), 'mined row')} deleted`);
  });
}

export function pruneCommand(): Command {
  return new Command('prune')
    .description(
      'delete old mined rows, in batches; their hashes are remembered, so that none is ever paid again. With --outcomes: entries of the outbox that everybody has',
    )
    .requiredOption(
      '--older-than <age>',
      'mined, or with --outcomes written, at least this long ago, for example 90d',
      age,
    )
    .option('--outcomes', 'delete outcomes that were delivered and that every consumer has acknowledged')
    .option(
      '--forget-consumer <name>',
      'with --outcomes: a consumer that does not come back; wait for it no longer',
    )
    .option('--dry-run', 'only count them')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
Pending, completed and failed rows stay: the miner has not seen the last two yet. Inserts, claims and the miner can
continue meanwhile. The role needs \`delete\` on mempool; for --outcomes \`select, delete\` on mempool_outbox_v1 and
mempool_outbox_consumers_v1. Outcomes whose delivery was given up stay: see \`webhooks\`.
Environment: DATABASE_URL.

Examples:
  canton-submitter prune --older-than 90d --dry-run
  canton-submitter prune --older-than 90d`,
    )
    .action((flags: Flags) => {
      if (flags.forgetConsumer !== undefined && !flags.outcomes)
        throw new ConfigError(['--forget-consumer needs --outcomes']);
      return unheard(() => (flags.outcomes ? outcomes(flags) : run(flags)));
    });
}
