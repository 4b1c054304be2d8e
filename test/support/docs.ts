// The documentation's code blocks and commands, so that tests can run them.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** README, and every page of docs/, deploy/ and examples/. */
export function pages(): string[] {
  const folders = ['docs', 'deploy', 'examples'].flatMap((folder) => {
    try {
      return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
        path.join(folder, file),
      );
    } catch {
      return [];
    }
  });
  return ['README.md', 'CONTRIBUTING.md', 'src/sandbox/README.md', ...folders].filter(
    (file) => file.endsWith('.md') && !file.includes('node_modules'),
  );
}

export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: { language: string; line: number; indent: number; lines: string[] } | null = null;
  for (const [index, line] of readFileSync(path.join(ROOT, page), 'utf8').split('\n').entries()) {
    const fence = /^( *)```(\w*)/.exec(line);
    if (open !== null && fence !== null) {
      blocks.push({ page, line: open.line, language: open.language, text: open.lines.join('\n') });
      open = null;
    } else if (open !== null) open.lines.push(line.slice(open.indent));
    else if (fence !== null)
      open = { language: fence[2] ?? '', line: index + 2, indent: fence[1]?.length ?? 0, lines: [] };
  }
  return blocks;
}

/** The one block of this language in which this appears. */
export function block(page: string, language: string, contains: string): string {
  const found = blocksOf(page).filter((one) => one.language === language && one.text.includes(contains));
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`${page} has ${found.length} blocks of ${language} with ${contains}, not one`);
  return found[0].text;
}

export interface Shown {
  /** `page:line` */
  readonly where: string;
  /** The words after `canton-submitter`. */
  readonly words: readonly string[];
  /** In a sentence, where the value of an option may be left out: `replay --hash`. */
  readonly prose: boolean;
}

/** Every `canton-submitter …` in a code block of shell, or in a span of code, which may leave the name out: `replay --parked`. */
export function commandsIn(page: string, names: readonly string[]): Shown[] {
  const text = readFileSync(path.join(ROOT, page), 'utf8');
  const blocks = blocksOf(page);
  const inBlocks = blocks
    .filter(({ language }) => language === 'sh' || language === 'bash' || language === '')
    .flatMap(({ text, line }) =>
      text
        .replaceAll(/\\\n/g, '  ')
        .split('\n')
        .flatMap((one, index) =>
          wordsOf(one).map((words) => ({ where: `${page}:${line + index}`, words, prose: false })),
        ),
    );
  const prose = text.replaceAll(/^ *```[\s\S]*?^ *```/gm, (block) => block.replaceAll(/[^\n]/g, ''));
  const inSpans = [
    ...prose.matchAll(/`([^`]*canton-submitter [^`]*)`/g),
    ...prose.matchAll(new RegExp(`\`()((?:${names.join('|')}) (?:user )?--[^\`]*)\``, 'g')),
  ].flatMap((match) =>
    wordsOf((match[1] || `canton-submitter ${match[2]}`).replaceAll('\n', ' ')).map((words) => ({
      where: `${page}:${prose.slice(0, match.index).split('\n').length}`,
      words,
      prose: true,
    })),
  );
  return [...inBlocks, ...inSpans];
}

/** The commands of one line: pipes, redirections, comments and variables are the shell's. */
export function wordsOf(line: string): string[][] {
  return [...line.matchAll(/(?:^|[\s(|&;])canton-submitter(?: +([^|&;()\n]*))?/g)].map((match) => {
    const command = (match[1] ?? '').replace(/(^| )#.*$/, '').replace(/ [<>].*$/, '');
    const words = [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
      ([, double, single, bare]) => double ?? single ?? bare ?? '',
    );
    return words;
  });
}
