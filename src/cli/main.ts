// The command line. One file per command; only the requested one is loaded, because each brings its own libraries.
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { Command } from 'commander';
import { ConfigError } from '../core/errors.js';
import { exit, exitCodeOf, messageOf } from './exit.js';
import { watchOutput } from './support/output.js';

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run.js')).runCommand(),
  doctor: async () => (await import('./doctor.js')).doctorCommand(),
  migrate: async () => (await import('./migrate.js')).migrateCommand(),
  status: async () => (await import('./status.js')).statusCommand(),
  replay: async () => (await import('./replay.js')).replayCommand(),
  prune: async () => (await import('./prune.js')).pruneCommand(),
  enqueue: async () => (await import('./enqueue.js')).enqueueCommand(),
  sandbox: async () => (await import('./sandbox.js')).sandboxCommand(),
  demo: async () => (await import('./demo.js')).demoCommand(),
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
  const named = Object.keys(commands).filter((name) => words.includes(name));
  for (const name of named.length === 1 ? named : Object.keys(commands)) {
    const command = await commands[name]?.();
    if (command !== undefined) program.addCommand(command.copyInheritedSettings(program));
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
