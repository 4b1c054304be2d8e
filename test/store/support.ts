// A prepared database and short ways to say what happens in it.
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { ClaimToken, Party, TxHash } from '../../src/core/ids.js';
import type { Store } from '../../src/ports/store.js';
import type { ClaimedRow } from '../../src/protocol/record.js';
import { type Settled, settlementOf } from '../../src/protocol/settlement.js';
import type { PendingVerdict, Verdict } from '../../src/protocol/verdict.js';
import type { MigrateOptions } from '../../src/store/migrate/migrate.js';
import { readSqlSteps } from '../../src/store/migrate/sql-files.js';
import { type Database, openDatabase } from '../../src/store/pool.js';
import { createStore } from '../../src/store/store.js';
import { migratedDatabase, type TestDatabase } from '../support/postgres.js';
import { HANG_MS } from '../support/time.js';

interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

export interface Prepared extends TestDatabase {
  readonly database: Database;
  readonly store: Store;
  /** Another process's store: a pool of its own. */
  another(): Store;
  insert(row?: Partial<NewTestRow>): Promise<string>;
  claim(limit?: number, holder?: string): Promise<readonly ClaimedRow[]>;
  /** Claims that must give exactly one row. */
  claimOne(limit?: number): Promise<ClaimedRow>;
  look(limit?: number): Promise<readonly ClaimedRow[]>;
  settle(claimed: ClaimedRow, verdict: Verdict): Promise<Settled>;
  row(id: string): Promise<MempoolTuple>;
  /** Makes the lease of whoever holds the row run out. */
  expire(id: string): Promise<void>;
}

export interface NewTestRow {
  readonly from: string;
  readonly nonce: number;
  readonly to: string;
  readonly hash: Uint8Array;
}

export interface MempoolTuple extends pg.QueryResultRow {
  readonly id: string;
  readonly status: string;
  readonly available_at: Date | number;
  readonly claim_token: string | null;
  readonly claimed_by: string | null;
  readonly lease_expires_at: Date | null;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly error_message: string | null;
  readonly sent_from: string | null;
  readonly sent_until: Date | number | null;
  readonly waits_on: readonly string[] | null;
  readonly submission_id: string | null;
  readonly submission_party: string | null;
  readonly update_id: string | null;
  readonly completion_offset: string | null;
}

export const LEASE_MS = 30_000;
export const SENT_FROM = 7n;
export const WINDOW_MS = 30_000;

export const migrateOptions = (url: string, more: Partial<MigrateOptions> = {}): MigrateOptions => ({
  url,
  lanes: null,
  toleranceMs: null,
  clockSkewMaxMs: null,
  oneStepTokens: [],
  oldUser: { kind: 'same' },
  create: true,
  say: () => {},
  ...more,
});

const never = (what: string): never => {
  throw new Error(what);
};

export const insertRow = async (
  query: TestDatabase['query'],
  { from = 'alice', nonce = 1, to = 'bob', hash = randomBytes(32) }: Partial<NewTestRow> = {},
): Promise<string> => {
  const [row] = await query<{ id: string }>(
    `insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
     values ($1, $2, '0x70C', $3, $4, '', '\\x01') returning id`,
    [hash, from, to, nonce],
  );
  return row?.id ?? never('not inserted');
};

export const insertUser = (
  query: TestDatabase['query'],
  address: string,
  more: { readonly key?: string; readonly mode?: string; readonly party?: string } = {},
): Promise<unknown> =>
  query(
    `insert into users (evm_address, canton_party, fingerprint, canton_private_key_encrypted, key_mode)
     values ($1, $2, 'f', $3, $4)`,
    [address, more.party ?? `${address}::1220`, more.key ?? null, more.mode ?? 'custodial'],
  );

export async function prepared(t: Teardown, more: Partial<MigrateOptions> = {}): Promise<Prepared> {
  const { url: _, say: __, ...pins } = more;
  const fresh = await migratedDatabase(t, pins);
  const databases: Database[] = [];
  const open = (): Database => {
    const database = openDatabase({ url: fresh.url, poolSize: 4, connectTimeoutMs: HANG_MS });
    databases.push(database);
    return database;
  };
  t.teardown(async () => {
    await Promise.all(databases.map((one) => one.close()));
  });
  const database = open();
  const store = createStore(database);
  const generation = async (): Promise<bigint> => (await store.pinned())?.generation ?? never('not pinned');

  const claim: Prepared['claim'] = async (limit = 64, holder = 'test') => {
    const reply = await store.claim({
      holder,
      limit,
      leaseMs: LEASE_MS,
      generation: await generation(),
      sentFrom: SENT_FROM,
      windowMs: WINDOW_MS,
    });
    return reply.kind === 'claimed' ? reply.rows : never('stale');
  };
  return {
    ...fresh,
    database,
    store,
    another: () => createStore(open()),
    insert: (row) => insertRow(fresh.query, row),
    claim,
    async claimOne(limit) {
      const rows = await claim(limit);
      const [row] = rows;
      return rows.length === 1 && row !== undefined
        ? row
        : never(`${rows.length} rows claimed instead of one`);
    },
    async look(limit = 64) {
      const reply = await store.claimUndecided({
        holder: 'test',
        limit,
        leaseMs: LEASE_MS,
        generation: await generation(),
      });
      return reply.kind === 'claimed' ? reply.rows : never('stale');
    },
    async settle(claimed, verdict) {
      const [settled] = await store.settle([settlementOf(claimed, verdict)]);
      return settled ?? never('no result');
    },
    row: (id) => fresh.one<MempoolTuple>('select * from mempool where id = $1', [id]),
    async expire(id) {
      await fresh.query("update mempool set lease_expires_at = now() - interval '1 ms' where id = $1", [id]);
    },
  };
}

/** In an array, to compare with `deepEqual`. */
export const idsOf = (rows: readonly ClaimedRow[]): string[] => rows.map(({ row }) => row.id);

export const completed: Verdict = { kind: 'completed', updateId: 'update-1', offset: 42n, note: null };
export const failed: Verdict = {
  kind: 'failed',
  message: 'for the wallet',
  detail: 'CODE: for the operator',
};
export const pending = (more: Partial<PendingVerdict> = {}): PendingVerdict => ({
  kind: 'pending',
  record: 'clear',
  wait: 'now',
  attempts: 0,
  lastError: null,
  ...more,
});

export const aToken = (): ClaimToken => crypto.randomUUID() as ClaimToken;
export const aHash = (): TxHash => `0x${randomBytes(32).toString('hex')}` as TxHash;
export const aParty = (name: string): Party => `${name}::1220` as Party;

/** Resolves when the query gives a row: for states of the server that nothing notifies of. */
export async function until(
  query: TestDatabase['query'],
  sql: string,
  values: unknown[] = [],
): Promise<void> {
  const end = performance.now() + HANG_MS;
  while (performance.now() < end) {
    if ((await query(sql, values)).length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never came true: ${sql}`);
}

/** As an instance does: again, as long as the database is away or not the right one. */
export async function eventually<T>(call: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  for (const end = performance.now() + 60_000; ; ) {
    const found = await call().then(
      (value) => ({ value }),
      (error: unknown) => {
        if (!(error instanceof StoreUnavailable)) throw error;
        return null;
      },
    );
    if (found !== null && fits(found.value)) return found.value;
    if (performance.now() > end) throw new Error('not within a minute');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The tables as canton-middleware's own migrations make them. */
export const MIDDLEWARE = `${readSqlSteps()[0]?.sql.replaceAll(' if not exists', '')}
  create index idx_users_fingerprint on users (fingerprint);`;
