// From what the participant said to what it means. Pure. For money the rule is: a refusal is certain only if its
// error id is listed as certain and it carries Canton's own details; everything else may still commit.
import type { Outcome, Refusal } from '../protocol/outcome.js';
import { errorTable, ofTheMoment, type ReadVerdict, type SubmissionVerdict } from './error-table.js';
import type { GrpcCode, LedgerStatus } from './status.js';
import { offsetOf } from './values.js';

/** Of what is certainly over. */
type Certain = Exclude<SubmissionVerdict, 'duplicate' | 'unknown'>;
export type RefusedOutcome = Exclude<Outcome, { kind: 'accepted' | 'not-sent' }>;

/** Logs and `last_error` get this much of an answer. */
const DETAIL_MAX = 600;

/** What an answer to a submission means, or a rejecting completion's status. */
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
    return listed === 'for-good' ? verdictOfRule(status) : (listed ?? verdictOfUnlisted(status.category));
  }
  // Its details were lost on the way, but this much can be believed: it only makes us look.
  if (status.messageId === 'DUPLICATE_COMMAND') return 'duplicate';
  return details === 'request-info' ? verdictOfRedacted(code) : 'unknown';
}

const verdictOfRule = (status: LedgerStatus): Certain => ofTheMoment(textOf(status)) ?? 'for-good';

/** Canton's categories, for ids that are not in the table: certain only where a request was not let in. */
function verdictOfUnlisted(category: number | null): ReadVerdict | 'unknown' {
  switch (category) {
    case 6: // AuthInterceptorInvalidAuthenticationCredentials
      return 'everybody';
    case 7: // InsufficientPermission
      return 'sender';
    case 8: // InvalidIndependentOfSystemState: never valid, and no word that we know of the row
      return 'of-request';
    default:
      return 'unknown';
  }
}

/** Categories 4 to 7 and 14 come without an id; the gRPC code is all there is. */
function verdictOfRedacted(code: GrpcCode): ReadVerdict | 'unknown' {
  switch (code) {
    case 'UNAUTHENTICATED':
      return 'everybody';
    case 'PERMISSION_DENIED':
      return 'sender';
    case 'INVALID_ARGUMENT': // a security alert: a confirmer's final verdict, or refused at the door
      return 'of-request';
    default: // INTERNAL above all: before or after the submission went out
      return 'unknown';
  }
}

/** Why a read failed. It changed nothing, so the question is only whom it holds up. */
export function classifyRead(status: LedgerStatus): Refusal {
  return refusal(readVerdict(status), status);
}

/**
 * Why a preparation failed. It changed nothing either, so nothing here is unknown; but it interprets the very request,
 * and what a Daml rule says of that is as true as of a submission.
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
  // Canton's own refusal of this request, in words that are new to us.
  return errorId !== null && category !== null && OF_THE_REQUEST.has(category)
    ? 'of-request'
    : readVerdict(status);
}

/** InvalidGivenCurrentSystemState in its three forms. */
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

/** One slow or too large answer must not stop everybody, nor a row for ever: what may be one party's alone is suspect. */
function verdictOfFailedRead(code: GrpcCode): ReadVerdict {
  switch (code) {
    case 'UNAVAILABLE':
    case 'UNAUTHENTICATED':
      return 'everybody';
    case 'PERMISSION_DENIED':
      return 'sender';
    case 'CANCELLED': // by ourselves: a lease lost, a stop
      return 'again';
    case 'UNIMPLEMENTED': // never gets better
      return 'of-request';
    default: // RESOURCE_EXHAUSTED, and UNKNOWN as a proxy's 413 reads, do not either
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

/** Pruned data can be asked for by reads alone; the id may only be believed with its details. */
export const isPruned = (status: LedgerStatus): boolean =>
  status.errorId === 'PARTICIPANT_PRUNED_DATA_ACCESSED';

/** Nothing is known of a hash; or the participant, before 3.6, cannot be asked. Neither proves anything. */
export const knowsNoCompletion = ({ errorId, code }: LedgerStatus): boolean =>
  errorId === 'COMPLETION_NOT_FOUND' || code === 'UNIMPLEMENTED';

/** Something is certainly not there: a proxy's 404 does not say that. */
export const isUpdateAbsent = ({ errorId }: LedgerStatus): boolean =>
  errorId === 'UPDATE_NOT_FOUND' || errorId === 'TRANSACTION_NOT_FOUND';

export const errorIdOf = (status: LedgerStatus): string => status.errorId ?? `GRPC_${status.code}`;

/** Failures that arise on this side, here or in what is built on it. */
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

/** For people: the answer's text, and the contracts or parties it names. Control characters have no place in a row. */
function detailOf({ message, resources }: LedgerStatus): string {
  const text = resources.length === 0 ? message : `${message} [${resources.join(', ')}]`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, DETAIL_MAX);
}
