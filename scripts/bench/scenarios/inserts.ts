// What a table's triggers cost those who insert. The writers are procedures that commit after each row, so that the
// server is all that is measured.
import pg from 'pg';
import type { Figures } from '../measure/stats.js';
import { type Result, result, type Scenario, takeTurns } from '../scenario.js';
import { onStage, type Stage } from '../stage/stage.js';
import { prepare } from '../systems/all.js';

const LISTENERS = 8;
const SIZES = {
  smallest: { writers: [2], rows: 20 },
  normal: { writers: [1, 16, 64], rows: 25_600 },
  full: { writers: [1, 16, 64], rows: 100_000 },
} as const;

const COLUMNS = 'tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data';
const VALUES = `decode(md5(random()::text) || md5(random()::text), 'hex'), '0x' || substr(md5(random()::text) || md5(random()::text), 1, 40),
  '0xde30000000000000000000000000000000000001', '0x1111111111111111111111111111111111111111', 0, '\\x', '\\x038d7ea4c68000'`;
const JOB = `select graphile_worker.add_job('transfer', json_build_object('hash', md5(random()::text) || md5(random()::text),
  'sender', md5(random()::text) || md5(random()::text), 'receiver', md5(random()::text)))`;

interface Way {
  readonly name: string;
  readonly channel: string;
  /** What the writer does once. */
  readonly statement: string;
}

const WAYS: readonly (Way & { readonly needs?: 'graphile-worker' })[] = [
  {
    name: 'no-trigger',
    channel: 'nothing',
    statement: `insert into bench_silent (${COLUMNS}) values (${VALUES})`,
  },
  {
    name: 'plain-notify',
    channel: 'bench_loud',
    statement: `insert into bench_loud (${COLUMNS}) values (${VALUES})`,
  },
  {
    name: 'ours',
    channel: 'mempool_wakeup_v1',
    statement: `insert into mempool (${COLUMNS}) values (${VALUES})`,
  },
  {
    name: 'add-job',
    channel: 'jobs:insert',
    statement: JOB.replace('select', 'perform'),
    needs: 'graphile-worker',
  },
];

/** The same table with the same indexes, twice: without a trigger, and with the usual one. */
const TABLES = `create table bench_silent (like mempool including all);
  create table bench_loud (like mempool including all);
  create function bench_loud() returns trigger language plpgsql as
    $$ begin perform pg_notify('bench_loud', ''); return null; end $$;
  create trigger bell after insert on bench_loud for each row execute function bench_loud();`;

export const inserts: Scenario = {
  name: 'inserts',
  about: `Single inserts, each a transaction, with ${LISTENERS} sessions that listen: rows a second by the number of writers, into the table without a trigger, with one that notifies of each row, with ours, and by graphile-worker's add_job.`,
  figure: 'rowsPerSecond',
  run(context) {
    const { writers, rows } = SIZES[context.size];
    return onStage({ senders: 1, latencyMs: 5 }, async (stage) => {
      await prepare(
        stage,
        context.systems.filter((name) => name === 'graphile-worker'),
      );
      await stage.client.query(TABLES);
      const ways = WAYS.filter(({ needs }) => needs === undefined || context.systems.includes(needs));
      for (const way of ways) await stage.client.query(procedure(way));
      const results: Result[] = [];
      for (const count of writers) {
        const title = count === 1 ? '1 writer' : `${count} writers`;
        const summaries = await takeTurns(context, title, ways, (way) => write(stage, way, count, rows));
        results.push(result(inserts, `inserts-${count}`, title, summaries));
      }
      return results;
    });
  },
};

const called = ({ name }: Way): string => `bench_write_${name.replace('-', '_')}`;

const procedure = (way: Way): string => `create procedure ${called(way)}(rows int) language plpgsql as $$
  begin for i in 1..rows loop ${way.statement}; commit; end loop; end $$`;

async function write(stage: Stage, way: Way, writers: number, rows: number): Promise<Figures> {
  const open = async (count: number): Promise<pg.Client[]> => {
    const clients = Array.from({ length: count }, () => new pg.Client({ connectionString: stage.url }));
    await Promise.all(clients.map((client) => client.connect()));
    return clients;
  };
  const listeners = await open(LISTENERS);
  for (const listener of listeners) await listener.query(`listen "${way.channel}"`);
  const connections = await open(writers);
  // Each has the procedure's plans before it is measured.
  await Promise.all(connections.map((client) => client.query(`call ${called(way)}(2)`)));
  const each = Math.ceil(rows / writers);
  const since = performance.now();
  await Promise.all(connections.map((client) => client.query(`call ${called(way)}(${each})`)));
  const seconds = (performance.now() - since) / 1_000;
  await Promise.all([...listeners, ...connections].map((client) => client.end()));
  return { rowsPerSecond: (each * writers) / seconds };
}
