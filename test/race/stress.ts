// The lanes stress on our own statements, with real processes that are killed: `npm run test:race -- [seconds]
// [processes]`. KILL=0: nobody is killed; BREAK=1: with the guards of the claim taken out, to see that it can fail.
// TEST_DATABASE_URL: on that server; else on a throw-away one.
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startPostgres } from '../../src/cli/support/throwaway-postgres.js';
import { settlementOf } from '../../src/protocol/settlement.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { openDatabase } from '../../src/store/pool.js';
import { createStore } from '../../src/store/store.js';
import { compiled } from '../support/compiled.js';
import { check, type Violations } from './checker.js';
import { LEASE_MS, readJournals } from './journal.js';

export interface StressOptions {
  /** Leads to an empty database. */
  readonly url: string;
  /** At least, and until much has happened; at most where it is broken. */
  readonly seconds: number;
  readonly processes: number;
  readonly kill?: boolean;
  /** Takes the guards of the claim out, and stops at the first double claim seen. */
  readonly broken?: boolean;
}

export interface StressResult {
  readonly violations: Violations;
  /** Two live claims of a sender in one snapshot, independent of the journals. */
  readonly seen: number;
  readonly stranded: number;
  readonly deadlocks: number;
  readonly errors: Record<string, number>;
  readonly inserted: number;
  readonly claimed: number;
  readonly looked: number;
  readonly kills: number;
  readonly rescued: number;
  readonly examples: readonly unknown[];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** A claim that has run out, the longest backoff, and some. */
const SETTLED_MS = LEASE_MS + 400;

export async function stress(options: StressOptions): Promise<StressResult> {
  const { url, seconds, processes } = options;
  const folder = mkdtempSync(path.join(tmpdir(), 'canton-submitter-stress-'));
  await migrate({
    url,
    lanes: 'sender',
    toleranceMs: 0,
    clockSkewMaxMs: 0,
    oneStepTokens: [],
    create: true,
    say: () => {},
  });
  const admin = new pg.Client(url);
  admin.on('error', () => {});
  await admin.connect();
  try {
    await admin.query(`insert into users (evm_address, canton_party, fingerprint)
      select '0x' || md5('s' || i), 'p' || i, 'f' from generate_series(1, 60, 2) i union all select '0x' || md5('hot'), 'hot', 'f'`);
    if (options.broken) await breakClaim(admin);
    const until = Date.now() + seconds * 1_000;
    const children: ChildProcess[] = [];
    let lives = 0;
    const spawn = (n: number): void => {
      children[n] = fork(compiled('race/worker', 'test'), [url, folder, String(n), String(++lives)], {
        execArgv: [],
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
    };
    for (let n = 0; n < processes; n++) spawn(n);
    let [seen, kills] = [0, 0];
    const isEnough = async (): Promise<boolean> =>
      options.broken
        ? seen > 0 || Date.now() > until
        : Date.now() > until && Number((await admin.query(ENDED)).rows[0]?.ended) >= MUCH;
    while (!(await isEnough())) {
      await pause(50);
      seen += (await admin.query(DOUBLE)).rows.length;
      if (options.kill !== false && Math.random() < 0.02) {
        const n = Math.floor(Math.random() * processes);
        const gone = exited(children[n]);
        children[n]?.kill('SIGKILL');
        await gone;
        kills += 1;
        spawn(n);
      }
    }
    for (const child of children)
      if (options.broken) child.kill('SIGKILL');
      else child.send(Date.now() + LAST_MS);
    await Promise.all(children.map(exited));
    const stranded = options.broken ? 0 : await drain(url, admin);
    const { rows } = await admin.query(
      'select deadlocks from pg_stat_database where datname = current_database()',
    );
    const { operations, errors } = readJournals(folder);
    const count = (op: string, of: 'claimed' | 'inserted'): number =>
      operations.reduce((sum, one) => sum + (one.op === op ? [one.answer[of] ?? []].flat().length : 0), 0);
    return {
      ...check(operations),
      seen,
      stranded,
      deadlocks: Number(rows[0]?.deadlocks ?? 0),
      errors,
      inserted: count('insert', 'inserted'),
      claimed: count('claim', 'claimed'),
      looked: count('look', 'claimed'),
      kills,
      rescued: operations.reduce((sum, one) => sum + (one.op === 'rescue' ? (one.answer.count ?? 0) : 0), 0),
    };
  } finally {
    await admin.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

const DOUBLE = `select from_address from mempool
  where status = 'pending' and claim_token is not null and lease_expires_at > clock_timestamp()
  group by 1 having count(*) > 1`;

const ENDED = "select count(*)::int as ended from mempool where status <> 'pending'";
/** So many rows have come to their end, each of them claimed, and looked at now and then. */
const MUCH = 50;
/** Time for the last of everything. */
const LAST_MS = 1_500;

const exited = (child: ChildProcess | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });

/** R4: everything was left as it lay; one bare claimer must get at every row that is not parked. */
async function drain(url: string, admin: pg.Client): Promise<number> {
  await pause(SETTLED_MS);
  const database = openDatabase({ url });
  const store = createStore(database);
  const request = { holder: 'drain', limit: 64, leaseMs: 10_000, generation: 1n };
  for (let empty = 0; empty < 3; ) {
    await store.rescue();
    const replies = [
      await store.claim({ ...request, sentFrom: 1n, windowMs: 1 }),
      await store.claimUndecided(request),
    ];
    const rows = replies.flatMap((reply) => (reply.kind === 'claimed' ? reply.rows : []));
    const verdict = { kind: 'completed', updateId: 'u', offset: 1n, note: null } as const;
    await store.settle(rows.map((claim) => settlementOf(claim, verdict)));
    empty = rows.length === 0 ? empty + 1 : 0;
  }
  await database.close();
  const { rows } = await admin.query(
    "select 1 from mempool where status = 'pending' and available_at < 'infinity'",
  );
  return rows.length;
}

/** The claim without its lane lock, its fresh look, its repeated predicates and its constraint. */
async function breakClaim(admin: pg.Client): Promise<void> {
  await admin.query('drop index mempool_claimed_lane_v2');
  const { rows } = await admin.query(
    `select string_agg(pg_get_functiondef(f), ';') as def
       from unnest(array['mempool_choose_v1', 'mempool_take_v1']::regproc[]) f`,
  );
  const before = String(rows[0]?.def);
  const after = before
    .replace('where pg_try_advisory_xact_lock(d.lane)', 'where true')
    .replace(
      /where m\.status = 'pending' and m\.claim_token is null and m\.available_at <= now\(\)\s+and \(m\.sent_until is not null\) = p_look\s+and \(u\.lane[\s\S]*?is null\)\s+for update of m skip locked/,
      'for update of m',
    );
  if (after.length > before.length - 200) throw new Error('the claim has changed: break it anew');
  await admin.query(after);
}

export const isBroken = (result: StressResult): boolean =>
  Object.values(result.violations).some((count) => count > 0) ||
  result.seen > 0 ||
  result.stranded > 0 ||
  result.deadlocks > 0 ||
  Object.keys(result.errors).length > 0;

async function main(): Promise<void> {
  const [seconds = '60', processes = '8'] = process.argv.slice(2);
  const postgres = process.env.TEST_DATABASE_URL
    ? null
    : await startPostgres({ settings: { max_connections: '300' } });
  const server = new URL(postgres?.url ?? process.env.TEST_DATABASE_URL ?? '');
  const admin = new pg.Client(server.href);
  await admin.connect();
  const name = `cms_stress_${process.pid}`;
  await admin.query(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  try {
    const result = await stress({
      url: url.href,
      seconds: Number(seconds),
      processes: Number(processes),
      kill: process.env.KILL !== '0',
      broken: process.env.BREAK === '1',
    });
    console.log(JSON.stringify(result, null, 2));
    process.exitCode = isBroken(result) ? 1 : 0;
  } finally {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.end();
    await postgres?.stop();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
