// Maps what the participant said to what it means. Pure. Where money is concerned, a refusal is certain only if its
// error id is listed as certain and it carries Canton's own details; anything else may still commit.
import { withoutControls } from '../core/words.js';
import type { Outcome, Refusal } from '../protocol/outcome.js';
import {
  errorTable,
  isInvalidSend,
  ofTheMoment,
  type ReadVerdict,
  type SubmissionVerdict,
} from './error-table.js';
import type { GrpcCode, LedgerStatus } from './status.js';
import { offsetOf } from './values.js';

/** Verdicts on a submission that is certainly over. */
type Certain = Exclude<SubmissionVerdict, 'duplicate' | 'unknown'>;
export type RefusedOutcome = Exclude<Outcome, { kind: 'accepted' | 'not-sent' }>;

/** How much of an answer goes into logs and `last_error`. */
const DETAIL_MAX = 600;

/** What an answer to a submission means, or the status of a rejecting completion. */
export function classifySubmission(status: LedgerStatus): RefusedOutcome {
  const verdict = submissionVerdict(status);
  switch (verdict) {
    case 'duplicate':
      return { kind: 'duplicate', completionOffset: completionOffset(status), detail: detailOf(status) };
    case 'unknown':
      return { kind: 'unknown', detail: `${errorIdOf(status)}: ${detailOf(status)}` };
    default:
      return { kind: 'refused', refusal: refusal(verdict, status) };
  }
}

function submissionVerdict(status: LedgerStatus): SubmissionVerdict {
  const { errorId, details, code } = status;
  if (errorId !== null) {
    const listed = errorTable.get(errorId)?.verdict;
    if (listed === 'for-good') return verdictOfRule(status);
    return isInvalidSend(status) ? 'of-sender' : (listed ?? verdictOfUnlisted(status.category));
  }
  // The details were lost on the way, but this much can be trusted, since it only makes us look.
  if (status.messageId === 'DUPLICATE_COMMAND') return 'duplicate';
  return details === 'request-info' ? verdictOfRedacted(code) : 'unknown';
}

const verdictOfRule = (status: LedgerStatus): Certain => ofTheMoment(textOf(status)) ?? 'for-good';

/** Canton's categories, for ids missing from the table: certain only where the request was not let in. */
function verdictOfUnlisted(category: number | null): ReadVerdict | 'unknown' {
  switch (category) {
    case 6: // AuthInterceptorInvalidAuthenticationCredentials
      return 'everybody';
    case 7: // InsufficientPermission
      return 'sender';
    case 8: // InvalidIndependentOfSystemState: never valid, and not a verdict on the row that we know
      return 'of-request';
    default:
      return 'unknown';
  }
}

/** Canton redacts the id of categories 4 to 7 and 14, which leaves only the gRPC code. */
function verdictOfRedacted(code: GrpcCode): ReadVerdict | 'unknown' {
  switch (code) {
    case 'UNAUTHENTICATED':
      return 'everybody';
    case 'PERMISSION_DENIED':
      return 'sender';
    case 'INVALID_ARGUMENT': // a security alert: a confirmer's final verdict, or refused on arrival
      return 'of-request';
    default: // mostly INTERNAL: raised before or after the submission went out
      return 'unknown';
  }
}

/** Why a read failed. A read changes nothing, so the only question is whom the failure holds up. */
export function classifyRead(status: LedgerStatus): Refusal {
  return refusal(readVerdict(status), status);
}

/**
 * Why a preparation failed. It changes nothing either, so nothing here is unknown; but it interprets the actual
 * request, so what a Daml rule says about it is as true as for a submission.
 */
export function classifyPrepare(status: LedgerStatus): Refusal {
  return refusal(prepareVerdict(status), status);
}

function prepareVerdict(status: LedgerStatus): Certain {
  const { errorId, code, category, details } = status;
  const listed = errorId === null ? undefined : errorTable.get(errorId);
  if (listed?.verdict === 'for-good') return verdictOfRule(status);
  if (listed !== undefined || details === 'none') return readVerdict(status);
  const certain = errorId === null ? verdictOfRedacted(code) : verdictOfUnlisted(category);
  if (certain !== 'unknown') return certain;
  // Canton refused this request with an error id that is new to us.
  return errorId !== null && category !== null && OF_THE_REQUEST.has(category)
    ? 'of-request'
    : readVerdict(status);
}

/** The three forms of InvalidGivenCurrentSystemState. */
const OF_THE_REQUEST = new Set([9, 10, 11]);

function readVerdict({ errorId, code }: LedgerStatus): ReadVerdict {
  const listed = errorId === null ? undefined : errorTable.get(errorId);
  if (listed?.onRead) return listed.onRead;
  if (listed === undefined) return verdictOfFailedRead(code);
  switch (listed.verdict) {
    case 'duplicate':
    case 'unknown':
      return verdictOfFailedRead(code);
    case 'for-good':
      return 'of-request';
    default:
      return listed.verdict;
  }
}

/**
 * One slow or oversized answer must not stop everybody, nor hold up one row for ever, so anything that may concern a
 * single party counts as suspect.
 */
function verdictOfFailedRead(code: GrpcCode): ReadVerdict {
  switch (code) {
    case 'UNAVAILABLE':
    case 'UNAUTHENTICATED':
      return 'everybody';
    case 'PERMISSION_DENIED':
      return 'sender';
    case 'CANCELLED': // cancelled by us: a lost lease, or a stop
      return 'again';
    case 'UNIMPLEMENTED': // will not get better
      return 'of-request';
    default: // RESOURCE_EXHAUSTED, and UNKNOWN (which is how a proxy's 413 arrives), will not get better either
      return 'of-sender';
  }
}

function refusal(verdict: Certain, status: LedgerStatus): Refusal {
  return {
    ...meanings[verdict],
    errorId: errorIdOf(status),
    detail: detailOf(status),
    retryAfterMs: status.retryAfterMs,
  };
}

const meanings: Readonly<Record<Certain, Pick<Refusal, 'kind' | 'blame'>>> = {
  'for-good': { kind: 'for-good', blame: 'sender' },
  again: { kind: 'try-again', blame: 'sender' },
  'of-sender': { kind: 'suspect', blame: 'sender' },
  'of-receiver': { kind: 'suspect', blame: 'receiver' },
  'of-request': { kind: 'suspect', blame: 'token' },
  overload: { kind: 'overload', blame: 'all' },
  unconfirmed: { kind: 'unconfirmed', blame: 'all' },
  everybody: { kind: 'not-the-row', blame: 'all' },
  sender: { kind: 'not-the-row', blame: 'sender' },
  token: { kind: 'not-the-row', blame: 'token' },
};

/** Only a read can ask for pruned data, and the id counts only if it comes with its details. */
export const isPruned = (status: LedgerStatus): boolean =>
  status.errorId === 'PARTICIPANT_PRUNED_DATA_ACCESSED';

/** Nothing is known about a hash, or the participant (before 3.6) cannot be asked. Neither proves anything. */
export const knowsNoCompletion = ({ errorId, code }: LedgerStatus): boolean =>
  errorId === 'COMPLETION_NOT_FOUND' || code === 'UNIMPLEMENTED';

/** The update certainly does not exist; a proxy's 404 does not say that. */
export const isUpdateAbsent = ({ errorId }: LedgerStatus): boolean =>
  errorId === 'UPDATE_NOT_FOUND' || errorId === 'TRANSACTION_NOT_FOUND';

export const errorIdOf = (status: LedgerStatus): string => status.errorId ?? `GRPC_${status.code}`;

/** Failures that arise in this process rather than at the participant. */
export type LocalErrorId =
  | 'TOKEN_UNAVAILABLE'
  | 'USER_UNKNOWN'
  | 'CALL_ABORTED'
  | 'REQUEST_UNENCODABLE'
  | 'ANSWER_UNREADABLE'
  | 'STREAM_ENDED'
  | 'LEDGER_END_BEHIND'
  | 'NO_TRANSFER_FACTORY'
  | 'SEVERAL_TRANSFER_FACTORIES'
  | 'REGISTRY_UNAVAILABLE'
  | 'REGISTRY_REFUSED'
  | 'REGISTRY_UNREADABLE';

function completionOffset({ metadata }: LedgerStatus): bigint | null {
  return offsetOf(metadata.get('completion_offset') ?? '');
}

function textOf({ message, metadata }: LedgerStatus): string {
  return `${message} ${metadata.get('error_id') ?? ''}`;
}

/** For people: the text of the answer and the contracts or parties it names, without control characters. */
function detailOf({ message, resources, metadata }: LedgerStatus): string {
  const sendError = metadata.get('sendError');
  const said = sendError === undefined ? message : `${message}: ${sendError}`;
  const text = resources.length === 0 ? said : `${said} [${resources.join(', ')}]`;
  return withoutControls(text).slice(0, DETAIL_MAX);
}
