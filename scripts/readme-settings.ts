// Writes README's table of settings from the code: `npx tsx scripts/readme-settings.ts`. A test compares the two.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, settingNames } from '../src/config/settings.js';

const README = new URL('../README.md', import.meta.url);
const BETWEEN = /(<!-- settings:begin[^\n]*-->\n)([\s\S]*?)(<!-- settings:end -->)/;

/** A value is code, a description is prose. */
const shown = (fallback: string): string =>
  /^(required|none|asked)\b/.test(fallback) || /[\s`]/.test(fallback) ? fallback : `\`${fallback}\``;

export function settingsTable(): string {
  const rows = settingNames.map((name) => {
    const { fallback, about } = describe(name);
    return `| \`${name}\` | ${shown(fallback)} | ${about} |`;
  });
  return ['| name | default | |', '|---|---|---|', ...rows, ''].join('\n');
}

/** Null if README has no place for it. */
export const tableInReadme = (): string | null => BETWEEN.exec(readFileSync(README, 'utf8'))?.[2] ?? null;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(
    README,
    readFileSync(README, 'utf8').replace(BETWEEN, (_, begin, __, end) => `${begin}${settingsTable()}${end}`),
  );
}
