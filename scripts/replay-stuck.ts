// Makes due now what has been waiting for longer than so many minutes: `npx tsx scripts/replay-stuck.ts 60`, for a cron job.
// Parked rows are left to a person. With DRY_RUN=1 it changes nothing. Environment: DATABASE_URL.
import { loadDatabaseSettings, replay } from '../src/index.js';

const minutes = Number(process.argv[2]);
if (!(minutes > 0)) throw new Error('say for how many minutes a row must have waited: replay-stuck.ts 60');

const { database } = loadDatabaseSettings(process.env);
const stuck = { olderThanMs: minutes * 60_000, parked: false };
const rows = await replay(database, stuck, { dryRun: Boolean(process.env.DRY_RUN) });
for (const { txHash, state, lastError } of rows) console.log(txHash, state, lastError ?? '');
