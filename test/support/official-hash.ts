// The official package as a second opinion: whatever prepared transaction a test meets, its hash of V2 is ours.
import { decodePreparedTransaction, hashPreparedTransaction } from '@canton-network/core-tx-visualizer';
import { preparedHash, UnhashableError } from '../../src/transfer/prepared-hash.js';

/** Throws where the two differ. What V2 cannot hash has nothing to be compared; the package does not look. */
export async function confirmHash(transaction: Uint8Array): Promise<void> {
  const ours = hashed(transaction);
  if (ours === null) return;
  const decoded = decodePreparedTransaction(Buffer.from(transaction).toString('base64'));
  const official = await hashPreparedTransaction(decoded, 'hex');
  if (official !== ours)
    throw new Error(`the official package hashes a prepared transaction to ${official}, not ${ours}`);
}

function hashed(transaction: Uint8Array): string | null {
  try {
    return Buffer.from(preparedHash(transaction, 2)).toString('hex');
  } catch (error) {
    if (error instanceof UnhashableError && error.needsV3) return null;
    throw error;
  }
}
