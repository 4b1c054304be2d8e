// The commands put together: one file per command; only the requested one is loaded, because each brings its own libraries.
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { Command } from 'commander';
import { ConfigError } from '../core/errors.js';
import { packageVersion } from '../runtime/version.js';
import { commands } from './commands.js';

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

/** A command of a command too ends by an exception, not by leaving the process. */
function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const inner of command.commands) inherit(inner, command);
}

/** Loads the commands that are among these words; null: all of them. */
export async function createProgram(words: readonly string[] | null): Promise<Command> {
  const program = new Command('canton-submitter')
    .description(
      'Gets every accepted ERC-20 transfer from the mempool table onto a Canton ledger, exactly once.',
    )
    .version(packageVersion())
    .option('--env-file <file>', 'read settings from a file; the environment takes precedence')
    .hook('preAction', (root) => {
      const { envFile } = root.opts<{ envFile?: string }>();
      if (envFile !== undefined) loadEnvFile(envFile);
    })
    .addHelpText(
      'after',
      `
Examples:
  canton-submitter demo
  canton-submitter run --env-file /etc/canton-submitter/env
  canton-submitter replay --help`,
    )
    .exitOverride();
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command =
      words === null || words.includes(name) ? await load(() => createProgram(null)) : new Command(name);
    inherit(command.summary(summary), program);
    program.addCommand(command);
  }
  return program;
}
