// The V2 hash of a prepared transaction, by the official package. It takes milliseconds of a machine that the demo shares
// with everybody else, and what is executed is mostly what was prepared: so it is remembered, by content alone.
import { createHash } from 'node:crypto';
import type { PreparedTransaction } from '@canton-network/core-ledger-proto';
import { hashPreparedTransaction } from '@canton-network/core-tx-visualizer';

const KEPT = 2_000;
const known = new Map<string, string>();

/** `bytes` are the transaction's own. Hex. Throws where it cannot be hashed. */
export async function hashOf(transaction: PreparedTransaction, bytes: Uint8Array): Promise<string> {
  const content = createHash('sha256').update(bytes).digest('base64');
  const before = known.get(content);
  if (before !== undefined) return before;
  const hash = await hashPreparedTransaction(transaction, 'hex');
  const oldest = known.keys().next();
  if (known.size >= KEPT && !oldest.done) known.delete(oldest.value);
  known.set(content, hash);
  return hash;
}
