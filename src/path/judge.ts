// Every decision about a fresh row: before the ledger is asked, after a refused read, after the sender's own answer, after a
// bug of ours.
import { StoreUnavailable } from '../core/errors.js';
import { type Decidable, decide } from '../protocol/decide.js';
import type { Refusal } from '../protocol/outcome.js';
import { givenBack, park, retry, undecided, unsent, type Verdict } from '../protocol/verdict.js';
import { tokenKey } from '../transfer/address.js';
import { checkParties, checkRow } from '../transfer/check.js';
import { offerNote } from '../transfer/factory.js';
import { walletMessage } from '../transfer/messages.js';
import {
  databaseTime,
  go,
  isOld,
  type JudgedSubmission,
  type KeyWait,
  type Path,
  type Step,
  type Subject,
  type Submission,
  stop,
  triesOf,
} from './given/context.js';
import { chase, isToldByItsUpdate, verifyAcceptance } from './look/acceptance.js';
import type { Sent } from './send.js';

/**
 * What can be said of a fresh row before the ledger is asked. A verdict here is final at once, since nothing of the row
 * is undecided (rule 6). Then the breaker: a row whose sender, receiver or token the ledger refuses for now waits.
 */
export function judge(path: Path, submission: Submission): Step<JudgedSubmission> {
  const { settings } = path;
  const { row, sender, recipient } = submission.claim;
  const checked = checkRow(row, settings.tokens, settings.issuerParty);
  if (checked.kind === 'failed') return stop(checked);
  if (checked.kind === 'park') return stop(park(checked.reason));
  const parties = checkParties(row, sender, recipient);
  if (parties.kind === 'failed') return stop(parties);
  if (parties.kind === 'wait') return stop(retry(parties.reason, triesOf(path, submission.claim)));
  const judged = { ...submission, row: checked, sender: parties.sender, receiver: parties.receiver };
  const wait = path.breaker.wait(subjectOf(judged));
  return wait === null ? go(judged) : waiting(path, judged, wait);
}

/**
 * A row that may have caused the trouble itself is counted when it is refused. One that only waits is counted after this
 * long, so that its lane moves on at last, and a receiver who is away for minutes costs no row an attempt.
 */
const COUNTED_AFTER_MS = 3_600_000;

function waiting(path: Path, submission: JudgedSubmission, wait: KeyWait): Step<never> {
  const { claim } = submission;
  const why = `BREAKER: the ledger refuses this sender, receiver or token for now: ${wait.reason}`;
  const ms = Math.round(wait.ms);
  const old = databaseTime(path, submission) - claim.row.createdAt >= COUNTED_AFTER_MS;
  if (!wait.counts || !old) return stop(givenBack(why, ms));
  return stop(retry(why, triesOf(path, claim), ms));
}

/** What the sender's own answer makes of the row (rule 5). */
export async function answered(path: Path, submission: JudgedSubmission, sent: Sent): Promise<Verdict> {
  const { outcome, record } = sent;
  const { claim, lease } = submission;
  switch (outcome.kind) {
    case 'duplicate': {
      const found = await chase(path, { ...claim, record }, outcome.completionOffset, lease.signal);
      return found ?? undecided('now', `DUPLICATE_COMMAND: ${outcome.detail}`);
    }
    case 'accepted': {
      const { updateId, offset } = outcome;
      path.participant.sawAcceptance(
        { offset, updateId, party: record.party },
        { ...sent, txHash: claim.row.txHash },
      );
      path.breaker.served(subjectOf(submission));
      const row = { ...claim, record };
      if (!isToldByItsUpdate(path, row)) return decided(path, submission, outcome);
      const found = { updateId, offset, ours: true, submissionId: record.submissionId ?? '' };
      const verdict = await verifyAcceptance(path, row, found, lease.signal);
      if (typeof verdict !== 'string') return verdict;
      return undecided('now', `UNDECIDED: accepted as ${updateId}, which cannot be read yet`);
    }
    case 'refused': {
      const { kind, errorId } = outcome.refusal;
      // The ledger took the request and judged it, so it works, for these keys too. What cannot be encoded never left.
      const judgedIt = kind === 'for-good' || kind === 'try-again';
      if (judgedIt && errorId !== 'REQUEST_UNENCODABLE') path.breaker.served(subjectOf(submission));
      return decided(path, submission, outcome);
    }
    default:
      return decided(path, submission, outcome);
  }
}

/**
 * A bug of ours met this row: it waits and tries again, and parks at last; it never stops the others. Nor is a database that
 * cannot write its record its fault, however long that lasts.
 */
export function afterFault(
  path: Path,
  { claim }: Pick<Submission, 'claim'>,
  error: unknown,
  sent: boolean,
): Verdict {
  const why = `INTERNAL: ${error instanceof Error ? error.message : String(error)}`;
  if (sent) return undecided('now', why);
  if (error instanceof StoreUnavailable)
    return unsent(
      `the database did not write down what was to be sent: ${error.message}`,
      path.settings.probeMs,
    );
  return retry(why, triesOf(path, claim));
}

/** The protocol's decision, with what the breaker says of a refusal. */
export function decided(path: Path, submission: JudgedSubmission, outcome: Decidable): Verdict {
  const { claim } = submission;
  const held = outcome.kind === 'refused' && path.breaker.refused(subjectOf(submission), outcome.refusal);
  const { probeMs } = path.settings;
  const note = offerNote(submission.row.token);
  return decide(outcome, {
    ...triesOf(path, claim),
    probeMs,
    walletMessage,
    held: held || isOld(path, submission),
    note,
  });
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

const subjectOf = ({ row, sender, receiver, claim, at }: JudgedSubmission): Subject => ({
  row: claim.row.txHash,
  sender,
  receiver,
  token: tokenKey(row.token.address),
  beganAt: at,
});
