import { type Decidable, decide } from '../protocol/decide.js';
import type { Refusal } from '../protocol/outcome.js';
import { unsent, type Verdict } from '../protocol/verdict.js';
import { tokenKey } from '../transfer/address.js';
import { walletMessage } from '../transfer/messages.js';
import { offerNote } from '../transfer/steps.js';
import { databaseNow, type JudgedSubmission, type Path, triesOf } from './given/context.js';
import type { Subject } from './given/parts.js';

/**
 * After this long, what may be everybody's trouble is held against the row all the same, so that neither a dead receiver
 * in an otherwise quiet system nor three of them block their senders' lanes for ever.
 */
const PATIENCE_MS = 86_400_000;

/** The protocol's decision, with what the breaker says of a refusal. */
export function decided(path: Path, submission: JudgedSubmission, outcome: Decidable): Verdict {
  const { claim } = submission;
  const old = databaseNow(path, submission) - claim.row.createdAt >= PATIENCE_MS;
  const held = outcome.kind === 'refused' && path.breaker.refused(subjectOf(submission), outcome.refusal);
  const { probeMs } = path.settings;
  const note = offerNote(submission.row.token);
  return decide(outcome, { ...triesOf(path, claim), probeMs, walletMessage, held: held || old, note });
}

/**
 * The ledger refused something that the transfer needs to know or to have prepared; nothing has left. A read that this
 * process cut off itself, because of a lost lease or a stop, says nothing about the row and is not counted.
 */
export function notTold(path: Path, submission: JudgedSubmission, refusal: Refusal): Verdict {
  const { signal } = submission.lease;
  if (signal.aborted && CUT_OFF.has(refusal.errorId))
    return unsent(`${signal.reason}, before the ledger had answered`);
  return decided(path, submission, { kind: 'refused', refusal });
}

const CUT_OFF: ReadonlySet<string> = new Set(['GRPC_CANCELLED', 'CALL_ABORTED']);

export const subjectOf = ({ row, sender, receiver, claim, at }: JudgedSubmission): Subject => ({
  row: claim.row.txHash,
  sender,
  receiver,
  token: tokenKey(row.token.address),
  beganAt: at,
});
