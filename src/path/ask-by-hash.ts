import { limited } from '../runtime/limit.js';
import { haltOnBrokenBound } from './halt.js';
import type { Looking, Reading } from './looking.js';
import { verifyAcceptance } from './verify.js';

const CALL_MS = 5_000;

/**
 * The short cut to an acceptance (from 3.6 on): what was signed is asked for by its hash. Only finding it means
 * anything; that nothing is found, or nobody answers, proves nothing, and the stream is read as ever (P5).
 */
export async function askByHash(reading: Reading): Promise<void> {
  const { stop } = reading;
  await Promise.all(
    [...reading.open].map((row) =>
      limited([stop, row.lease.signal], null, (signal) => ask(reading, row, signal)),
    ),
  );
}

async function ask({ path, participant, close }: Reading, row: Looking, signal: AbortSignal): Promise<void> {
  const { record, row: asked } = row.claim;
  if (record.hash === null) return;
  const found = await path.ledger.acceptedByHash(record.hash.bytes, { timeoutMs: CALL_MS, signal });
  if (found.kind !== 'read' || found.value === null || found.value.commandId !== asked.txHash) return;
  const { updateId, offset, time, submissionId } = found.value;
  haltOnBrokenBound(path, participant, asked, record, time);
  const verdict = await verifyAcceptance(
    path,
    row.claim,
    { updateId, offset, submissionId, ours: true },
    signal,
  );
  if (typeof verdict !== 'string') await close(row, 'accepted', verdict);
}
