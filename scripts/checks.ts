// What the compiler and the linter do not see, as part of `npm test`: sizes, layers, cycles, words in the wrong place,
// phrases, and READMEs that no longer fit their folder.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cycles } from './checks/cycles.js';
import { layers } from './checks/layers.js';
import { README_FOLDERS, readmes, unmerged } from './checks/readmes.js';
import { sizes } from './checks/sizes.js';
import { type Problem, readFiles, readSources, type Source } from './checks/sources.js';
import { clocks, english, sleeps, sql, weakSignals } from './checks/words.js';

const CHECKS = {
  sizes,
  layers,
  cycles,
  sql,
  clocks,
  sleeps,
  weakSignals,
  readmes,
  unmerged,
  english,
} as const;
type Check = keyof typeof CHECKS;
/** The others read TypeScript alone. */
const OF_EVERYTHING: ReadonlySet<Check> = new Set(['readmes', 'unmerged', 'english']);

/** Each with its reason. An exception that is no longer needed is a problem too. */
const EXCEPTIONS: Readonly<Partial<Record<Check, Readonly<Record<string, string>>>>> = {
  sql: {
    'src/cli/demo/database.ts': 'the demo plays the judge, who counts, which no submitter does',
  },
  clocks: {
    'src/ledger/call.ts':
      'grpc-js takes a deadline as a time on this machine, and turns it into a duration at once',
  },
  english: { 'test/checks/checks.test.ts': 'contains what the check must find' },
  sleeps: {
    'test/checks/checks.test.ts': 'contains what the check must find',
    'test/race/stress.ts': 'the stress lasts as long as it is told, and looks at it in between',
    'test/race/worker.ts': 'work and pauses between inserts take a random time',
    'test/sandbox/client.ts': 'the time-out of a helper that waits for an event',
  },
};

/** The problems that no exception covers, and the exceptions that cover none. */
export function findings(
  sources: readonly Source[],
  exceptions: Readonly<Partial<Record<Check, Readonly<Record<string, string>>>>> = EXCEPTIONS,
): string[] {
  const code = sources.filter(({ path: file }) => file.endsWith('.ts'));
  return (Object.keys(CHECKS) as Check[]).flatMap((name) => {
    const excepted = exceptions[name] ?? {};
    const problems: readonly Problem[] = CHECKS[name](OF_EVERYTHING.has(name) ? sources : code);
    const stale = Object.keys(excepted).filter((file) => !problems.some((problem) => problem.path === file));
    return [
      ...problems
        .filter((problem) => excepted[problem.path] === undefined)
        .map((one) => `${name}: ${one.path}: ${one.what}`),
      ...stale.map((file) => `${name}: ${file}: the exception for it is not needed any more`),
    ];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
  const pages = ['.', 'docs', 'page', ...README_FOLDERS].flatMap((folder) =>
    readdirSync(path.join(root, folder))
      .filter((file) => /\.(md|sql|js)$/.test(file))
      .map((file) => path.posix.join(folder, file)),
  );
  const found = findings([...readSources(root, ['src', 'test', 'scripts']), ...readFiles(root, pages)]);
  for (const line of found) console.error(line);
  if (found.length > 0) process.exit(1);
}
