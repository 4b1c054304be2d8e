import type { Looking, Reading } from './looking.js';
import { verifyAcceptance } from './verify.js';

const CALL_MS = 5_000;

/**
 * The short cut to an acceptance (from 3.6 on): what was signed is asked for by its hash. Only finding it means
 * anything; that nothing is found, or nobody answers, proves nothing, and the stream is read as ever (P5).
 */
export async function askByHash(reading: Reading): Promise<void> {
  await Promise.all([...reading.open].map((row) => ask(reading, row)));
}

async function ask({ path, stop, close }: Reading, row: Looking): Promise<void> {
  const { record, row: asked } = row.claim;
  if (record.hash === null) return;
  const signal = AbortSignal.any([stop, row.lease.signal]);
  const found = await path.ledger.acceptedByHash(record.hash.bytes, { timeoutMs: CALL_MS, signal });
  if (found.kind !== 'read' || found.value === null || found.value.commandId !== asked.txHash) return;
  const { updateId, offset } = found.value;
  const verdict = await verifyAcceptance(path, row.claim, { updateId, offset, ours: true }, signal);
  if (verdict !== null) await close(row, 'accepted', verdict);
}
