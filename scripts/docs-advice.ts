// Writes the tables of docs/operations.md from the code: what to do about each reason of a parked row, and about each part that
// blocks an instance. `npx tsx scripts/docs-advice.ts`; a test compares the two.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { blockerAdvice, type End, parkedAdvice } from '../src/core/advice.js';
import { HARMLESS } from '../src/core/blockers.js';

const PAGE = new URL('../docs/operations.md', import.meta.url);
const between = (name: string): RegExp =>
  new RegExp(`(<!-- ${name}:begin[^\\n]*-->\\n)([\\s\\S]*?)(<!-- ${name}:end -->)`);

const ENDS: Readonly<Record<End, string>> = {
  replay: '`replay`',
  'by-hand': '`replay --completed`, or `--force-new`',
  'send-or-fail': '`replay --force-new --hash`, or `fail`',
  fail: '`fail`',
  'nothing-yet': 'nothing yet',
};

function adviceTable(): string {
  const rows = parkedAdvice.map(({ codes, toDo, runbook, end }) => {
    const reasons = codes.map((code) => (code === '(other)' ? 'anything else' : `\`${code}\``)).join(', ');
    const more = runbook === undefined ? '' : ` See [${runbook.title}](runbooks.md#${runbook.anchor})`;
    return `| ${reasons} | ${toDo}${more} | ${ENDS[end]} |`;
  });
  return ['| reason | what to do | then |', '|---|---|---|', ...rows, ''].join('\n');
}

function blockersTable(): string {
  const rows = Object.entries(blockerAdvice).map(
    ([part, toDo]) => `| \`${part}\` | ${HARMLESS.has(part) ? 'yes' : 'no'} | ${toDo} |`,
  );
  return ['| part | claims go on | what to do |', '|---|---|---|', ...rows, ''].join('\n');
}

export const tables: Readonly<Record<string, () => string>> = {
  advice: adviceTable,
  blockers: blockersTable,
};

/** Null if the page has no place for it. */
export const tableInDocs = (name: string): string | null =>
  between(name).exec(readFileSync(PAGE, 'utf8'))?.[2] ?? null;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = Object.entries(tables).reduce(
    (text, [name, table]) => text.replace(between(name), (_, begin, __, end) => `${begin}${table()}${end}`),
    readFileSync(PAGE, 'utf8'),
  );
  writeFileSync(PAGE, page);
}
