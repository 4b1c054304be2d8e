import { brokenBound, missedByMs } from '../protocol/bound.js';
import type { SynchronizerTime } from '../protocol/outcome.js';
import type { ClaimedRow, SubmissionRecord } from '../protocol/record.js';
import type { PathContext } from './context.js';

/** Why nobody may claim, and by how much a bound was missed. */
export interface Halt {
  readonly reason: string;
  readonly lateMs: number;
}

/** Of the participant, what halting needs. */
interface Halting {
  /** Writes it down for everybody, however long that takes; until it stands there this instance claims nothing. */
  halt(why: Halt): void;
}

/**
 * A bound that the ledger did not keep makes every death read from one doubtful: nobody claims any more until a person
 * has raised the tolerance. The acceptance itself stands.
 */
export function haltOnBrokenBound(
  path: PathContext,
  participant: Halting,
  row: Pick<ClaimedRow['row'], 'txHash'>,
  record: SubmissionRecord,
  time: SynchronizerTime | null,
): void {
  if (time === null || time.synchronizerId !== path.settings.synchronizerId) return;
  if (!brokenBound(time.recordTime, record)) return;
  const lateMs = missedByMs(time.recordTime, record);
  const reason = `${row.txHash} was accepted ${lateMs} ms after its bound: LEDGER_TIME_TOLERANCE_MS is too low; raise it with \`migrate --tolerance\``;
  path.emit({ kind: 'alarm', what: `halted: ${reason}`, txHash: row.txHash });
  participant.halt({ reason, lateMs });
}
