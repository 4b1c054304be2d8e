// The submitter of canton-middleware, made again in its outline: every 500 ms up to 100 pending rows in the order of
// their ids, ten at a time, and no look at the table before the last of them has ended. There is one of it.
import pLimit from 'p-limit';
import pg from 'pg';
import { type Job, transfer } from './transfer.js';
import { readyUntilClosed } from './until-closed.js';

const EVERY_MS = 500;
const BATCH = 100;
const limit = pLimit(10);

const db = new pg.Pool({ connectionString: process.env.DATABASE_URL ?? '', max: 10 });

async function tick(): Promise<void> {
  const { rows } = await db.query<{ id: string; job: Job }>({
    name: 'pending',
    text: "select id, job from bench_poller where status = 'pending' order by id limit $1",
    values: [BATCH],
  });
  await Promise.all(
    rows.map(({ id, job }) =>
      limit(async () => {
        await transfer(job);
        await db.query({
          name: 'done',
          text: "update bench_poller set status = 'completed' where id = $1",
          values: [id],
        });
      }),
    ),
  );
}

/** Like a Go ticker: a tick that comes while the last one still works is left out. */
let working = false;
setInterval(async () => {
  if (working) return;
  working = true;
  await tick();
  working = false;
}, EVERY_MS);
readyUntilClosed();
