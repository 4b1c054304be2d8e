// Writes the table of reasons in docs/operations.md from the code: `npx tsx scripts/docs-advice.ts`. A test compares the two.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parkedAdvice } from '../src/observe/advice.js';

const PAGE = new URL('../docs/operations.md', import.meta.url);
const BETWEEN = /(<!-- advice:begin[^\n]*-->\n)([\s\S]*?)(<!-- advice:end -->)/;

export function adviceTable(): string {
  const rows = parkedAdvice.map(({ codes, toDo, runbook }) => {
    const reasons = codes.map((code) => (code === '(other)' ? 'anything else' : `\`${code}\``)).join(', ');
    const more = runbook === undefined ? '' : ` See [${runbook.title}](runbooks.md#${runbook.anchor})`;
    return `| ${reasons} | ${toDo}${more} |`;
  });
  return ['| reason | what to do |', '|---|---|', ...rows, ''].join('\n');
}

/** Null if the page has no place for it. */
export const tableInDocs = (): string | null => BETWEEN.exec(readFileSync(PAGE, 'utf8'))?.[2] ?? null;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(
    PAGE,
    readFileSync(PAGE, 'utf8').replace(BETWEEN, (_, begin, __, end) => `${begin}${adviceTable()}${end}`),
  );
}
