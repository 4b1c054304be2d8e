import { brokenBound } from '../core/look.js';
import type { SynchronizerTime } from '../core/outcome.js';
import type { ClaimedRow, SubmissionRecord } from '../core/row.js';
import type { PathContext } from './context.js';
import type { Verified } from './verified.js';

/** Of the participant, what halting needs. */
interface Doubtful {
  verified(): Verified | null;
  doubt(why: string): void;
}

/**
 * A bound that the ledger did not keep makes every death read from one doubtful: nobody claims any more until a person
 * has raised the tolerance. The acceptance itself stands.
 */
export async function haltOnBrokenBound(
  path: PathContext,
  participant: Doubtful,
  row: Pick<ClaimedRow['row'], 'txHash'>,
  record: SubmissionRecord,
  time: SynchronizerTime | null,
): Promise<void> {
  if (time === null || time.synchronizerId !== path.settings.synchronizerId) return;
  if (!brokenBound(time.recordTime, record)) return;
  const lateMs = Math.ceil(Number(time.recordTime) / 1000) - (record.sentUntil ?? 0);
  const reason = `${row.txHash} was accepted ${lateMs} ms after its bound: LEDGER_TIME_TOLERANCE_MS is too low; raise it with \`migrate --tolerance\``;
  path.emit({ kind: 'alarm', what: `halted: ${reason}`, txHash: row.txHash });
  const verified = participant.verified();
  if (verified !== null) await path.store.halt(verified.pinned.generation, reason);
  participant.doubt(reason);
}
