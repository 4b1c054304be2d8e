// What the API and a wallet do, for the commands that stand in for them: put a row in, as canton-middleware does, and watch it.
import type { Database } from '../pool.js';
import type { Statement } from '../statements.js';

export interface NewRow {
  /** 32 bytes. */
  readonly txHash: Uint8Array;
  /** EIP-55. */
  readonly fromAddress: string;
  readonly contractAddress: string;
  readonly recipientAddress: string;
  readonly nonce: bigint;
  readonly input: Uint8Array;
  /** Minimal big-endian bytes; empty for 0. */
  readonly amountData: Uint8Array;
}

/** The columns and the conflict rule of canton-middleware: the same transaction again changes nothing. Index: tx_hash. */
const ENQUEUE: Statement<{ readonly id: string }> = {
  text: `insert into mempool
      (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data, status)
    values ($1, $2, $3, $4, $5, $6, $7, 'pending')
    on conflict (tx_hash) do nothing returning id`,
};

export async function enqueue(database: Database, row: NewRow): Promise<'inserted' | 'duplicate'> {
  const inserted = await database.run(ENQUEUE, [
    Buffer.from(row.txHash),
    row.fromAddress,
    row.contractAddress,
    row.recipientAddress,
    row.nonce.toString(),
    Buffer.from(row.input),
    Buffer.from(row.amountData),
  ]);
  return inserted.length === 1 ? 'inserted' : 'duplicate';
}

/** Scans the table. By value, as lanes are: another spelling of the address is the same sender. */
const NEXT_NONCE: Statement<{ readonly nonce: string }> = {
  text: `select (coalesce(max(nonce), -1) + 1)::text as nonce from mempool
    where mempool_address_v1(from_address) = mempool_address_v1($1)`,
};

export async function nextNonce(database: Database, address: string): Promise<bigint> {
  const [row] = await database.run(NEXT_NONCE, [address]);
  return BigInt(row?.nonce ?? 0);
}

export interface WatchedRow {
  readonly status: string;
  readonly parked: boolean;
  readonly attempts: number;
  readonly claimed_by: string | null;
  readonly update_id: string | null;
  /** What a wallet sees, or else what the log says. */
  readonly reason: string | null;
}

/** Index: tx_hash. */
const WATCH: Statement<WatchedRow> = {
  text: `select status, available_at = 'infinity' as parked, attempts, claimed_by, update_id,
        coalesce(error_message, last_error) as reason from mempool where tx_hash = $1`,
};

/** Null: there is no such row. */
export async function watchedRow(database: Database, txHash: Uint8Array): Promise<WatchedRow | null> {
  const [row] = await database.run(WATCH, [Buffer.from(txHash)]);
  return row ?? null;
}
