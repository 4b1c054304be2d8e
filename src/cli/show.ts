import { Command } from 'commander';
import { toJson } from '../admin/json.js';
import { loadDatabaseSettings } from '../config.js';
import { CommandRefused } from '../core/errors.js';
import type { TxHash } from '../core/ids.js';
import { readStory, type Story } from '../store/operator/story.js';
import { told } from './show/told.js';
import { hashArgument } from './support/arguments.js';
import { withDatabase } from './support/database.js';

async function show(hash: TxHash, { json = false }: { readonly json?: boolean }): Promise<void> {
  await withDatabase(loadDatabaseSettings(process.env), async (database) => {
    const story = await readStory(database, hash);
    if (story === null) throw new CommandRefused(`there is no row of ${hash}, and none is remembered`);
    process.stdout.write(json ? `${toJson({ ...story, ...told(story) })}\n` : storyText(story));
  });
}

export function storyText(story: Story): string {
  const { lines, next } = told(story);
  const state = story.row?.state ?? story.remembered?.status ?? 'unknown';
  return [
    `${story.txHash}: ${state}`,
    ...lines.map(({ at, what }) => `  ${new Date(at).toISOString()}  ${what}`),
    `Next: ${next}`,
    '',
  ].join('\n');
}

export function showCommand(): Command {
  return new Command('show')
    .description("tell one row's story, from its arrival to now, and what comes next")
    .argument('<hash>', 'the transaction', hashArgument)
    .option('--json', 'print one line of JSON')
    .addHelpText(
      'after',
      `
What is told comes from mempool_attempts_v1 (each attempt and each look, until \`prune\` removes them) and from the audit.
Environment: DATABASE_URL. Reads only.

Examples:
  canton-submitter show 0x…
  canton-submitter show 0x… --json`,
    )
    .action(show);
}
