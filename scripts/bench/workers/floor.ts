// The plainest loop that does the job once, as the measure for all others: LISTEN, one claim statement for what it has
// room for, the transfer, one statement that says done.
import pg from 'pg';
import { type Job, transfer } from './transfer.js';
import { readyUntilClosed, setting } from './until-closed.js';

const CLAIM = `update bench_plain set status = 'claimed' where id in
  (select id from bench_plain where status = 'pending' order by id limit $1 for update skip locked) returning id, job`;
const DONE = "update bench_plain set status = 'completed' where id = $1";

interface Row {
  readonly id: string;
  readonly job: Job;
}

const connectionString = process.env.DATABASE_URL ?? '';
const concurrency = setting('BENCH_CONCURRENCY');
const listener = new pg.Client({ connectionString });
const db = new pg.Pool({ connectionString, max: 4 });
await listener.connect();

let inFlight = 0;
let claiming = false;
let again = false;

async function drain(): Promise<void> {
  again = true;
  if (claiming) return;
  claiming = true;
  while (again && inFlight < concurrency) {
    again = false;
    const { rows } = await db.query<Row>({ name: 'claim', text: CLAIM, values: [concurrency - inFlight] });
    for (const row of rows) void work(row);
  }
  claiming = false;
}

async function work({ id, job }: Row): Promise<void> {
  inFlight += 1;
  await transfer(job);
  await db.query({ name: 'done', text: DONE, values: [id] });
  inFlight -= 1;
  await drain();
}

listener.on('notification', () => void drain());
await listener.query('listen bench_plain');
await drain();
readyUntilClosed();
