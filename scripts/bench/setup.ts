// What a benchmark runs on: a throw-away Postgres with synced commits (or TEST_DATABASE_URL's), a migrated database, a
// sandbox in its own process, users with holdings.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { startPostgres } from '../../src/cli/support/throwaway-postgres.js';
import { migrate } from '../../src/store/migrate/migrate.js';

export interface BenchUser {
  readonly address: string;
  readonly party: string;
}

export interface BenchRow {
  readonly txHash: Buffer;
  readonly from: BenchUser;
  readonly to: BenchUser;
}

export interface Bench {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  nextRow(): BenchRow;
  insert(client: pg.Client, row: BenchRow): Promise<void>;
  /** When the submission of this command reached the sandbox, in ms since the epoch. */
  arrival(commandId: string): Promise<number>;
  stop(): Promise<void>;
}

const USERS = 200;

export async function startBench(): Promise<Bench> {
  const server =
    process.env.TEST_DATABASE_URL === undefined
      ? await startPostgres({ settings: { track_functions: 'pl' } })
      : null;
  const base = server?.url ?? process.env.TEST_DATABASE_URL ?? '';
  const name = `bench_${randomBytes(4).toString('hex')}`;
  await once(base, `create database ${name}`);
  const url = new URL(base);
  url.pathname = `/${name}`;
  const sandbox = spawn(
    process.execPath,
    ['--import', 'tsx', 'src/cli/main.ts', 'sandbox', '--port', '0', '--http-port', '0', '--latency-ms', '5'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const first = await new Promise<string>((resolve) =>
    createInterface({ input: sandbox.stdout }).once('line', resolve),
  );
  const { http, env } = JSON.parse(first) as { http: string; env: Record<string, string> };
  await migrate({
    url: url.href,
    lanes: 'sender',
    toleranceMs: Number(env.LEDGER_TIME_TOLERANCE_MS),
    clockSkewMaxMs: Number(env.CLOCK_SKEW_MAX_MS),
    oneStepTokens: [],
    create: true,
    say: () => {},
  });
  const users = await createUsers(url.href, http);
  let turn = 0;
  const at = (index: number): BenchUser => users[index % users.length] ?? { address: '', party: '' };
  return {
    url: url.href,
    env,
    nextRow() {
      turn += 1;
      return { txHash: randomBytes(32), from: at(turn), to: at(turn + 1) };
    },
    async insert(client, { txHash, from, to }) {
      await client.query(
        `insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
         values ($1, $2, '0xde30000000000000000000000000000000000001', $3, 0, '\\x', '\\x038d7ea4c68000')`,
        [txHash, from.address, to.address],
      );
    },
    async arrival(commandId) {
      for (;;) {
        const text = await (await fetch(`${http}/audit?commandId=${commandId}`)).text();
        const entry = text
          .split('\n')
          .map((line) => (line === '' ? null : (JSON.parse(line) as { commandId: string; at: number })))
          .find((one) => one?.commandId === commandId);
        if (entry) return entry.at;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async stop() {
      sandbox.kill('SIGTERM');
      if (server === null) await once(base, `drop database ${name} with (force)`);
      else await server.stop();
    },
  };
}

async function createUsers(url: string, http: string): Promise<BenchUser[]> {
  const body = Array.from({ length: USERS }, (_, n) => ({
    hint: `bench-${n}`,
    holdings: [{ token: 'DEMO', amount: '1000' }],
  }));
  const answer = await fetch(`${http}/parties`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { parties } = (await answer.json()) as { parties: string[] };
  const users = parties.map((party) => ({ address: `0x${randomBytes(20).toString('hex')}`, party }));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const { address, party } of users) {
    await client.query(
      "insert into users (evm_address, canton_party, fingerprint, canton_party_id) values ($1, $2, '0x', $2)",
      [address, party],
    );
  }
  await client.end();
  return users;
}

export async function once(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  await client.end();
}
