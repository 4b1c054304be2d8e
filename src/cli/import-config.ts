// `canton-submitter import-config`: for moving over from canton-middleware's own submitter.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseTokens } from '../config/tokens-file.js';
import { ConfigError } from '../core/errors.js';
import { readMiddleware } from './import-config/middleware.js';
import { translate } from './import-config/translate.js';
import { exportLines, plainLines } from './support/shell.js';

interface Flags {
  readonly plain?: boolean;
  readonly tokens: string;
  readonly admin: ReadonlyMap<string, string>;
}

function run(file: string, flags: Flags): void {
  const read = readMiddleware(contentOf(file), process.env);
  if (read.kind === 'wrong') throw new ConfigError(read.problems.map((one) => `${file}: ${one}`));
  const { env, tokens, problems, notes } = translate(read.config, {
    admins: flags.admin,
    environment: process.env,
    unset: read.unset,
  });
  const checked = problems.length > 0 ? null : parseTokens(tokens, `${file}: token.supported_tokens`);
  const wrong = [
    ...problems.map((one) => `${file}: ${one}`),
    ...(checked && 'problems' in checked ? checked.problems : []),
  ];
  if (wrong.length > 0) throw new ConfigError(wrong);
  const values = { ...env, TOKENS_FILE: resolve(flags.tokens) };
  const plain = flags.plain ? plainLines(values) : null;
  if (plain !== null && plain.unfit.length > 0)
    throw new ConfigError(
      plain.unfit.map(
        (name) =>
          `${name} contains a quote, a backslash, a line break or white space at an end, which systemd reads differently from docker and kubectl: leave out --plain, and quote it by hand`,
      ),
    );
  write(flags.tokens, `${JSON.stringify(tokens, null, 2)}\n`);
  process.stdout.write(plain?.lines ?? exportLines(values));
  const key = plain !== null && env.CANTON_MASTER_KEY !== undefined ? [KEY_IN_A_FILE] : [];
  for (const note of [...notes, ...key]) process.stderr.write(`note: ${note}\n`);
}

const KEY_IN_A_FILE =
  'where CANTON_MASTER_KEY_FILE is set, as in deploy/systemd and deploy/kubernetes, move the value of CANTON_MASTER_KEY into that file and delete its line here: `run` refuses both together';

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    ]);
  }
}

/** Another file of that name may have been corrected by hand. */
function write(file: string, content: string): void {
  try {
    writeFileSync(file, content, { flag: 'wx' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      if (readFileSync(file, 'utf8') === content) return;
      throw new ConfigError([
        `${file} exists and says something else: move it away, or give another --tokens`,
      ]);
    }
    throw new ConfigError([
      `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    ]);
  }
}

function admin(text: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const match = /^([^=]+)=(.+)$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined)
    throw new InvalidArgumentError('give SYMBOL=PARTY, for example USDCx=bridge::1220ab');
  return new Map([...before, [match[1], match[2]]]);
}

export function importConfigCommand(): Command {
  return new Command('import-config')
    .description(
      "turn the configuration of canton-middleware's API server into our environment and TOKENS_FILE",
    )
    .argument('<file>', 'its YAML file')
    .option(
      '--tokens <file>',
      'where to write TOKENS_FILE; one that says something else is not overwritten',
      'tokens.json',
    )
    .option(
      '--plain',
      "print bare NAME=value lines, for systemd's EnvironmentFile, docker --env-file and kubectl --from-env-file",
    )
    .addOption(
      new Option(
        '--admin <symbol=party>',
        'who administers a token that is not of the issuer, where the file does not say; may be repeated',
      )
        .argParser(admin)
        .default(new Map<string, string>(), 'none'),
    )
    .addHelpText(
      'after',
      `
Prints lines that a shell can source, and \`--env-file\` can read, or bare ones with --plain; what you have to look at goes
to stderr. \${NAME} in the file is taken from the environment, as the API does it: run it where the API's variables are set.
The lines contain its secrets.

Examples:
  canton-submitter import-config config.yaml > submitter.env
  canton-submitter import-config config.yaml --plain --tokens /etc/canton-submitter/tokens.json > env
  canton-submitter import-config config.yaml --admin USDCx=bridge::1220ab > submitter.env`,
    )
    .action(run);
}
