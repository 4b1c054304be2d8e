import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { LONG } from '../support/long.js';
import { serverFolder } from '../support/server-folder.js';
import { eventually, start } from './support.js';

/** A folder for all that the demo may leave, and a mark on all its processes. */
function setup(t: ExecutionContext) {
  const TMPDIR = mkdtempSync(path.join(serverFolder(), 'canton-demo-'));
  // Run as root, Postgres is another user and has to get through.
  chmodSync(TMPDIR, 0o755);
  t.teardown(() => rmSync(TMPDIR, { recursive: true, force: true }));
  return {
    env: { TMPDIR },
    folders: () => readdirSync(TMPDIR).filter((name) => name.startsWith('canton-')),
    processes: () => processesWith(`TMPDIR=${TMPDIR}`),
  };
}

/** Where there is no /proc nothing is found, and the folders alone have to tell. */
function processesWith(variable: string): string[] {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(variable);
      } catch {
        return false;
      }
    });
}

test.serial('demo: the last line is the summary, and nothing is left behind', async (t) => {
  const { env, folders, processes } = setup(t);
  const args = [
    '--rows',
    '40',
    '--backlog',
    '20',
    '--instances',
    '2',
    '--senders',
    '10',
    '--latency-ms',
    '50',
  ];
  const { code, stdout, stderr } = await start(['demo', '--json', ...args], env).ended;
  t.is(code, 0, stderr);
  t.like(JSON.parse(stdout), {
    rows: 40,
    completed: 40,
    failed: 0,
    pending: 0,
    parked: 0,
    ledgerCalls: 40,
    callsPerRow: 1,
    doubleCommits: 0,
    instances: 2,
  });
  t.regex(stderr, /Every guarantee held/);
  t.deepEqual([folders(), processes()], [[], []]);
});

const ENDS = [
  ['Ctrl-C', 'SIGINT', 130],
  ['its sudden end', 'SIGKILL', null],
] as const;
// The Ctrl-C of a demo is the easier case of its sudden end.
for (const [how, signal, code] of LONG ? ENDS : ENDS.slice(1)) {
  test.serial(`demo: nothing is left behind after ${how}`, async (t) => {
    const { env, folders, processes } = setup(t);
    const demo = start(['demo', '--rows', '500', '--instances', '1', '--latency-ms', '300'], env);
    await demo.line((line) => / [1-9]\d* completed/.test(line));
    t.not(folders().length, 0);
    demo.kill(signal);
    t.is((await demo.ended).code, code);
    await eventually('everything is gone', () => folders().length === 0 && processes().length === 0);
    t.pass();
  });
}
