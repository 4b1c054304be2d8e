// A process of its own, which outlives a run of ava on somebody else's server (TEST_DATABASE_URL) to leave nothing behind
// there: run-guard.ts PID FOLDER TEMPLATES, where TEMPLATES is how the names of the run's databases begin.
import { rmSync } from 'node:fs';
import pg from 'pg';

const [run = '', folder = '', templates = ''] = process.argv.slice(2);

const alive = (): boolean => {
  try {
    process.kill(Number(run), 0);
    return true;
  } catch {
    return false;
  }
};

const over = async (): Promise<void> => {
  rmSync(folder, { recursive: true, force: true });
  const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    'select datname as name from pg_database where starts_with(datname, $1)',
    [templates],
  );
  for (const { name } of rows) await client.query(`drop database if exists ${name} with (force)`);
  await client.end();
  process.exit(0);
};

setInterval(() => {
  if (!alive()) over().catch(() => process.exit(1));
}, 500);
