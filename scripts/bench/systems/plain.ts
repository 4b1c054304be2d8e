// The floor, and the poller of today: a table of two columns each, the first with a notification of each insert.
import { jobOf } from '../stage/rows.js';
import type { Stage } from '../stage/stage.js';
import { countOf, type System, startWorkers } from './system.js';

const tableOf = (
  table: string,
): string => `create table ${table} (id bigserial primary key, job jsonb not null,
    status text not null default 'pending');
  create index on ${table} (id) where status = 'pending';`;

const BELL = `create function bench_bell() returns trigger language plpgsql as
    $$ begin perform pg_notify('bench_plain', ''); return null; end $$;
  create trigger bell after insert on bench_plain for each row execute function bench_bell()`;

export async function floor(stage: Stage): Promise<System> {
  await stage.client.query(tableOf('bench_plain') + BELL);
  return {
    name: 'floor',
    ...inTable('bench_plain'),
    start: (instances, how) => startWorkers(stage, 'floor', instances, how),
  };
}

export async function poller(stage: Stage): Promise<System> {
  await stage.client.query(tableOf('bench_poller'));
  return {
    name: 'poller',
    ...inTable('bench_poller'),
    // It claims nothing, so a second one would send everything twice.
    start: (_instances, how) => startWorkers(stage, 'poller', 1, how),
  };
}

const inTable = (table: string): Pick<System, 'insert' | 'fill' | 'left'> => ({
  async insert(client, row) {
    await client.query({
      name: table,
      text: `insert into ${table} (job) values ($1)`,
      values: [JSON.stringify(jobOf(row))],
    });
  },
  async fill(client, rows) {
    await client.query(`insert into ${table} (job) select job from unnest($1::jsonb[]) job`, [
      rows.map((row) => JSON.stringify(jobOf(row))),
    ]);
  },
  left: (client) => countOf(client, `select count(*)::int from ${table} where status <> 'completed'`),
});
