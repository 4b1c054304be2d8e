// The benchmarks at their smallest: that they run, what they write, and what they say of a wrong command line. No figure of
// theirs is judged here.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { Results } from '../../scripts/bench/report/results.js';
import { serverUrl } from '../support/postgres.js';

/** Without main.ts, which would look for another Node. */
const compiled = path.join(process.env.TEST_COMPILED ?? '', 'parts', 'scripts', 'bench', 'run.js');

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function bench(cwd: string, ...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [compiled, ...args], {
    cwd,
    env: { ...process.env, TEST_DATABASE_URL: await serverUrl() },
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })));
}

test('the smallest scenario: figures of each system, ratios, and a report of them', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'canton-submitter-bench-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const { code, stderr, stdout } = await bench(folder, '--smallest', '--json', 'figures.json', '--report');
  t.is(code, 0, stderr);
  t.regex(stdout, /cores of .*Node/);

  const figures = JSON.parse(await readFile(path.join(folder, 'figures.json'), 'utf8')) as Results;
  const idle = figures.scenarios['latency-idle-1'];
  t.deepEqual(Object.keys(idle?.systems ?? {}), ['ours', 'floor']);
  for (const summary of Object.values(idle?.systems ?? {})) t.true(Number(summary.p50) > 0);
  t.true((idle?.ratios.vsFloor ?? 0) > 0);

  const report = await readFile(path.join(folder, 'BENCHMARKS.md'), 'utf8');
  t.regex(report, /\| 1 instance \| ours \|/);
  const plot = await readFile(path.join(folder, 'docs', 'benchmarks', 'latency-idle.svg'), 'utf8');
  t.regex(plot, /^<svg [\s\S]*floor[\s\S]*<\/svg>\n$/);
});

test('a wrong command line is told what there is, and --help anybody', async (t) => {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const [unknown, systems, help] = await Promise.all([
    bench(here, 'nonesuch'),
    bench(here, '--systems', 'ours,theirs'),
    bench(here, '--help'),
  ]);
  t.is(unknown.code, 2);
  t.regex(unknown.stderr, /no scenario nonesuch: there are latency-idle, /);
  t.is(systems.code, 2);
  t.regex(systems.stderr, /unknown: theirs; there are ours, floor, graphile-worker, pg-boss, poller/);
  t.is(help.code, 0);
  t.regex(help.stdout, /--rounds K[\s\S]*Names: latency-idle, /);
});
