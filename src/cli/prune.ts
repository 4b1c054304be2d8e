import { Command } from 'commander';
import { loadDatabaseSettings } from '../config.js';
import { ConfigError } from '../core/errors.js';
import { prune, pruneStories } from '../store/operator/prune.js';
import { forgetConsumer, pruneOutcomes } from '../store/operator/prune-outcomes.js';
import { age } from './support/age.js';
import { agreed } from './support/confirm.js';
import { withDatabase } from './support/database.js';
import { unheard } from './support/output.js';
import { count } from './support/text.js';

interface Flags {
  readonly olderThan: number;
  readonly stories?: boolean;
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
    const would = `${count(rows, 'outcome')} that every consumer has received would be deleted`;
    if (dryRun || rows === 0) return console.log(would);
    if (!(await agreed(would, 'Delete them?', yes))) return console.log('nothing was deleted');
    console.log(`${count(await pruneOutcomes(database, olderThan, { dryRun: false }), 'outcome')} deleted`);
  });
}

async function run({ olderThan, stories = false, dryRun = false, yes = false }: Flags): Promise<void> {
  await withDatabase(loadDatabaseSettings(process.env), async (database) => {
    const pruned = async (options: { readonly dryRun: boolean }) => ({
      rows: stories ? 0 : await prune(database, olderThan, options),
      entries: await pruneStories(database, olderThan, options),
    });
    const words = ({ rows, entries }: { readonly rows: number; readonly entries: number }): string =>
      `${stories ? '' : `${count(rows, 'mined row')} and `}${count(entries, 'entry', 'entries')} of stories`;
    const found = await pruned({ dryRun: true });
    const would = `${words(found)} would be deleted${stories ? '' : '; the hashes are remembered'}`;
    if (dryRun || found.rows + found.entries === 0) return console.log(would);
    if (!(await agreed(would, 'Delete them?', yes))) return console.log('nothing was changed');
    console.log(`${words(await pruned({ dryRun: false }))} deleted`);
  });
}

export function pruneCommand(): Command {
  return new Command('prune')
    .description(
      'delete old mined rows and old entries of stories, in batches; the hashes are remembered, so that none is ever paid again. With --outcomes: entries of the outbox that everybody has',
    )
    .requiredOption(
      '--older-than <age>',
      'mined, ended, or with --outcomes written, at least this long ago, for example 90d',
      age,
    )
    .option('--stories', 'only entries of stories (what `show` tells of attempts), no rows')
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
continue meanwhile. An attempt or a look leaves one entry of about 300 bytes. The role needs \`delete\` on mempool and
\`select, delete\` on mempool_attempts_v1; for --outcomes \`select, delete\` on mempool_outbox_v1 and
mempool_outbox_consumers_v1. Outcomes whose delivery was given up stay: see \`webhooks\`.
Environment: DATABASE_URL.

Examples:
  canton-submitter prune --older-than 90d --dry-run
  canton-submitter prune --older-than 90d
  canton-submitter prune --older-than 30d --stories`,
    )
    .action((flags: Flags) => {
      if (flags.stories && flags.outcomes)
        throw new ConfigError(['give only one of --stories and --outcomes']);
      if (flags.forgetConsumer !== undefined && !flags.outcomes)
        throw new ConfigError(['--forget-consumer needs --outcomes']);
      return unheard(() => (flags.outcomes ? outcomes(flags) : run(flags)));
    });
}
