import type { SubmissionRecord } from '../protocol/record.js';
import { unsent, type Verdict } from '../protocol/verdict.js';
import type { PathContext } from './context.js';
import { PINS_CHANGED } from './participant.js';
import type { Submission, SubmitDeps } from './submission.js';

/** Rule 1: the record is durable before the request leaves. Null: it is; else nothing may leave, and this becomes of the row. */
export async function writeAhead(
  path: PathContext,
  deps: SubmitDeps,
  { claim }: Submission,
  record: SubmissionRecord,
): Promise<Verdict | null> {
  const verified = deps.participant.verified();
  if (verified === null) return unsent('the participant is not verified');
  const written = await path.store.writeAhead(claim, record, verified.pinned.generation);
  if (written === 'written') return null;
  const { id, txHash } = claim.row;
  if (written === 'fenced') path.emit({ kind: 'fenced', during: 'write-ahead', id, txHash });
  else deps.participant.doubt(PINS_CHANGED);
  return unsent(`write-ahead ${written}`);
}
