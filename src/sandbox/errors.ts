// Canton's error codes: what each id means on the wire. One line each, so that faults can ask for any of them.
import { status as Grpc } from '@grpc/grpc-js';

/** Numbers as Canton prints them in a status message, between the parentheses. */
export type Category = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 14;

interface CategoryRule {
  readonly grpc: Grpc;
  /** RetryInfo is sent only where a retry can help. */
  readonly retryMs?: number;
  /** A redacted answer carries RequestInfo alone: no error id, no cause. */
  readonly redacted?: true;
}

export const categories: Readonly<Record<Category, CategoryRule>> = {
  1: { grpc: Grpc.UNAVAILABLE, retryMs: 1000 },
  2: { grpc: Grpc.ABORTED, retryMs: 1000 },
  3: { grpc: Grpc.DEADLINE_EXCEEDED, retryMs: 1000 },
  4: { grpc: Grpc.INTERNAL, redacted: true },
  5: { grpc: Grpc.INVALID_ARGUMENT, redacted: true },
  6: { grpc: Grpc.UNAUTHENTICATED, redacted: true },
  7: { grpc: Grpc.PERMISSION_DENIED, redacted: true },
  8: { grpc: Grpc.INVALID_ARGUMENT },
  9: { grpc: Grpc.FAILED_PRECONDITION },
  10: { grpc: Grpc.ALREADY_EXISTS },
  11: { grpc: Grpc.NOT_FOUND },
  12: { grpc: Grpc.OUT_OF_RANGE, retryMs: 1000 },
  14: { grpc: Grpc.UNIMPLEMENTED, redacted: true },
};

/** Ids by category; the lists are Canton's, as far as a submitter of transfers can meet them. */
const idsByCategory: Readonly<Record<Category, string>> = {
  1: `SERVICE_NOT_RUNNING ABORTED_DUE_TO_SHUTDOWN SYNC_SERVICE_PASSIVE_REPLICA NODE_IS_PASSIVE_REPLICA
    INDEX_DB_SQL_TRANSIENT_ERROR`,
  2: `LOCAL_VERDICT_LOCKED_CONTRACTS FAILED_TO_DETERMINE_LEDGER_TIME SUBMISSION_ALREADY_IN_FLIGHT
    NOT_SEQUENCED_TIMEOUT MEDIATOR_SAYS_TX_TIMED_OUT LOCAL_VERDICT_TIMEOUT
    LOCAL_VERDICT_LEDGER_TIME_OUT_OF_BOUND LOCAL_VERDICT_PREPARATION_TIME_OUT_OF_BOUND
    LOCAL_VERDICT_MAX_RECORD_TIME_EXCEEDED INTERPRETATION_TIME_EXCEEDED PARTICIPANT_BACKPRESSURE
    SEQUENCER_BACKPRESSURE SEQUENCER_REQUEST_FAILED SERVER_OVERLOADED THREADPOOL_OVERLOADED
    HEAP_MEMORY_OVER_LIMIT MAXIMUM_NUMBER_OF_STREAMS PARTICIPANT_OVERLOADED SUBMISSION_DURING_SHUTDOWN
    CHOSEN_MEDIATOR_IS_INACTIVE NO_VIEW_WITH_VALID_RECIPIENTS ACCESS_TOKEN_EXPIRED STALE_STREAM_AUTHORIZATION`,
  3: 'REQUEST_TIME_OUT REQUEST_DEADLINE_EXCEEDED',
  4: 'COMMAND_INJECTION_FAILURE SUBMISSION_INTERNAL_ERROR SERVICE_INTERNAL_ERROR LEDGER_API_INTERNAL_ERROR',
  5: `DUPLICATE_CONFIRMATION_REQUEST_UUID LOCAL_VERDICT_MALFORMED_REQUEST LOCAL_VERDICT_MALFORMED_PAYLOAD
    LOCAL_VERDICT_FAILED_MODEL_CONFORMANCE_CHECK LOCAL_VERDICT_BAD_ROOT_HASH_MESSAGES`,
  6: 'UNAUTHENTICATED',
  7: 'PERMISSION_DENIED',
  8: `INVALID_TOKEN MISSING_FIELD INVALID_FIELD INVALID_ARGUMENT LEDGER_TIME_OUTSIDE_BOUNDS NEGATIVE_OFFSET
    COMMAND_PREPROCESSING_FAILED DAML_AUTHORIZATION_ERROR TEMPLATE_PRECONDITION_VIOLATED
    CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE INVALID_DISCLOSED_CONTRACT DISCLOSED_CONTRACT_AUTHENTICATION_FAILED
    DISCLOSED_CONTRACTS_SYNCHRONIZER_ID_MISMATCH PRESCRIBED_SYNCHRONIZER_ID_MISMATCH
    FAILED_TO_PREPARE_TRANSACTION FAILED_TO_EXECUTE_TRANSACTION INVALID_EXTERNAL_SIGNATURE
    INVALID_EXTERNAL_TRANSACTION`,
  9: `INCONSISTENT UNKNOWN_CONTRACT_SYNCHRONIZER UNKNOWN_CONTRACT_SYNCHRONIZERS
    NOT_CONNECTED_TO_ANY_SYNCHRONIZER NOT_CONNECTED_TO_SYNCHRONIZER DAML_INTERPRETATION_ERROR DAML_FAILURE
    UNHANDLED_EXCEPTION INTERPRETATION_USER_ERROR WRONGLY_TYPED_CONTRACT PACKAGE_SELECTION_FAILED
    NO_PREFERRED_PACKAGES_FOUND NO_VETTED_INTERFACE_IMPLEMENTATION_PACKAGE PACKAGE_NOT_VETTED_BY_RECIPIENTS
    NO_COMMON_SYNCHRONIZER NO_SYNCHRONIZER_FOR_SUBMISSION SUBMITTERS_NOT_ACTIVE INFORMEES_NOT_ACTIVE
    INVALID_PRESCRIBED_SYNCHRONIZER_ID INVALID_DEDUPLICATION_PERIOD PARTICIPANT_PRUNED_DATA_ACCESSED
    SEQUENCER_NOT_ENOUGH_TRAFFIC_CREDIT OUTDATED_TRAFFIC_COST SEQUENCER_SUBMISSION_REQUEST_REFUSED
    SEQUENCER_MAX_SEQUENCING_TIME_TOO_FAR SEQUENCER_SENDER_UNKNOWN SEQUENCER_UNKNOWN_RECIPIENTS
    SEQUENCER_SUBMISSION_AFTER_UPGRADE_TIME TRAFFIC_ACCOUNT_VALIDATION_FAILED PARTY_CURRENTLY_ONBOARDING`,
  10: 'DUPLICATE_COMMAND',
  11: `LOCAL_VERDICT_INACTIVE_CONTRACTS CONTRACT_NOT_FOUND CONTRACT_NOT_ACTIVE
    SUBMISSION_SYNCHRONIZER_NOT_READY SYNCHRONIZER_WITHOUT_MEDIATOR PACKAGE_NOT_FOUND PACKAGE_NAMES_NOT_FOUND
    UNRESOLVED_PACKAGE_NAME PACKAGE_NAME_DISCARDED_DUE_TO_UNVETTED_PACKAGES TEMPLATES_OR_INTERFACES_NOT_FOUND
    UNKNOWN_INFORMEES UNKNOWN_SUBMITTERS NO_SYNCHRONIZER_ON_WHICH_ALL_SUBMITTERS_CAN_SUBMIT
    COMPLETION_NOT_FOUND UPDATE_NOT_FOUND USER_NOT_FOUND
    NO_TEMPLATES_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME NO_INTERFACE_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME`,
  12: 'OFFSET_AFTER_LEDGER_END',
  14: 'UNSUPPORTED_OPERATION',
};

/** Only these say definite_answer=true; Canton answers "false" even to a request that it never read. */
const definiteIds = new Set(
  `DUPLICATE_COMMAND INVALID_DEDUPLICATION_PERIOD PACKAGE_NOT_VETTED_BY_RECIPIENTS UNKNOWN_CONTRACT_SYNCHRONIZER
  INVALID_EXTERNAL_TRANSACTION INVALID_EXTERNAL_SIGNATURE SEQUENCER_BACKPRESSURE SEQUENCER_REQUEST_FAILED
  PARTY_CURRENTLY_ONBOARDING SEQUENCER_NOT_ENOUGH_TRAFFIC_CREDIT OUTDATED_TRAFFIC_COST
  SEQUENCER_SUBMISSION_REQUEST_REFUSED SEQUENCER_MAX_SEQUENCING_TIME_TOO_FAR SEQUENCER_SENDER_UNKNOWN
  SEQUENCER_UNKNOWN_RECIPIENTS SEQUENCER_SUBMISSION_AFTER_UPGRADE_TIME`.split(/\s+/),
);

/** Canton waits longer before these. */
const retryMsById: Readonly<Record<string, number>> = {
  INTERPRETATION_TIME_EXCEEDED: 60_000,
  STALE_STREAM_AUTHORIZATION: 0,
};

const unredactedIds = new Set(['DUPLICATE_CONFIRMATION_REQUEST_UUID']);

const categoryById = new Map<string, Category>(
  Object.entries(idsByCategory).flatMap(([category, ids]) =>
    ids.split(/\s+/).map((id): [string, Category] => [id, Number(category) as Category]),
  ),
);

export interface ErrorCode {
  readonly id: string;
  readonly category: Category;
  readonly grpc: Grpc;
  readonly definite: boolean;
  readonly redacted: boolean;
  readonly retryMs: number | undefined;
}

export function errorIds(): string[] {
  return [...categoryById.keys()];
}

export function isErrorId(id: string): boolean {
  return categoryById.has(id);
}

export function errorCode(id: string): ErrorCode {
  const category = categoryById.get(id);
  if (category === undefined) throw new Error(`unknown Canton error id ${JSON.stringify(id)}`);
  const rule = categories[category];
  return {
    id,
    category,
    grpc: rule.grpc,
    definite: definiteIds.has(id),
    redacted: rule.redacted === true && !unredactedIds.has(id),
    retryMs: retryMsById[id] ?? rule.retryMs,
  };
}

/** What the ledger says no with; plain data, because completions keep it. */
export interface LedgerError {
  readonly id: string;
  readonly cause: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** ResourceInfo: type and name. */
  readonly resources?: readonly (readonly [type: string, name: string])[];
  readonly retryMs?: number;
}

/** Thrown where the participant refuses at once: nothing is registered, no completion is written. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(readonly error: LedgerError) {
    super(`${error.id}: ${error.cause}`);
  }
}

export function refuse(id: string, cause: string, rest: Omit<LedgerError, 'id' | 'cause'> = {}): never {
  throw new Refusal({ id, cause, ...rest });
}
