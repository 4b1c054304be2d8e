// From what the participant said to what it means. Pure. For money the rule is: a refusal is certain only if its
// error id is listed as certain and it carries Canton's own details; everything else may still commit.
import type { Outcome, Refusal } from '../core/outcome.js';
import { errorTable, passesLater, type ReadVerdict, type SubmissionVerdict } from './error-table.js';
import type { GrpcCode, LedgerStatus } from './errors.js';

type Verdict = SubmissionVerdict | ReadVerdict;
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
    if (listed === 'for-good' && passesLater(errorId, textOf(status))) return 'again';
    return listed ?? verdictOfUnlisted(status.category);
  }
  // Its details were lost on the way, but this much can be believed: it only makes us look.
  if (status.messageId === 'DUPLICATE_COMMAND') return 'duplicate';
  return details === 'request-info' ? verdictOfRedacted(code) : 'unknown';
}

/** Canton's categories, for ids that are not in the table: certain only where a request was not let in. */
function verdictOfUnlisted(category: number | null): SubmissionVerdict {
  switch (category) {
    case 6: // AuthInterceptorInvalidAuthenticationCredentials
      return 'everybody';
    case 7: // InsufficientPermission
      return 'sender';
    case 8: // InvalidIndependentOfSystemState: never valid, but `failed` needs an id that we know
      return 'again';
    default:
      return 'unknown';
  }
}

/** Categories 4 to 7 and 14 come without an id; the gRPC code is all there is. */
function verdictOfRedacted(code: GrpcCode): SubmissionVerdict {
  switch (code) {
    case 'UNAUTHENTICATED':
      return 'everybody';
    case 'PERMISSION_DENIED':
      return 'sender';
    case 'INVALID_ARGUMENT': // a security alert: a confirmer's final verdict, or refused at the door
      return 'again';
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
 * and what Canton itself says of that for good, or by what the ledger holds, is as true as of a submission.
 */
export function classifyPrepare(status: LedgerStatus): Refusal {
  return refusal(prepareVerdict(status), status);
}

function prepareVerdict(status: LedgerStatus): Exclude<Verdict, 'duplicate' | 'unknown'> {
  const { errorId, code, category, details } = status;
  const listed = errorId === null ? undefined : errorTable.get(errorId);
  if (listed?.verdict === 'for-good' || listed?.verdict === 'by-state') {
    return errorId !== null && passesLater(errorId, textOf(status)) ? 'again' : listed.verdict;
  }
  if (listed !== undefined || details === 'none') return readVerdict(status);
  const certain = errorId === null ? verdictOfRedacted(code) : verdictOfUnlisted(category);
  if (certain !== 'unknown' && certain !== 'duplicate') return certain;
  // Canton's own refusal of this request, in words that are new to us: counted, so that the row parks at last.
  return errorId !== null && category !== null && OF_THE_REQUEST.has(category)
    ? 'again'
    : readVerdict(status);
}

/** InvalidGivenCurrentSystemState in its three forms. */
const OF_THE_REQUEST = new Set([9, 10, 11]);

function readVerdict({ errorId, code }: LedgerStatus): ReadVerdict {
  const listed = errorId === null ? undefined : errorTable.get(errorId);
  if (listed?.onRead) return listed.onRead;
  switch (listed?.verdict) {
    case 'everybody':
    case 'sender':
    case 'receiver':
    case 'token':
      return listed.verdict;
    case 'again':
    case 'for-good':
    case 'by-state':
      return 'again';
    default:
      return verdictOfFailedRead(code);
  }
}

/** One slow or too large answer must not stop everybody: what may be one party's alone is. */
function verdictOfFailedRead(code: GrpcCode): ReadVerdict {
  switch (code) {
    case 'UNAVAILABLE':
    case 'UNAUTHENTICATED':
    case 'UNIMPLEMENTED':
      return 'everybody';
    case 'CANCELLED': // by ourselves: a lease lost, a stop
      return 'again';
    default:
      return 'sender';
  }
}

function refusal(verdict: Exclude<Verdict, 'duplicate' | 'unknown'>, status: LedgerStatus): Refusal {
  return {
    ...meanings[verdict],
    errorId: errorIdOf(status),
    detail: detailOf(status),
    retryAfterMs: status.retryAfterMs,
  };
}

/** Whom to blame counts for `not-the-row` alone. */
const meanings: Readonly<Record<Exclude<Verdict, 'duplicate' | 'unknown'>, Pick<Refusal, 'kind' | 'blame'>>> =
  {
    'for-good': { kind: 'for-good', blame: 'sender' },
    'by-state': { kind: 'for-good-by-state', blame: 'sender' },
    again: { kind: 'try-again', blame: 'sender' },
    everybody: { kind: 'not-the-row', blame: 'all' },
    sender: { kind: 'not-the-row', blame: 'sender' },
    receiver: { kind: 'not-the-row', blame: 'receiver' },
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
  const text = metadata.get('completion_offset');
  return text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : null;
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
