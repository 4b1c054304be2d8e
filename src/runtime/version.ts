import { readFileSync } from 'node:fs';

/** As package.json has it; both `src/runtime` and `dist/runtime` are two folders below. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
