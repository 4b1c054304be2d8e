// How slow this machine is today, and times in its pace. Whatever a test does with spans (leases, windows, a ledger's own
// time, faults that last so long) is stretched by it as a whole, so that no span ends before what it was to outlast.
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import pg from 'pg';
import { serverUrl } from './postgres.js';
import { onceARun } from './run.js';
import { lasting } from './time.js';

/** Of CPU, on the machine that the spans were chosen on. */
const WORK_MS = 130;
/** Commits one after the other that one row takes on its way, each of which may be slow. */
const COMMITS = 5;
/** What a row may take of those before it counts. */
const ROW_MS = 100;
/** How many processes of our own are busy where this is measured. */
const OURS = 4;
/** Beyond it, what is stretched would outlast spans of the product that are not, such as the 10 s of a read. */
const MOST = 4;

/** 1 on the machine that the spans were chosen on; measured once a run, at its start, and never below. TEST_PACE sets it. */
export const PACE: number = Number(process.env.TEST_PACE ?? (await onceARun('pace', measure)));

/** A span in the pace of this machine, in whole ms. */
export const scaled = (ms: number): number => Math.round(ms * PACE);

/** The longest window that a submitter accepts. */
const LONGEST_WINDOW_MS = 60_000;
export const scaledWindow = (ms: number): number => Math.min(scaled(ms), Math.max(ms, LONGEST_WINDOW_MS));

async function measure(): Promise<number> {
  const cpu = Math.max(cpuOf(work) / WORK_MS, 1);
  const others = Math.max((await running()) - OURS, 0) / availableParallelism();
  return Math.min(cpu * (1 + others) + (await commits()) / ROW_MS, MOST);
}

function cpuOf(what: () => void): number {
  const before = process.cpuUsage();
  what();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** What keeps one core busy, of the kind that a test run does. */
function work(): void {
  const words = new Map<string, number>();
  for (let n = 0; n < 2_000_000; n++) {
    const word = `w${n % 5_003}`;
    words.set(word, (words.get(word) ?? 0) + n);
  }
}

/** How many processes want a core, over half a second; where the system does not tell, over the last minute. */
async function running(): Promise<number> {
  const SAMPLES = 25;
  let sum = 0;
  try {
    for (let n = 0; n < SAMPLES; n++) {
      sum += Number(/ (\d+)\/\d+ /.exec(readFileSync('/proc/loadavg', 'utf8'))?.[1] ?? 0);
      await lasting(20);
    }
    return sum / SAMPLES;
  } catch {
    return loadavg()[0] ?? 0;
  }
}

/** How long a row's commits take, in ms. */
async function commits(): Promise<number> {
  const client = new pg.Client({ connectionString: await serverUrl() });
  await client.connect();
  try {
    const before = performance.now();
    for (let n = 0; n < COMMITS; n++)
      await client.query("select pg_logical_emit_message(true, 'pace', 'a commit that is synced')");
    return performance.now() - before;
  } finally {
    await client.end();
  }
}
