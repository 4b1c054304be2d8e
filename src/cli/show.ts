import { Command } from 'commander';
import { toJson } from '../admin/json.js';
import { tokensToShow } from '../config/tokens-file.js';
import { loadDatabaseSettings } from '../config.js';
import { CommandRefused } from '../core/errors.js';
import type { TxHash } from '../core/ids.js';
import type { Tokens } from '../core/token.js';
import { readStory, type Story, type StoryRow } from '../store/operator/story.js';
import { amountWords, shownAmount } from './show/amount.js';
import { told } from './show/told.js';
import { hashArgument } from './support/arguments.js';
import { withDatabase } from './support/database.js';
import { oneLine, table } from './support/text.js';

async function show(hash: TxHash, { json = false }: { readonly json?: boolean }): Promise<void> {
  const settings = loadDatabaseSettings(process.env);
  const { tokens, warnings } = tokensToShow(process.env.TOKENS_FILE);
  await withDatabase({ ...settings, warnings: [...settings.warnings, ...warnings] }, async (database) => {
    const story = await readStory(database, hash);
    if (story === null) throw new CommandRefused(`there is no row of ${hash}, and none is remembered`);
    const { row } = story;
    const amount = row === null ? null : amountOf(row, tokens);
    process.stdout.write(
      json ? `${toJson({ ...story, shown: amount, ...told(story) })}\n` : storyText(story, tokens),
    );
  });
}

const amountOf = ({ amount, token }: StoryRow, tokens: Tokens) =>
  shownAmount(Buffer.from(amount.slice(2), 'hex'), token, tokens);

export function storyText(story: Story, tokens: Tokens): string {
  const { lines, next } = told(story);
  const { row } = story;
  const state = row?.state ?? story.remembered?.status ?? 'unknown';
  return [
    `${story.txHash}: ${state}`,
    ...(row === null ? [] : [table(factsOf(row, tokens))]),
    ...lines.map(({ at, what }) => `  ${new Date(at).toISOString()}  ${what}`),
    `Next: ${next}`,
    '',
  ].join('\n');
}

function factsOf(row: StoryRow, tokens: Tokens): (readonly string[])[] {
  const shown = amountOf(row, tokens);
  return [
    ['amount', oneLine(amountWords(shown))],
    ['sender', oneLine(row.sender)],
    ['recipient', oneLine(row.recipient)],
    ['token', oneLine(row.token)],
    ['nonce', row.nonce],
  ];
}

export function showCommand(): Command {
  return new Command('show')
    .description("tell one row's story, from its arrival to now, and what comes next")
    .argument('<hash>', 'the transaction', hashArgument)
    .option('--json', 'print one line of JSON')
    .addHelpText(
      'after',
      `
What is told comes from mempool_attempts_v1 (each attempt and each look, kept for STORIES_KEPT_DAYS) and from the audit.
Environment: DATABASE_URL; TOKENS_FILE, for the amount in whole tokens. Reads only.

Examples:
  canton-submitter show 0x…
  canton-submitter show 0x… --json`,
    )
    .action(show);
}
