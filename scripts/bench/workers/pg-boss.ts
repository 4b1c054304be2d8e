// pg-boss with its notifications on: batches that are fetched again while they are full, and end row by row.
import { PgBoss } from 'pg-boss';
import { type Job, transfer } from './transfer.js';
import { readyUntilClosed, setting } from './until-closed.js';

/** Fetching loops a process; together they have as many rows in hand as the others. */
const LOOPS = 4;

const boss = new PgBoss({
  connectionString: process.env.DATABASE_URL ?? '',
  useListenNotify: true,
  schedule: false,
  max: 10,
});
boss.on('error', (error) => console.error(error));
await boss.start();
const options = {
  localConcurrency: LOOPS,
  batchSize: Math.max(1, Math.floor(setting('BENCH_CONCURRENCY') / LOOPS)),
  burstWhenBatchFull: true,
  perJobResults: true,
} as const;
await boss.work<Job, never, typeof options>('transfer', options, (jobs) =>
  Promise.all(
    jobs.map(async ({ id, data }) => {
      try {
        await transfer(data);
        return { id, status: 'completed' as const };
      } catch {
        return { id, status: 'failed' as const };
      }
    }),
  ),
);
readyUntilClosed();
