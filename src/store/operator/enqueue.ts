// What canton-middleware's API does when a wallet sends a transaction: the same columns, the same conflict rule.
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

/** Index: the unique one on tx_hash. The same transaction again changes nothing. */
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
