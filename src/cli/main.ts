// The command line. One file per command; only the requested one is loaded, because each brings its own libraries.
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { Command } from 'commander';
import { ConfigError } from '../core/errors.js';
import { exit, exitCodeOf, messageOf } from './exit.js';
import { watchOutput } from './support/output.js';

interface Listed {
  /** As the list of commands shows it; what the command's own help says stands with the command. */
  readonly summary: string;
  load(): Promise<Command>;
}

const commands: Readonly<Record<string, Listed>> = {
  run: {
    summary: 'submit transfers until SIGTERM; any number of instances on one database',
    load: async () => (await import('./run.js')).runCommand(),
  },
  doctor: {
    summary: 'check the settings against database, participant and registries',
    load: async () => (await import('./doctor.js')).doctorCommand(),
  },
  migrate: {
    summary: 'prepare the database, and change what all instances must agree on',
    load: async () => (await import('./migrate.js')).migrateCommand(),
  },
  status: {
    summary: 'show the queue: states and ages, who holds rows, failed and parked rows',
    load: async () => (await import('./status.js')).statusCommand(),
  },
  replay: {
    summary: 'make waiting, retrying or parked rows due now',
    load: async () => (await import('./replay.js')).replayCommand(),
  },
  webhooks: {
    summary: 'list outcomes that were not delivered, deliver them again, or skip them',
    load: async () => (await import('./webhooks.js')).webhooksCommand(),
  },
  prune: {
    summary: 'delete old mined rows, or outcomes that everybody has',
    load: async () => (await import('./prune.js')).pruneCommand(),
  },
  enqueue: {
    summary: 'insert raw signed ERC-20 transfers, as eth_sendRawTransaction gets them',
    load: async () => (await import('./enqueue.js')).enqueueCommand(),
  },
  sandbox: {
    summary: 'start a Canton participant to test against',
    load: async () => (await import('./sandbox.js')).sandboxCommand(),
  },
  demo: {
    summary: 'everything at once, with nothing installed',
    load: async () => (await import('./demo.js')).demoCommand(),
  },
};

/** Both `src/cli` and `dist/cli` are two folders below package.json. */
const version = (): string => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
};

/** Variables that are set already are kept, so the file provides defaults. */
function loadEnvFile(path: string): void {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([
      `--env-file cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    ]);
  }
  for (const [name, value] of Object.entries(parseEnv(content))) process.env[name] ??= value;
}

async function main(words: readonly string[]): Promise<void> {
  const program = new Command('canton-submitter')
    .description(
      'Gets every accepted ERC-20 transfer from the mempool table onto a Canton ledger, exactly once.',
    )
    .version(version())
    .option('--env-file <file>', 'read settings from a file; the environment takes precedence')
    .hook('preAction', (root) => {
      const { envFile } = root.opts<{ envFile?: string }>();
      if (envFile !== undefined) loadEnvFile(envFile);
    })
    .exitOverride();
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = words.includes(name) ? await load() : new Command(name);
    program.addCommand(command.summary(summary).copyInheritedSettings(program));
  }
  await program.parseAsync(words, { from: 'user' });
}

watchOutput();
try {
  await main(process.argv.slice(2));
} catch (error) {
  const message = messageOf(error);
  if (message !== null) process.stderr.write(`canton-submitter: ${message}\n`);
  process.exitCode = exitCodeOf(error);
  // Whatever a failed command left open (a pool, a timer) must not keep the process alive.
  if (process.exitCode !== exit.clean) setImmediate(() => process.exit());
}
