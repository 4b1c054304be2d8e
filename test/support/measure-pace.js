// How slow this machine is today. Measured once a run, before its test processes start: `ava.config.js` hands it to them.
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import pg from 'pg';

/** Of CPU, on the machine that the spans were chosen on. */
const WORK_MS = 130;
/** Commits one after the other that one row takes on its way, each of which may be slow. */
const COMMITS = 5;
/** What a row may take of those before it counts. */
const ROW_MS = 100;
/** Beyond it, what is stretched would outlast spans of the product that are not, such as the 10 s of a read. */
const MOST = 4;

/** 1 on the machine that the spans were chosen on, never below, and at most 4. */
export async function measurePace() {
  const cpu = Math.max(cpuOf(work) / WORK_MS, 1);
  const others = Math.max((await running()) - 1, 0) / availableParallelism();
  return Math.min(cpu * (1 + others) + (await commitsMs()) / ROW_MS, MOST);
}

function cpuOf(/** @type {() => void} */ what) {
  const before = process.cpuUsage();
  what();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** What keeps one core busy, of the kind that a test run does. */
function work() {
  const words = new Map();
  for (let n = 0; n < 2_000_000; n++) {
    const word = `w${n % 5_003}`;
    words.set(word, (words.get(word) ?? 0) + n);
  }
}

/** How many processes want a core, over half a second; where the system does not tell, over the last minute. */
async function running() {
  const SAMPLES = 25;
  let sum = 0;
  try {
    for (let n = 0; n < SAMPLES; n++) {
      sum += Number(/ (\d+)\/\d+ /.exec(readFileSync('/proc/loadavg', 'utf8'))?.[1] ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return sum / SAMPLES;
  } catch {
    return loadavg()[0] ?? 0;
  }
}

/** How long a row's commits take, in ms: on a server that is there, measured; on the run's own, as it is told to be. */
async function commitsMs() {
  const url = process.env.TEST_DATABASE_URL;
  if (!url) return COMMITS * Number(process.env.TEST_COMMIT_MS ?? 0);
  const client = new pg.Client({ connectionString: url });
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
