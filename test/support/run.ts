// What one run of ava makes once and all its test files use: each file is a process of its own, a child of that run.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HANG_MS } from './time.js';

/** No other run's, not even of one that was killed and had this number before; TEST_RUN is from `ava.config.js`. */
export const RUN_NAME = process.env.TEST_RUN ?? String(process.ppid);
/** The process whose end is the run's end. Not asked of the system: an orphan's parent is another, which never ends. */
export const RUN = Number(RUN_NAME.split('_')[0]);
/** What is handed over in this run. Whoever keeps the run's server deletes it at its end. */
export const RUN_FOLDER = path.join(tmpdir(), `canton-submitter-test-${RUN_NAME}`);

/** The value of that name: the first file that asks makes it, the others wait for it. */
export async function onceARun<T>(name: string, make: () => Promise<T>): Promise<T> {
  const file = path.join(RUN_FOLDER, `${name}.json`);
  const lock = path.join(RUN_FOLDER, `${name}.lock`);
  if (!takes(lock)) {
    for (let waited = 0; waited < HANG_MS; waited += 50) {
      if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { readonly made: T }).made;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    rmSync(lock, { force: true });
    throw new Error(`the test file that was to make this run's ${name} did not`);
  }
  const made = await make();
  writeFileSync(`${file}.new`, JSON.stringify({ made }));
  renameSync(`${file}.new`, file);
  return made;
}

function takes(lock: string): boolean {
  mkdirSync(RUN_FOLDER, { recursive: true });
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}
