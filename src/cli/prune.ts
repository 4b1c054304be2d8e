import { Command } from 'commander';
import { loadDatabaseSettings } from '../config.js';
import { prune, pruneStories } from '../store/operator/prune.js';
import { age } from './support/age.js';
import { agreed } from './support/agreed.js';
import { withDatabase } from './support/database.js';
import { unheard } from './support/output.js';
import { count } from './support/text.js';

interface Flags {
  readonly olderThan: number;
  readonly stories?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
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
      'delete old mined rows and old entries of stories, in batches; the hashes are remembered, so that none is ever paid again',
    )
    .requiredOption(
      '--older-than <age>',
      'what was mined, or ended, at least this long ago, for example 90d',
      age,
    )
    .option('--stories', 'only entries of stories (what `show` tells of attempts), no rows')
    .option('--dry-run', 'only count them')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
Pending, completed and failed rows stay: the miner has not seen the last two yet. Inserts, claims and the miner can
continue meanwhile. An attempt or a look leaves one entry of about 300 bytes. The role needs \`delete\` on mempool and on
mempool_attempts_v1.
Environment: DATABASE_URL.`,
    )
    .action((flags: Flags) => unheard(() => run(flags)));
}
