// What the documentation and the help show is what the command line takes: every `canton-submitter …` in README, docs and
// `--help` is parsed by the real commands, without being run. What can be run at once is: see quick-start.test.ts.
import { spawnSync } from 'node:child_process';
import test from 'ava';
import { type Command, CommanderError } from 'commander';
import { commands } from '../../src/cli/commands.js';
import { completionScript } from '../../src/cli/completion.js';
import { createProgram } from '../../src/cli/program.js';
import { ConfigError } from '../../src/core/errors.js';
import { file } from '../config/environment.js';
import { commandsIn, pages, type Shown, wordsOf } from '../support/docs.js';

/** What stands for a value in prose: something of the kind. */
const SAMPLES: readonly (readonly [RegExp, string])[] = [
  [/^(0x…|HASH|0x)$/, `0x${'ab'.repeat(32)}`],
  [/^(ADDRESS|\$[A-Z_]*ADDRESS)$/, `0x${'ab'.repeat(20)}`],
  [/^\$[A-Z_]*KEY$/, `0x${'22'.repeat(32)}`],
  [/^(MS|N|AMOUNT)$/, '90000'],
  [/^AGE$/, '10min'],
];

/** An option with an address wants another sample than one with a hash. */
function sample(word: string, before: string): string {
  if (word === '0x…' && /^--(from|to|sender|token)$/.test(before)) return `0x${'ab'.repeat(20)}`;
  return SAMPLES.find(([pattern]) => pattern.test(word))?.[1] ?? word;
}

const LEFT_OUT = new Set([
  'commander.optionMissingArgument',
  'commander.missingArgument',
  'commander.missingMandatoryOptionValue',
]);

/** Parsing, and nothing else. */
function withoutActions(command: Command): Command {
  command.action(() => {}).configureOutput({ writeErr: () => {}, writeOut: () => {} });
  for (const inner of command.commands) withoutActions(inner);
  return command;
}

/** Null: it is taken. */
async function refusal({
  words,
  prose = false,
}: Pick<Shown, 'words'> & Partial<Shown>): Promise<string | null> {
  const program = await createProgram(words.length === 0 ? [] : words);
  for (const inner of program.commands) withoutActions(inner);
  program.configureOutput({ writeErr: () => {}, writeOut: () => {} });
  // A file that a command line names is read before the command; here it is nobody's.
  const given = words.map((word, index) => sample(word, words[index - 1] ?? ''));
  const file = given.indexOf('--env-file');
  if (file >= 0) given.splice(file, 2);
  try {
    await program.parseAsync(given, { from: 'user' });
    return null;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return null;
    if (prose && error instanceof CommanderError && LEFT_OUT.has(error.code)) return null;
    if (error instanceof CommanderError || error instanceof ConfigError) return error.message;
    throw error;
  }
}

test('every command in README and docs is one that the command line takes', async (t) => {
  const shown = pages().flatMap((page) => commandsIn(page, Object.keys(commands)));
  t.true(shown.length > 60, `only ${shown.length} commands found`);
  const refused: string[] = [];
  for (const one of shown) {
    const why = await refusal(one);
    if (why !== null) refused.push(`${one.where}: canton-submitter ${one.words.join(' ')}: ${why}`);
  }
  t.deepEqual(refused, []);
});

/** All commands, those of commands too, with their help. */
function all(command: Command, path: string): { readonly path: string; readonly help: string }[] {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  return [
    { path, help },
    ...command.commands.flatMap((inner) => all(inner, `${path} ${inner.name()}`.trim())),
  ];
}

test('every --help has examples, and each of them is taken', async (t) => {
  for (const { path, help } of all(await createProgram(null), '')) {
    if (path === 'help') continue;
    const examples = help.split('\nExamples:\n')[1]?.trim().split('\n') ?? [];
    t.true(examples.length >= 2, `${path}: --help has no examples`);
    for (const line of examples) {
      t.true(line.length <= 130, `${path}: ${line}`);
      const found = wordsOf(line);
      t.true(found.length >= 1, `${path}: ${line}`);
      for (const words of found) t.is(await refusal({ words }), null, `${path}: ${line}`);
    }
  }
});

const installed = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;

test('completion: bash completes commands, their options and values; every shell that is here can read its script', async (t) => {
  const program = await createProgram(null);
  const script = completionScript('bash', program);
  const completed = (...words: string[]): string[] => {
    const line = words.map((word) => `'${word}'`).join(' ');
    const asked = `COMP_WORDS=(canton-submitter ${line}); COMP_CWORD=${words.length}; _canton_submitter; echo "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', `${script}\n${asked}`], { encoding: 'utf8' });
    t.is(stderr, '');
    return stdout.trim().split(' ');
  };
  t.deepEqual(completed('stat'), ['status']);
  t.deepEqual(completed('replay', '--pa'), ['--parked']);
  t.deepEqual(completed('sandbox', 'us'), ['user']);
  t.deepEqual(completed('sandbox', 'user', 'alice', '--ext'), ['--external']);
  t.deepEqual(completed('sandbox', '--dedup', 'o'), ['on', 'off']);
  t.deepEqual(completed('migrate', '--lanes', 'sen'), ['sender']);
  for (const shell of ['zsh', 'fish'] as const) {
    const text = completionScript(shell, program);
    for (const word of ['import-config', 'user', 'external', 'older-than'])
      t.true(text.includes(word), shell);
    if (!installed(shell)) continue;
    // A file, since fish does not read a script from a socket.
    const { status, stderr } = spawnSync(shell, ['-n', file(text)], { encoding: 'utf8' });
    t.is(status, 0, stderr);
  }
});
