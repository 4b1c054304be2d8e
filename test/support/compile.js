// The sources, tests included, as JavaScript: made once for whatever they are at the moment. A process that starts from it
// takes half of what one takes that compiles as it goes, and a test run starts some two hundred.
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
const BESIDE = [
  'package.json',
  'proto',
  'schema.sql',
  'triggers.sql',
  'node_modules',
  'test/support/compile.js',
];
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
  mkdirSync(draft, { recursive: true });
  buildSync({
    entryPoints: files,
    outbase: root,
    outdir: draft,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'error',
  });
  for (const file of files) if (!file.startsWith(path.join(root, 'src'))) keepPlace(file, draft);
  for (const name of BESIDE) symlinkSync(path.join(root, name), path.join(draft, name));
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

/** A test or a script looks for fixtures, documents and its own like beside its source. */
function keepPlace(/** @type {string} */ file, /** @type {string} */ folder) {
  const target = path.join(folder, path.relative(root, file)).replace(/\.ts$/, '.js');
  const code = readFileSync(target, 'utf8');
  if (!code.includes('import.meta.')) return;
  const placed = code
    .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href))
    .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(file)));
  writeFileSync(target, placed);
}

function forget(/** @type {string} */ newest) {
  const older = readdirSync(cache)
    .filter((name) => /^[0-9a-f]{24}$/.test(name) && name !== path.basename(newest))
    .map((name) => ({ name, usedAt: statSync(path.join(cache, name)).mtimeMs }))
    .sort((a, b) => b.usedAt - a.usedAt)
    .slice(KEPT);
  for (const { name, usedAt } of older)
    if (Date.now() - usedAt > IN_USE_MS) rmSync(path.join(cache, name), { recursive: true, force: true });
}
