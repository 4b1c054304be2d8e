// One row, as whoever put it in watches it.
import type { Database } from '../pool.js';
import type { Statement } from '../statements.js';

export interface WatchedRow {
  readonly status: string;
  readonly parked: boolean;
  readonly attempts: number;
  readonly claimed_by: string | null;
  readonly update_id: string | null;
  /** What a wallet sees, else what the log says. */
  readonly reason: string | null;
}

/** The unique index on tx_hash. */
const WATCH: Statement<WatchedRow & Readonly<Record<string, unknown>>> = {
  text: `select status, available_at = 'infinity' as parked, attempts, claimed_by, update_id,
        coalesce(error_message, last_error) as reason from mempool where tx_hash = $1`,
};

/** A scan, by value as lanes are: another spelling of the address is the same sender. */
const NEXT_NONCE: Statement<{ readonly nonce: string }> = {
  text: `select (coalesce(max(nonce), -1) + 1)::text as nonce from mempool
    where mempool_address_v1(from_address) = mempool_address_v1($1)`,
};

/** Null: there is no such row. */
export async function watchedRow(database: Database, txHash: Uint8Array): Promise<WatchedRow | null> {
  const [row] = await database.run(WATCH, [Buffer.from(txHash)]);
  return row ?? null;
}

export async function nextNonce(database: Database, address: string): Promise<bigint> {
  const [row] = await database.run(NEXT_NONCE, [address]);
  return BigInt(row?.nonce ?? 0);
}
