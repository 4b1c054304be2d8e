import { Command } from 'commander';
import { toJson } from '../admin/json.js';
import { loadDatabaseSettings } from '../config.js';
import { ConfigError } from '../core/errors.js';
import type { TxHash } from '../core/ids.js';
import {
  type ListedWebhook,
  replayWebhooks,
  skipWebhooks,
  troubledWebhooks,
  type WebhookSelection,
} from '../store/operator/webhooks.js';
import { age } from './support/age.js';
import { addressArgument, hashArgument } from './support/arguments.js';
import { withDatabase } from './support/database.js';
import { unheard } from './support/output.js';
import { count, duration, oneLine, table } from './support/text.js';

interface Flags {
  readonly hash?: TxHash;
  readonly sender?: string;
  readonly dead?: boolean;
  readonly since?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const LISTED = 1_000;

const selectionOf = ({ hash, sender, dead, since }: Flags): WebhookSelection => ({
  ...(hash === undefined ? {} : { hash }),
  ...(sender === undefined ? {} : { sender }),
  ...(dead === undefined ? {} : { dead }),
  ...(since === undefined ? {} : { sinceMs: since }),
});

function selected(flags: Flags): WebhookSelection {
  const selection = selectionOf(flags);
  if (Object.keys(selection).length > 0) return selection;
  throw new ConfigError(['say which webhooks: --dead, --hash, --sender or --since']);
}

function show(rows: readonly ListedWebhook[], said: string, { json = false }: Flags): void {
  if (json) {
    for (const row of rows) process.stdout.write(`${toJson(row)}\n`);
    process.stderr.write(`${count(rows.length, 'webhook')} ${said}\n`);
    return;
  }
  const lines = rows.map(({ txHash, outcome, delivery, attempts, ageMs, error }) => [
    txHash,
    outcome,
    delivery === 'dead' ? 'given up' : delivery === 'due' && error !== null ? 'tried again' : delivery,
    attempts,
    `${duration(ageMs)} old`,
    oneLine(error ?? ''),
  ]);
  if (lines.length > 0) console.log(table(lines));
  console.log(`${count(rows.length, 'webhook')} ${said}`);
}

const list = (flags: Flags): Promise<void> =>
  withDatabase(loadDatabaseSettings(process.env), async (database) => {
    show(
      await troubledWebhooks(database, LISTED),
      'not delivered: given up, or failed and tried again',
      flags,
    );
  });

const replay = (flags: Flags): Promise<void> =>
  withDatabase(loadDatabaseSettings(process.env), async (database) => {
    const dryRun = flags.dryRun ?? false;
    const rows = await replayWebhooks(database, selected(flags), { dryRun });
    show(rows, dryRun ? 'would be delivered again' : 'will be delivered again, each under its own id', flags);
  });

const skip = (flags: Flags): Promise<void> =>
  withDatabase(loadDatabaseSettings(process.env), async (database) => {
    show(
      await skipWebhooks(database, selected(flags)),
      'skipped; `webhooks replay` delivers them after all',
      flags,
    );
  });

const withSelection = (command: Command): Command =>
  command
    .option('--hash <hash>', 'of this transaction', hashArgument)
    .option('--sender <address>', 'of this sender', addressArgument)
    .option('--dead', 'given up')
    .option('--since <age>', 'written at most this long ago: 90s, 10min, 2h, 1d', age)
    .option('--json', 'print one line of JSON each on stdout, the count on stderr');

/** The end of each help. */
const withExamples = (...examples: readonly string[]): string =>
  [
    '\nEnvironment: DATABASE_URL.\n\nExamples:',
    ...examples.map((words) => `  canton-submitter webhooks ${words}`),
  ].join('\n');

export function webhooksCommand(): Command {
  return new Command('webhooks')
    .description('outcomes on their way to WEBHOOK_URL: list what was not delivered, deliver again, skip')
    .addCommand(
      new Command('list')
        .description('what was given up, and what failed and is tried again, with the reason')
        .option('--json', 'print one line of JSON each on stdout, the count on stderr')
        .addHelpText('after', withExamples('list', 'list --json'))
        .action((flags: Flags) => list(flags)),
    )
    .addCommand(
      withSelection(new Command('replay'))
        .description(
          'deliver again what was delivered, given up or skipped; a webhook must meet all conditions',
        )
        .option('--dry-run', 'show what would be done, and change nothing')
        .addHelpText(
          'after',
          `
Each keeps its id, so a receiver that has had it can tell. A sender's are delivered in their order, before newer ones.
After the receiver has lost its last two hours: --since 2h.${withExamples('replay --dead --dry-run', 'replay --since 2h')}`,
        )
        .action((flags: Flags) => unheard(() => replay(flags))),
    )
    .addCommand(
      withSelection(new Command('skip'))
        .description("do not deliver what was given up, or what fails and holds up its sender's next")
        .addHelpText('after', withExamples('skip --hash 0x…', 'skip --dead'))
        .action((flags: Flags) => unheard(() => skip(flags))),
    )
    .addHelpText('after', withExamples('list', 'replay --dead'));
}
