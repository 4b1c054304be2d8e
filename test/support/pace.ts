// How slow this machine is today, and times in its pace. Whatever a test does with spans (leases, windows, a ledger's own
// time, faults that last so long) is stretched by it as a whole, so that no span ends before what it was to outlast.
import pg from 'pg';
import { serverUrl } from './postgres.js';
import { onceARun } from './run.js';

/** Of the machine that the spans were chosen on, quiet. */
const WORK_MS = 130;
/** Commits one after the other that one row takes on its way, each of which may be slow. */
const COMMITS = 5;
/** What a row may take of those before it counts. */
const ROW_MS = 100;
const MOST = 5;

/** 1 on the machine that the spans were chosen on; measured once a run, at its start, and never below. TEST_PACE sets it. */
export const PACE: number = Number(process.env.TEST_PACE ?? (await onceARun('pace', measure)));

/** A span in the pace of this machine, in whole ms. */
export const scaled = (ms: number): number => Math.round(ms * PACE);

/** The longest window that a submitter accepts. */
const LONGEST_WINDOW_MS = 60_000;
export const scaledWindow = (ms: number): number => Math.min(scaled(ms), Math.max(ms, LONGEST_WINDOW_MS));

async function measure(): Promise<number> {
  const client = new pg.Client({ connectionString: await serverUrl() });
  await client.connect();
  try {
    const slower = timed(work) / WORK_MS;
    const before = performance.now();
    for (let n = 0; n < COMMITS; n++)
      await client.query("select pg_logical_emit_message(true, 'pace', 'a commit that is synced')");
    const commits = (performance.now() - before) / ROW_MS;
    return Math.min(Math.max(slower, 1) + commits, MOST);
  } finally {
    await client.end();
  }
}

function timed(what: () => void): number {
  const before = performance.now();
  what();
  return performance.now() - before;
}

/** What keeps one core busy, of the kind that a test run does. */
function work(): void {
  const words = new Map<string, number>();
  for (let n = 0; n < 2_000_000; n++) {
    const word = `w${n % 5_003}`;
    words.set(word, (words.get(word) ?? 0) + n);
  }
}
