// What a benchmark runs on: a throw-away Postgres with synced commits (or TEST_DATABASE_URL's) and a migrated database,
// a sandbox in its own process, users with holdings.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { startPostgres } from '../../../src/cli/support/throwaway-postgres.js';
import { settingNames } from '../../../src/config/settings.js';
import { party } from '../../../src/core/ids.js';
import { createLedger } from '../../../src/ledger/ledger.js';
import type { Lanes } from '../../../src/protocol/lanes.js';
import { migrate } from '../../../src/store/migrate/migrate.js';
import { parentOf } from '../measure/cpu.js';
import { type Participant, participantAt } from './participant.js';
import { type Child, start } from './processes.js';
import { createRows, type Rows } from './rows.js';

export interface StageOptions {
  /** So many hosted ones, and as many external ones. */
  readonly senders: number;
  /** What a commit takes. */
  readonly latencyMs: number;
  /** Each sender's; default 1. */
  readonly holdings?: number;
  /** Default: sender. */
  readonly lanes?: Lanes;
  /** False: the participant does not deduplicate commands. */
  readonly dedup?: boolean;
  /** Flags of Node itself for the sandbox. */
  readonly sandboxNode?: readonly string[];
}

export interface Stage {
  /** As the systems connect: a role of their own, named like the database, so that what they ask can be counted apart. */
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  readonly participant: Participant;
  readonly rows: Rows;
  /** The benchmark's own connection. */
  readonly client: pg.Client;
  /** Its connections for inserting. */
  readonly inserters: pg.Pool;
  readonly sandboxPid: number;
  /** Null where the server is not on this machine, or this is not Linux. */
  readonly postmasterPid: number | null;
  /** Undone before the stage is taken down, the last first. */
  undo(what: () => Promise<unknown>): void;
  stop(): Promise<void>;
}

/** Enough for what 64 writers and 16 instances open. */
const SETTINGS = {
  shared_preload_libraries: 'pg_stat_statements',
  max_connections: '400',
  shared_buffers: '256MB',
  max_wal_size: '4GB',
};
const INSERTERS = 8;

/** Runs `use` on a stage of its own. */
export async function onStage<T>(options: StageOptions, use: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = await setStage(options);
  try {
    return await use(stage);
  } finally {
    await stage.stop();
  }
}

async function setStage(options: StageOptions): Promise<Stage> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    return await set(options, undo);
  } catch (error) {
    await takeDown(undo);
    throw error;
  }
}

const takeDown = async (undo: (() => Promise<unknown>)[]): Promise<void> => {
  for (const one of undo.splice(0).reverse()) await one();
};

async function set(
  { senders, latencyMs, holdings = 1, lanes = 'sender', dedup = true, sandboxNode = [] }: StageOptions,
  undo: (() => Promise<unknown>)[],
): Promise<Stage> {
  const [database, [sandbox, first]] = await Promise.all([
    createDatabase(undo),
    startSandbox(latencyMs, dedup, sandboxNode, undo),
  ]);
  const { http, env } = JSON.parse(first) as { http: string; env: Record<string, string> };
  const participant = participantAt(http);
  // Canton's limit on submissions in flight is not what is measured.
  await participant.tell({ kind: 'inFlight', most: 100_000 });

  await migrate({
    url: database.href,
    lanes,
    toleranceMs: Number(env.LEDGER_TIME_TOLERANCE_MS),
    clockSkewMaxMs: Number(env.CLOCK_SKEW_MAX_MS),
    oneStepTokens: oneStepTokens(env.TOKENS_FILE ?? ''),
    create: true,
    say: () => {},
  });
  const client = new pg.Client({ connectionString: database.href, application_name: 'bench' });
  await client.connect();
  undo.push(() => client.end());
  const role = database.pathname.slice(1);
  const password = randomBytes(12).toString('hex');
  await client.query(`create role ${role} superuser login password '${password}'`);
  const inserters = new pg.Pool({
    connectionString: database.href,
    max: INSERTERS,
    idleTimeoutMillis: 0,
    application_name: 'bench',
  });
  // It ends before its connections have: the server that is then stopped may still cut them.
  inserters.on('error', () => {});
  undo.push(() => inserters.end());

  const masterKey = randomBytes(32);
  const rows = await createRows(participant, client, { senders, holdings, masterKey });
  const url = new URL(database);
  Object.assign(url, { username: role, password });
  return {
    url: url.href,
    env: {
      // A setting of whoever runs the benchmark decides nothing.
      ...Object.fromEntries(settingNames.map((name) => [name, ''])),
      ...env,
      CANTON_MASTER_KEY: masterKey.toString('base64'),
      DATABASE_URL: url.href,
      ADMIN_ADDRESS: 'off',
      BENCH_FACTORY: await factoryOf(env),
    },
    participant,
    rows,
    client,
    inserters,
    sandboxPid: sandbox.pid,
    postmasterPid: await postmasterOf(client),
    undo: (what) => void undo.push(what),
    stop: () => takeDown(undo),
  };
}

async function startSandbox(
  latencyMs: number,
  dedup: boolean,
  node: readonly string[],
  undo: (() => Promise<unknown>)[],
): Promise<[Child, string]> {
  const args = [
    'sandbox',
    '--port',
    '0',
    '--http-port',
    '0',
    '--seed',
    'bench',
    '--latency-ms',
    `${latencyMs}`,
    '--dedup',
    dedup ? 'on' : 'off',
  ];
  const started = await start({ args, env: {}, node }, ['{']);
  undo.push(() => started[0].stop());
  return started;
}

async function createDatabase(undo: (() => Promise<unknown>)[]): Promise<URL> {
  const given = process.env.TEST_DATABASE_URL;
  const server = given === undefined ? await startPostgres({ settings: SETTINGS }) : null;
  if (server !== null) undo.push(() => server.stop());
  const url = new URL(server?.url ?? given ?? '');
  const name = `bench_${randomBytes(4).toString('hex')}`;
  await once(url.href, `create database ${name}`);
  if (server === null) {
    const admin = url.href;
    undo.push(async () => {
      await once(admin, `drop database ${name} with (force)`);
      await once(admin, `drop role if exists ${name}`);
    });
  }
  const database = new URL(url);
  database.pathname = `/${name}`;
  return database;
}

const oneStepTokens = (file: string): string[] =>
  Object.keys(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>);

async function postmasterOf(client: pg.Client): Promise<number | null> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return parentOf(rows[0]?.pid ?? 0);
}

/** The issuer's, which the plain workers are told: ours keeps it from its first transfer on. */
async function factoryOf(env: Readonly<Record<string, string>>): Promise<string> {
  const {
    CANTON_URL: url = '',
    CANTON_USER_ID: userId = '',
    CANTON_SYNCHRONIZER_ID: synchronizerId = '',
    CANTON_ISSUER_PARTY: issuer = '',
  } = env;
  const ledger = createLedger({ url, userId, synchronizerId, issuerParty: party(issuer) });
  while (!ledger.ready()) await new Promise((resolve) => setTimeout(resolve, 20));
  const end = await ledger.ledgerEnd({ timeoutMs: 5_000 });
  const found =
    end.kind === 'read' ? await ledger.transferFactories(issuer, end.value, { timeoutMs: 5_000 }) : end;
  ledger.close();
  const id = found.kind === 'read' ? found.value[0] : undefined;
  if (id === undefined) throw new Error('the sandbox has no transfer factory');
  return id;
}

export async function once(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  await client.end();
}
