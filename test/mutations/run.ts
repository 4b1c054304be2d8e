// `npm run test:mutations [pattern]`: proves that each test of a guarantee can fail. Takes out one mechanism at a time,
// on a copy of the tree, and runs the test of its name; a test that stays green is a failure of this command.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mutations } from './all.js';
import type { Mutation } from './mutation.js';

const root = path.resolve(import.meta.dirname, '../..');
const pattern = process.argv[2] ?? '';
const wanted = mutations.filter(({ name, what }) => `${name}: ${what}`.includes(pattern));

const copy = mkdtempSync(path.join(tmpdir(), 'canton-submitter-mutation-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
for (const file of files) cpSync(path.join(root, file), path.join(copy, file), { recursive: true });
symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));

const survived: string[] = [];
for (const mutation of wanted) {
  const said = tryOut(mutation);
  console.log(
    `${said === 'killed' ? 'ok  ' : 'BAD '} ${mutation.name.padEnd(6)} ${mutation.what}${said === 'killed' ? '' : `: ${said}`}`,
  );
  if (said !== 'killed') survived.push(mutation.name);
}
console.log(
  `${wanted.length - survived.length} of ${wanted.length} mechanisms are missed when they are gone`,
);
process.exit(survived.length === 0 ? 0 : 1);

function tryOut({ file, find, put, test, match }: Mutation): string {
  const target = path.join(copy, file);
  const before = readFileSync(target, 'utf8');
  if (before.split(find).length !== 2) return `${file} has not exactly one place like that`;
  writeFileSync(
    target,
    before.replace(find, () => put),
  );
  try {
    const run = spawnSync(path.join(root, 'node_modules/.bin/ava'), [test, `--match=${match}`], {
      cwd: copy,
      encoding: 'utf8',
      timeout: 240_000,
      env: { ...process.env, TEST_HANG_MS: '60000' },
    });
    const output = `${run.stdout}${run.stderr}`;
    if (/Couldn.t find any matching tests|No tests found/.test(output)) return 'no test of that name';
    return run.status === 0 ? 'the test stayed green' : 'killed';
  } finally {
    writeFileSync(target, before);
  }
}
