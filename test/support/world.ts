// A world for tests: a migrated database, a sandbox participant over real gRPC, users with parties and holdings on
// both sides, and ways to put transfers in. Submitters run in it as processes (`fleet.ts`) or in this one (`local.ts`).
import { randomBytes, randomInt } from 'node:crypto';
import type pg from 'pg';
import type { Lanes } from '../../src/protocol/lanes.js';
import type { Sandbox, SandboxOptions } from '../../src/sandbox/index.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { sealKey } from '../../src/transfer/key.js';
import { startPacedSandbox } from './paced-sandbox.js';
import { migratedDatabase, type TestDatabase } from './postgres.js';
import { HANG_MS } from './time.js';
import { turn } from './turn.js';

interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

/** Who submits: the participant for parties that it hosts, a key in `users` for external ones. */
export const PARTIES = ['hosted', 'external'] as const;
export type Parties = (typeof PARTIES)[number];

/** The master key of a world's external parties. */
export const MASTER_KEY = Buffer.alloc(32, 'of this world ');

export interface User {
  readonly address: string;
  readonly party: string;
}

export interface RowState {
  readonly status: string;
  readonly parked: boolean;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly error_message: string | null;
  readonly update_id: string | null;
  readonly claim_token: string | null;
  readonly lease_expires_at: Date | null;
  readonly sent_from: string | null;
  readonly sent_until: Date | number | null;
  readonly submission_id: string | null;
  readonly submission_party: string | null;
  readonly submission_hash: Buffer | null;
}

export interface NewTransfer {
  readonly from: User | string;
  readonly to: User | string;
  /** In whole tokens of DEMO (18 decimals), at most three places. */
  readonly amount?: number;
  readonly nonce?: number;
  readonly contract?: string;
  readonly txHash?: Buffer;
  readonly amountData?: Buffer;
  /** In this transaction. */
  readonly client?: Pick<pg.PoolClient, 'query'>;
}

export interface World {
  readonly db: TestDatabase;
  readonly sandbox: Sandbox;
  /** A registered user with a party on the sandbox, and this many DEMO in so many holdings of equal size. */
  user(options?: {
    readonly balance?: number;
    readonly holdings?: number;
    readonly parties?: Parties;
  }): Promise<User>;
  /** Inserts what canton-middleware's API inserts; the command id. */
  insert(transfer: NewTransfer): Promise<string>;
  row(hash: string): Promise<RowState>;
  /** Resolves as soon as the query's condition holds; rejects with the rows' state where that is never. */
  until(what: string, holds: () => Promise<boolean> | boolean, timeoutMs?: number): Promise<void>;
  /** All of them are completed or failed. */
  ended(hashes: readonly string[], timeoutMs?: number): Promise<void>;
  /** Balances on the ledger equal to those computed from the rows, each completed row accepted once, no failed one. */
  audit(): Promise<string[]>;
}

export const DEMO = '0xde30000000000000000000000000000000000001';
/**
 * What an external party has signed carries the ledger time of its preparation: it must be sequenced within the
 * tolerance of that, and windows of tests are not as short as their ledger's time.
 */
const ROOM: Readonly<Record<Parties, SandboxOptions>> = { hosted: {}, external: { toleranceMs: 30_000_000 } };

/** Ten places of a Daml decimal, eighteen of the token. */
const WEI = 10n ** 15n;

export interface WorldOptions {
  readonly lanes?: Lanes;
  /** What users are who are not told otherwise. */
  readonly parties?: Parties;
  /** Not migrated; default: a fresh one. */
  readonly db?: TestDatabase;
}

export async function createWorld(t: Teardown, options: SandboxOptions & WorldOptions = {}): Promise<World> {
  await turn(t);
  const sandbox = await startPacedSandbox({
    timeScale: 0.02,
    latencyMs: 20,
    seed: 'test',
    ...ROOM[options.parties ?? 'hosted'],
    ...options,
  });
  t.teardown(() => sandbox.close());
  const pins = {
    lanes: options.lanes ?? 'sender',
    toleranceMs: Number(sandbox.env.LEDGER_TIME_TOLERANCE_MS),
    clockSkewMaxMs: Number(sandbox.env.CLOCK_SKEW_MAX_MS),
    oneStepTokens: [DEMO],
  };
  if (options.db !== undefined) await migrate({ ...pins, create: true, url: options.db.url, say: () => {} });
  const db = options.db ?? (await migratedDatabase(t, pins));
  const granted = new Map<string, bigint>();

  const world: World = {
    db,
    sandbox,
    async user({ balance = 100, holdings = 1, parties = options.parties ?? 'hosted' } = {}) {
      const address = addressOf(randomBytes(20));
      const each = balance / holdings;
      const spec = {
        hint: `u${randomInt(1e9)}`,
        holdings: balance > 0 ? [{ token: 'DEMO', amount: each.toFixed(3), count: holdings }] : [],
      };
      const [external] = parties === 'external' ? sandbox.createExternalParties([spec]) : [];
      const party = external?.party ?? sandbox.createParties([spec])[0];
      if (party === undefined) throw new Error('no party');
      const { privateKey = null } = external ?? {};
      const key = privateKey === null ? null : sealKey(Buffer.from(privateKey, 'hex'), MASTER_KEY);
      granted.set(party, BigInt(Math.round(each * 1000)) * BigInt(holdings));
      await db.query(
        `insert into users (evm_address, canton_party, fingerprint, canton_party_id, canton_private_key_encrypted)
         values ($1, $2, $3, $2, $4)`,
        [address, party, `0x${randomBytes(32).toString('hex')}`, key],
      );
      return { address, party };
    },
    async insert({
      from,
      to,
      amount = 1,
      nonce = 0,
      contract = DEMO,
      txHash = randomBytes(32),
      amountData,
      client = db.pool,
    }) {
      const wei = BigInt(Math.round(amount * 1000)) * WEI;
      const hex = wei.toString(16);
      const data =
        amountData ??
        (wei === 0n ? Buffer.alloc(0) : Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'));
      await client.query(
        `insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
         values ($1, $2, $3, $4, $5, '\\x', $6)`,
        [txHash, address(from), contract, address(to), nonce, data],
      );
      return `0x${txHash.toString('hex')}`;
    },
    async row(hash) {
      return db.one<RowState & Record<string, unknown>>(
        `select status, available_at = 'infinity' as parked, attempts, last_error, error_message, update_id, claim_token,
                lease_expires_at, sent_from, sent_until, submission_id, submission_party, submission_hash from mempool where tx_hash = $1`,
        [Buffer.from(hash.slice(2), 'hex')],
      );
    },
    async until(what, holds, timeoutMs = HANG_MS) {
      const patience = Math.max(timeoutMs, HANG_MS);
      const end = performance.now() + patience;
      while (!(await holds())) {
        if (performance.now() > end) {
          const rows = await db.query(
            'select id, status, attempts, available_at, claimed_by, sent_until, last_error from mempool order by id limit 20',
          );
          throw new Error(
            `not within ${patience} ms: ${what}\n${rows.map((row) => JSON.stringify(row)).join('\n')}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    ended(hashes, timeoutMs) {
      const bytes = hashes.map((hash) => Buffer.from(hash.slice(2), 'hex'));
      const open = async (): Promise<boolean> => {
        const { n } = await db.one<{ n: number }>(
          "select count(*)::int as n from mempool where tx_hash = any ($1) and status in ('completed', 'failed', 'mined')",
          [bytes],
        );
        return n === hashes.length;
      };
      return world.until(`${hashes.length} rows have ended`, open, timeoutMs);
    },
    async audit() {
      const broken: string[] = [];
      const summary = sandbox.audit.summary();
      if (summary.doubleCommits > 0) broken.push(`${summary.doubleCommits} double commits`);
      const rows = await db.query<{
        hash: string;
        status: string;
        milli: string;
        sender: string;
        receiver: string;
      }>(
        `select '0x' || encode(tx_hash, 'hex') as hash, status, s.canton_party as sender, r.canton_party as receiver,
                (('x' || lpad(encode(amount_data, 'hex'), 32, '0'))::bit(128)::text) as milli
           from mempool left join users s on s.evm_address = from_address left join users r on r.evm_address = recipient_address`,
      );
      const accepted = new Set(
        sandbox.audit.entries
          .filter((entry) => entry.outcome.kind === 'accepted')
          .map((entry) => entry.commandId),
      );
      const balance = new Map(granted);
      for (const { hash, status, milli, sender, receiver } of rows) {
        if (status === 'failed' && accepted.has(hash)) broken.push(`${hash} is failed, and was accepted`);
        if (status === 'completed' && !accepted.has(hash))
          broken.push(`${hash} is completed, and was never accepted`);
        if (status === 'pending' && accepted.has(hash)) broken.push(`${hash} is pending, and was accepted`);
        if (status !== 'completed' && status !== 'mined') continue;
        const moved = BigInt(`0b${milli}`) / WEI;
        balance.set(sender, (balance.get(sender) ?? 0n) - moved);
        balance.set(receiver, (balance.get(receiver) ?? 0n) + moved);
      }
      for (const [party, expected] of balance) {
        const is = BigInt(Math.round(Number(sandbox.balances(party).DEMO?.amount ?? '0') * 1000));
        if (is !== expected)
          broken.push(`${party} holds ${is} thousandths on the ledger, ${expected} by the rows`);
      }
      return broken;
    },
  };
  return world;
}

const address = (who: User | string): string => (typeof who === 'string' ? who : who.address);
const addressOf = (bytes: Buffer): string => `0x${bytes.toString('hex')}`;
