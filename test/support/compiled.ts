// src as JavaScript, made once for whatever it is at the moment: a process that starts from it takes half of what one
// takes that compiles as it goes, and the tests start many.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';

const root = path.resolve(import.meta.dirname, '../..');
const cache = path.join(root, 'node_modules', '.cache', 'canton-submitter-tests');
/** What the sources read, or resolve names by, at run time. */
const BESIDE = ['package.json', 'proto', 'schema.sql', 'triggers.sql', 'node_modules'];

let made: string | undefined;

/** The path of a source, compiled: `cli/main`, say. */
export function compiled(source: string): string {
  made ??= make();
  return path.join(made, 'src', `${source}.js`);
}

function make(): string {
  const files = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(root, 'src', file))
    .sort();
  const digest = createHash('sha256');
  for (const file of files) digest.update(file).update('\0').update(readFileSync(file));
  const folder = path.join(cache, digest.digest('hex').slice(0, 24));
  if (existsSync(folder)) return folder;
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
    logLevel: 'error',
  });
  for (const name of BESIDE) symlinkSync(path.join(root, name), path.join(draft, name));
  try {
    renameSync(draft, folder);
    forget(folder);
  } catch (error) {
    // Another test file was faster, with the same.
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** What was compiled of earlier sources, but for the last few: somebody else's tests may be running. */
function forget(newest: string): void {
  const KEPT = 5;
  const older = readdirSync(cache)
    .filter((name) => /^[0-9a-f]{24}$/.test(name) && name !== path.basename(newest))
    .sort();
  for (const name of older.slice(KEPT)) rmSync(path.join(cache, name), { recursive: true, force: true });
}
