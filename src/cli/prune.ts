import { Command } from 'commander';
import { loadDatabaseSettings } from '../config.js';
import { prune } from '../store/operator/prune.js';
import { age } from './support/age.js';
import { agreed } from './support/agreed.js';
import { withDatabase } from './support/database.js';
import { unheard } from './support/output.js';
import { count } from './support/text.js';

interface Flags {
  readonly olderThan: number;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
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
      'delete old mined rows, in batches; their hashes are remembered, so that none is ever paid again',
    )
    .requiredOption('--older-than <age>', 'rows that were mined at least this long ago, for example 90d', age)
    .option('--dry-run', 'only count them')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
Pending, completed and failed rows stay: the miner has not seen the last two yet. Inserts, claims and the miner can
continue meanwhile. The role needs \`delete\` on mempool.
Environment: DATABASE_URL.

Examples:
  canton-submitter prune --older-than 90d --dry-run
  canton-submitter prune --older-than 90d`,
    )
    .action((flags: Flags) => unheard(() => run(flags)));
}
