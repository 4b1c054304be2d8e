// `canton-submitter completion`: a script for a shell, made from the commands themselves.
import { Argument, Command, type Option } from 'commander';

interface Node {
  /** `sandbox user`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly Described[];
  readonly options: readonly OptionOf[];
}

interface Described {
  readonly name: string;
  readonly about: string;
}

interface OptionOf extends Described {
  /** What may follow it; empty: anything, a file for instance. Null: it takes no value. */
  readonly values: readonly string[] | null;
}

function nodesOf(command: Command, path: string): Node[] {
  const inner = command.commands.map((one) => ({
    name: one.name(),
    about: one.summary() || one.description(),
  }));
  const options = [
    ...command.options.map(optionOf),
    { name: '--help', about: 'show the help', values: null },
  ];
  return [
    { path, commands: inner, options },
    ...command.commands.flatMap((one) => nodesOf(one, `${path} ${one.name()}`.trim())),
  ];
}

const optionOf = (option: Option): OptionOf => ({
  name: option.long ?? option.flags,
  about: option.description,
  values: option.required || option.optional ? (option.argChoices ?? []) : null,
});

const SHELLS = { bash, zsh, fish } as const;
type Shell = keyof typeof SHELLS;

/** `case`s of bash and zsh, whose patterns are the same. */
const cases = (nodes: readonly Node[], words: (node: Node) => string): string =>
  nodes.map((node) => `    '${node.path}') ${words(node)} ;;`).join('\n');

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The commands among the words so far. */
const PATH_OF_WORDS = (nodes: readonly Node[]): string =>
  nodes
    .flatMap(({ path, commands }) => commands.map(({ name }) => `'${path} ${name}'`.replace("' ", "'")))
    .join('|');

function bash(nodes: readonly Node[]): string {
  return `# bash completion of canton-submitter: source <(canton-submitter completion bash)
_canton_submitter() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path='' word next
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in ${PATH_OF_WORDS(nodes)}) path="$next" ;; esac
  done
  COMPREPLY=()
  case "$path $before" in
${valueCases(nodes)}
  esac
  local words=''
  case "$path" in
${cases(nodes, ({ commands, options }) => `words=${quoted([...commands, ...options].map(({ name }) => name).join(' '))}`)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _canton_submitter canton-submitter
`;
}

/** An option that takes a value: its choices, or a file name. */
const valueCases = (nodes: readonly Node[]): string =>
  nodes
    .flatMap(({ path, options }) =>
      options.flatMap(({ name, values }) =>
        values === null
          ? []
          : [
              `    '${path} ${name}') COMPREPLY=($(compgen ${values.length === 0 ? '-f' : `-W ${quoted(values.join(' '))}`} -- "$current")); return ;;`,
            ],
      ),
    )
    .join('\n');

/** Not `path`: to zsh that is PATH. */
function zsh(nodes: readonly Node[]): string {
  const described = ({ name, about }: Described): string => quoted(`${name.replaceAll(':', '\\:')}:${about}`);
  const values = nodes.flatMap(({ path, options }) =>
    options.flatMap(({ name, values }) =>
      values === null
        ? []
        : [
            `    '${path} ${name}') ${values.length === 0 ? '_files' : `compadd -- ${values.map(quoted).join(' ')}`}; return ;;`,
          ],
    ),
  );
  return `#compdef canton-submitter
# zsh completion of canton-submitter: source <(canton-submitter completion zsh)
_canton_submitter() {
  local at='' word next
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${at:+$at }$word"
    case "$next" in (${PATH_OF_WORDS(nodes)}) at="$next" ;; esac
  done
  case "$at \${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$at" in
${cases(nodes, ({ commands, options }) => `found=(${[...commands, ...options].map(described).join(' ')})`)}
  esac
  _describe 'canton-submitter' found || _files
}
compdef _canton_submitter canton-submitter
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, commands, options }) => {
    const names = path.split(' ').filter((name) => name !== '');
    const inside = names.map((name) => `__fish_seen_subcommand_from ${name}`);
    const outside =
      commands.length === 0
        ? []
        : [`not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(' ')}`];
    const when = quoted([...inside, ...outside].join('; and '));
    return [
      ...commands.map(
        ({ name, about }) => `complete -c canton-submitter -f -n ${when} -a ${name} -d ${quoted(about)}`,
      ),
      ...options.map(({ name, about, values }) => {
        const takes =
          values === null ? '' : values.length === 0 ? ' -r' : ` -x -a ${quoted(values.join(' '))}`;
        return `complete -c canton-submitter -n ${when} -l ${name.replace(/^--/, '')}${takes} -d ${quoted(about)}`;
      }),
    ];
  });
  return `# fish completion of canton-submitter: canton-submitter completion fish | source\n${lines.join('\n')}\n`;
}

export const completionScript = (shell: Shell, program: Command): string =>
  SHELLS[shell](nodesOf(program, ''));

export function completionCommand(program: () => Promise<Command>): Command {
  const shell = new Argument('<shell>', 'which shell').choices(Object.keys(SHELLS));
  return new Command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(shell)
    .addHelpText(
      'after',
      `
Examples:
  source <(canton-submitter completion bash)
  canton-submitter completion zsh > ~/.zfunc/_canton-submitter
  canton-submitter completion fish > ~/.config/fish/completions/canton-submitter.fish`,
    )
    .action(async (name: Shell) => {
      process.stdout.write(completionScript(name, await program()));
    });
}
