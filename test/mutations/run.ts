// `npm run test:mutations [pattern] [--jobs N]`: proves that each test of a guarantee can fail. Takes out one mechanism at
// a time, on a copy of the tree (one a job), and runs the test of its name; a test that stays green is a failure of this
// command.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { measurePace } from '../support/measure-pace.js';
import { startTestServer } from '../support/server.js';
import { mutations } from './all.js';
import type { Mutation } from './mutation.js';
import { typeChecker } from './types.js';

const root = path.resolve(import.meta.dirname, '../..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { jobs: { type: 'string', default: '1' } },
});
const [pattern = ''] = positionals;
const wanted = mutations.filter(({ name, what }) => `${name}: ${what}`.includes(pattern));
const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
/** Once for all of them, before the jobs themselves keep this machine busy. */
const pace = String(await measurePace());

const copies: string[] = [];
process.on('exit', () => {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
});
process.on('SIGINT', () => process.exit(130));

const survived: Mutation[] = [];
const typeFaults = typeChecker(root);
const compiling = wanted.filter((mutation) => {
  const faults = typeFaults(mutation);
  if (faults.length > 0) report(mutation, `it does not compile: ${faults.join('; ')}`);
  return faults.length === 0;
});
/** One for all of them: to make one is most of what a mutation of a statement costs. */
const given = process.env.TEST_DATABASE_URL;
const server = given === undefined ? await startTestServer() : null;
const databaseUrl = server?.url ?? given;
const waiting = compiling.values();
await Promise.all(Array.from({ length: Number(values.jobs) }, job));
await server?.stop();
console.log(
  `${wanted.length - survived.length} of ${wanted.length} mechanisms are missed when they are gone`,
);
process.exit(survived.length === 0 ? 0 : 1);

async function job(): Promise<void> {
  const copy = mkdtempSync(path.join(tmpdir(), 'canton-submitter-mutation-'));
  copies.push(copy);
  for (const file of files) cpSync(path.join(root, file), path.join(copy, file), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  for (const mutation of waiting) {
    report(mutation, await tryOut(mutation, copy));
  }
}

function report(mutation: Mutation, said: string): void {
  const killed = said === 'killed';
  console.log(
    `${killed ? 'ok  ' : 'BAD '} ${mutation.name.padEnd(6)} ${mutation.what}${killed ? '' : `: ${said}`}`,
  );
  if (!killed) survived.push(mutation);
}

async function tryOut({ file, find, put, test, match }: Mutation, copy: string): Promise<string> {
  const target = path.join(copy, file);
  const before = readFileSync(target, 'utf8');
  if (before.split(find).length !== 2) return `${file} has not exactly one place like that`;
  writeFileSync(
    target,
    before.replace(find, () => put),
  );
  try {
    const { status, output } = await run(copy, test, match);
    if (/Couldn.t find any matching tests|No tests found/.test(output)) return 'no test of that name';
    if (status === 0) return 'the test stayed green';
    return (await answers()) ? 'killed' : 'the server of the databases does not answer';
  } finally {
    writeFileSync(target, before);
  }
}

/** A test that failed because its server was gone has proven nothing. */
async function answers(): Promise<boolean> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 30_000 });
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

function run(copy: string, test: string, match: string): Promise<{ status: number | null; output: string }> {
  const ava = spawn(path.join(root, 'node_modules/.bin/ava'), [test, `--match=${match}`], {
    cwd: copy,
    timeout: 240_000,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      TEST_HANG_MS: '60000',
      TEST_PACE: pace,
      TEST_ONLY: test,
      TEST_DATABASE_URL: databaseUrl,
    },
  });
  let output = '';
  for (const stream of [ava.stdout, ava.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  return new Promise((resolve) => ava.once('close', (status) => resolve({ status, output })));
}
