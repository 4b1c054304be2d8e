// graphile-worker as its page on performance sets it up for speed: a local queue, completions in batches.
import { Logger, run } from 'graphile-worker';
import { type Job, transfer } from './transfer.js';
import { readyUntilClosed, setting } from './until-closed.js';

const concurrentJobs = setting('BENCH_CONCURRENCY');

await run({
  preset: {
    worker: {
      connectionString: process.env.DATABASE_URL ?? '',
      concurrentJobs,
      maxPoolSize: 25,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
  noHandleSignals: true,
  // It says two lines a job otherwise.
  logger: new Logger(() => (level, message) => {
    if (level === 'error') console.error(message);
  }),
  taskList: { transfer: (payload) => transfer(payload as Job) },
});
readyUntilClosed();
