// One inserted row on an idle fleet of three: from its commit to the arrival of its call at the participant. Ours and
// the plainest code take turns, block by block, on the same server and the same sandbox.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { party } from '../../src/core/ids.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { type Bench, startBench } from './setup.js';

const BLOCKS = 6;
const ROWS = 40;
const EVERY_MS = 60;
const INSTANCES = 3;

export async function latencyIdle(): Promise<void> {
  const bench = await startBench();
  const children: ChildProcess[] = [];
  try {
    const client = new pg.Client({ connectionString: bench.url });
    await client.connect();
    await client.query(`create table plain (id bigserial primary key, tx_hash bytea not null, sender text, receiver text, status text not null default 'pending');
      create index on plain (id) where status = 'pending';
      create function plain_bell() returns trigger language plpgsql as $$ begin perform pg_notify('plain_bell', ''); return null; end $$;
      create trigger plain_bell after insert on plain for each row execute function plain_bell()`);
    const factory = await factoryOf(bench);
    const env = {
      ...process.env,
      ...bench.env,
      DATABASE_URL: bench.url,
      FACTORY: factory,
      ADMIN_ADDRESS: 'off',
      LOG_LEVEL: 'info',
    };
    const spawned = (file: string, args: string[], ready: (line: string) => boolean): Promise<void> => {
      const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
        env,
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      children.push(child);
      return new Promise((resolve) => {
        createInterface({ input: child.stdout }).on('line', (line) => ready(line) && resolve());
      });
    };
    for (let n = 0; n < INSTANCES; n++) {
      await spawned('src/cli/main.ts', ['run'], (line) => line.includes('"msg":"ready"'));
      await spawned('scripts/bench/plain-worker.ts', [], (line) => line === 'ready');
    }
    const ours: number[] = [];
    const plain: number[] = [];
    await block(bench, client, 'ours', []);
    await block(bench, client, 'plain', []);
    for (let n = 0; n < BLOCKS; n++) {
      await block(bench, client, 'ours', ours);
      await block(bench, client, 'plain', plain);
    }
    report('plain', plain);
    report('ours', ours);
    console.log(
      `p50 ours / plain: ${(quantile(ours, 0.5) / quantile(plain, 0.5)).toFixed(2)} (a 500 ms poller: 250 ms)`,
    );
    await client.end();
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await bench.stop();
  }
}

async function block(bench: Bench, client: pg.Client, kind: 'ours' | 'plain', into: number[]): Promise<void> {
  for (let n = 0; n < ROWS; n++) {
    const row = bench.nextRow();
    if (kind === 'ours') await bench.insert(client, row);
    else
      await client.query('insert into plain (tx_hash, sender, receiver) values ($1, $2, $3)', [
        row.txHash,
        row.from.party,
        row.to.party,
      ]);
    const committed = performance.timeOrigin + performance.now();
    const entry = await bench.arrival(`0x${row.txHash.toString('hex')}`);
    into.push(entry - committed);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

async function factoryOf(bench: Bench): Promise<string> {
  const {
    CANTON_URL: url = '',
    CANTON_USER_ID: userId = '',
    CANTON_SYNCHRONIZER_ID: synchronizerId = '',
    CANTON_ISSUER_PARTY: issuer = '',
  } = bench.env;
  const ledger = createLedger({ url, userId, synchronizerId, issuerParty: party(issuer) });
  while (!ledger.ready()) await new Promise((resolve) => setTimeout(resolve, 20));
  const end = await ledger.ledgerEnd({ timeoutMs: 5_000 });
  const found =
    end.kind === 'read' ? await ledger.transferFactories(issuer, end.value, { timeoutMs: 5_000 }) : end;
  ledger.close();
  const id = found.kind === 'read' ? found.value[0] : undefined;
  if (id === undefined) throw new Error('no factory');
  return id;
}

export const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * q)] ?? Number.NaN;

const report = (name: string, values: readonly number[]): void =>
  console.log(
    `${name.padEnd(6)} ${values.length} rows: p50 ${quantile(values, 0.5).toFixed(2)} ms, p90 ${quantile(values, 0.9).toFixed(2)}, p99 ${quantile(values, 0.99).toFixed(2)}`,
  );
