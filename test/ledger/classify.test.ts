// Canton's error table, row by row, as a submitter of money has to read it.
import { status as Grpc } from '@grpc/grpc-js';
import test from 'ava';
import { classifyRead, classifySubmission, errorLabel, errorLabels } from '../../src/ledger/classify.js';
import { errorTable } from '../../src/ledger/error-table.js';
import { statusOfCompletion, statusOfError } from '../../src/ledger/errors.js';
import { type Answer, type CodeName, errorOf, statusMessage } from './answers.js';

const submission = (answer: Answer) => classifySubmission(statusOfError(errorOf(answer)));
const summary = (answer: Answer): string => {
  const outcome = submission(answer);
  return outcome.kind === 'refused' ? `${outcome.refusal.kind}/${outcome.refusal.blame}` : outcome.kind;
};

const AGAIN = 'try-again/sender';
const ALL = 'not-the-row/all';
const SENDER = 'not-the-row/sender';
const RECEIVER = 'not-the-row/receiver';
const TOKEN = 'not-the-row/token';
const GOOD = 'for-good/sender';
const STATE = 'for-good-by-state/sender';

/** Meaning, gRPC code and category, ids. */
const canton: ReadonlyArray<readonly [string, CodeName, number, string]> = [
  // Contention
  [AGAIN, 'ABORTED', 2, 'LOCAL_VERDICT_LOCKED_CONTRACTS FAILED_TO_DETERMINE_LEDGER_TIME'],
  [AGAIN, 'NOT_FOUND', 11, 'LOCAL_VERDICT_INACTIVE_CONTRACTS CONTRACT_NOT_FOUND CONTRACT_NOT_ACTIVE'],
  [
    AGAIN,
    'FAILED_PRECONDITION',
    9,
    'INCONSISTENT UNKNOWN_CONTRACT_SYNCHRONIZER UNKNOWN_CONTRACT_SYNCHRONIZERS',
  ],
  ['unknown', 'ABORTED', 2, 'SUBMISSION_ALREADY_IN_FLIGHT'],
  ['duplicate', 'ALREADY_EXISTS', 10, 'DUPLICATE_COMMAND'],
  ['unknown', 'INVALID_ARGUMENT', 5, 'DUPLICATE_CONFIRMATION_REQUEST_UUID'],
  // Timeouts
  [AGAIN, 'ABORTED', 2, 'NOT_SEQUENCED_TIMEOUT MEDIATOR_SAYS_TX_TIMED_OUT LOCAL_VERDICT_TIMEOUT'],
  [AGAIN, 'ABORTED', 2, 'LOCAL_VERDICT_LEDGER_TIME_OUT_OF_BOUND LOCAL_VERDICT_PREPARATION_TIME_OUT_OF_BOUND'],
  [AGAIN, 'ABORTED', 2, 'LOCAL_VERDICT_MAX_RECORD_TIME_EXCEEDED INTERPRETATION_TIME_EXCEEDED'],
  ['unknown', 'DEADLINE_EXCEEDED', 3, 'REQUEST_TIME_OUT'],
  [AGAIN, 'DEADLINE_EXCEEDED', 3, 'REQUEST_DEADLINE_EXCEEDED'],
  // Overload and availability
  [AGAIN, 'ABORTED', 2, 'PARTICIPANT_BACKPRESSURE SEQUENCER_BACKPRESSURE SEQUENCER_REQUEST_FAILED'],
  [
    AGAIN,
    'ABORTED',
    2,
    'SERVER_OVERLOADED THREADPOOL_OVERLOADED HEAP_MEMORY_OVER_LIMIT MAXIMUM_NUMBER_OF_STREAMS',
  ],
  [AGAIN, 'ABORTED', 2, 'PARTICIPANT_OVERLOADED SUBMISSION_DURING_SHUTDOWN'],
  [ALL, 'UNAVAILABLE', 1, 'SERVICE_NOT_RUNNING'],
  [
    'unknown',
    'UNAVAILABLE',
    1,
    'ABORTED_DUE_TO_SHUTDOWN SYNC_SERVICE_PASSIVE_REPLICA NODE_IS_PASSIVE_REPLICA',
  ],
  ['unknown', 'INTERNAL', 4, 'COMMAND_INJECTION_FAILURE SUBMISSION_INTERNAL_ERROR SERVICE_INTERNAL_ERROR'],
  ['unknown', 'INTERNAL', 4, 'LEDGER_API_INTERNAL_ERROR'],
  ['unknown', 'UNAVAILABLE', 1, 'INDEX_DB_SQL_TRANSIENT_ERROR'],
  [ALL, 'FAILED_PRECONDITION', 9, 'NOT_CONNECTED_TO_ANY_SYNCHRONIZER NOT_CONNECTED_TO_SYNCHRONIZER'],
  [ALL, 'NOT_FOUND', 11, 'SUBMISSION_SYNCHRONIZER_NOT_READY SYNCHRONIZER_WITHOUT_MEDIATOR'],
  [ALL, 'ABORTED', 2, 'CHOSEN_MEDIATOR_IS_INACTIVE'],
  [RECEIVER, 'ABORTED', 2, 'NO_VIEW_WITH_VALID_RECIPIENTS'],
  // Tokens and rights
  [ALL, 'UNAUTHENTICATED', 6, 'UNAUTHENTICATED'],
  [SENDER, 'PERMISSION_DENIED', 7, 'PERMISSION_DENIED'],
  ['unknown', 'ABORTED', 2, 'ACCESS_TOKEN_EXPIRED STALE_STREAM_AUTHORIZATION'],
  [ALL, 'INVALID_ARGUMENT', 8, 'INVALID_TOKEN'],
  // Invalid input, Daml
  [GOOD, 'INVALID_ARGUMENT', 8, 'MISSING_FIELD INVALID_FIELD INVALID_ARGUMENT NEGATIVE_OFFSET'],
  [AGAIN, 'INVALID_ARGUMENT', 8, 'LEDGER_TIME_OUTSIDE_BOUNDS'],
  [GOOD, 'INVALID_ARGUMENT', 8, 'COMMAND_PREPROCESSING_FAILED DAML_AUTHORIZATION_ERROR'],
  [GOOD, 'INVALID_ARGUMENT', 8, 'TEMPLATE_PRECONDITION_VIOLATED CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE'],
  [GOOD, 'FAILED_PRECONDITION', 9, 'DAML_INTERPRETATION_ERROR DAML_FAILURE UNHANDLED_EXCEPTION'],
  [GOOD, 'FAILED_PRECONDITION', 9, 'INTERPRETATION_USER_ERROR WRONGLY_TYPED_CONTRACT'],
  // Packages, parties, routing
  [RECEIVER, 'FAILED_PRECONDITION', 9, 'PACKAGE_SELECTION_FAILED NO_PREFERRED_PACKAGES_FOUND'],
  [
    RECEIVER,
    'FAILED_PRECONDITION',
    9,
    'NO_VETTED_INTERFACE_IMPLEMENTATION_PACKAGE PACKAGE_NOT_VETTED_BY_RECIPIENTS',
  ],
  [TOKEN, 'NOT_FOUND', 11, 'PACKAGE_NOT_FOUND UNRESOLVED_PACKAGE_NAME'],
  [ALL, 'NOT_FOUND', 11, 'PACKAGE_NAMES_NOT_FOUND TEMPLATES_OR_INTERFACES_NOT_FOUND'],
  [RECEIVER, 'NOT_FOUND', 11, 'PACKAGE_NAME_DISCARDED_DUE_TO_UNVETTED_PACKAGES'],
  [STATE, 'NOT_FOUND', 11, 'UNKNOWN_INFORMEES UNKNOWN_SUBMITTERS'],
  [STATE, 'NOT_FOUND', 11, 'NO_SYNCHRONIZER_ON_WHICH_ALL_SUBMITTERS_CAN_SUBMIT'],
  [
    RECEIVER,
    'FAILED_PRECONDITION',
    9,
    'NO_COMMON_SYNCHRONIZER NO_SYNCHRONIZER_FOR_SUBMISSION INFORMEES_NOT_ACTIVE',
  ],
  [SENDER, 'FAILED_PRECONDITION', 9, 'SUBMITTERS_NOT_ACTIVE'],
  [RECEIVER, 'FAILED_PRECONDITION', 9, 'INVALID_PRESCRIBED_SYNCHRONIZER_ID PARTY_CURRENTLY_ONBOARDING'],
  [AGAIN, 'INVALID_ARGUMENT', 8, 'INVALID_DISCLOSED_CONTRACT DISCLOSED_CONTRACT_AUTHENTICATION_FAILED'],
  [
    ALL,
    'INVALID_ARGUMENT',
    8,
    'DISCLOSED_CONTRACTS_SYNCHRONIZER_ID_MISMATCH PRESCRIBED_SYNCHRONIZER_ID_MISMATCH',
  ],
  // Interactive submission
  [GOOD, 'INVALID_ARGUMENT', 8, 'FAILED_TO_PREPARE_TRANSACTION INVALID_EXTERNAL_SIGNATURE'],
  [GOOD, 'INVALID_ARGUMENT', 8, 'INVALID_EXTERNAL_TRANSACTION'],
  [AGAIN, 'INVALID_ARGUMENT', 8, 'FAILED_TO_EXECUTE_TRANSACTION'],
  [AGAIN, 'INVALID_ARGUMENT', 5, 'LOCAL_VERDICT_MALFORMED_REQUEST LOCAL_VERDICT_MALFORMED_PAYLOAD'],
  [
    AGAIN,
    'INVALID_ARGUMENT',
    5,
    'LOCAL_VERDICT_FAILED_MODEL_CONFORMANCE_CHECK LOCAL_VERDICT_BAD_ROOT_HASH_MESSAGES',
  ],
  [AGAIN, 'FAILED_PRECONDITION', 9, 'INVALID_DEDUPLICATION_PERIOD'],
  ['unknown', 'FAILED_PRECONDITION', 9, 'PARTICIPANT_PRUNED_DATA_ACCESSED'],
  ['unknown', 'OUT_OF_RANGE', 12, 'OFFSET_AFTER_LEDGER_END'],
  ['unknown', 'NOT_FOUND', 11, 'UPDATE_NOT_FOUND TRANSACTION_NOT_FOUND COMPLETION_NOT_FOUND'],
  // Traffic
  [ALL, 'FAILED_PRECONDITION', 9, 'SEQUENCER_NOT_ENOUGH_TRAFFIC_CREDIT TRAFFIC_ACCOUNT_VALIDATION_FAILED'],
  [ALL, 'FAILED_PRECONDITION', 9, 'OUTDATED_TRAFFIC_COST'],
  [AGAIN, 'ABORTED', 2, 'SEQUENCER_OVERLOADED SEQUENCER_UNAVAILABLE'],
  [
    ALL,
    'FAILED_PRECONDITION',
    9,
    'SEQUENCER_SUBMISSION_REQUEST_REFUSED SEQUENCER_MAX_SEQUENCING_TIME_TOO_FAR',
  ],
  [ALL, 'FAILED_PRECONDITION', 9, 'SEQUENCER_SENDER_UNKNOWN SEQUENCER_SUBMISSION_AFTER_UPGRADE_TIME'],
  [RECEIVER, 'FAILED_PRECONDITION', 9, 'SEQUENCER_UNKNOWN_RECIPIENTS'],
];

const rowsOf = canton.flatMap(([meaning, code, category, ids]) =>
  ids.split(' ').map((id) => ({ meaning, code, category, id })),
);

for (const { meaning, code, category, id } of rowsOf) {
  test(`${id} is ${meaning}`, (t) => {
    t.is(summary({ code, id, category, requestId: 'r' }), meaning);
    // A completion carries the same status, and is read alike.
    const outcome = classifySubmission(
      statusOfCompletion(statusMessage({ code, id, category, requestId: 'r' })),
    );
    t.deepEqual(outcome, submission({ code, id, category, requestId: 'r' }));
  });
}

test('every id of the table has its row above, and says why', (t) => {
  t.deepEqual([...errorTable.keys()].sort(), rowsOf.map(({ id }) => id).sort());
  for (const [id, { why }] of errorTable) t.true(why.length > 10, id);
});

const codes = Object.keys(Grpc).filter((name) => Number.isNaN(Number(name))) as (keyof typeof Grpc)[];

test('bare of details, none of the 17 codes proves anything about a submission', (t) => {
  t.is(codes.length, 17);
  for (const code of codes) t.is(summary({ code: code as CodeName }), 'unknown', code);
});

test('bare of details, no code fails or judges a row by a read', (t) => {
  for (const code of codes) {
    const { kind } = classifyRead(statusOfError(errorOf({ code: code as CodeName })));
    t.true(kind === 'not-the-row' || kind === 'try-again', code);
  }
});

test("an id without Canton's details is a rumour, DUPLICATE_COMMAND's alone makes us look", (t) => {
  for (const { code, category, id } of rowsOf) {
    const message = `${id}(${category},abcdef12): a cause`;
    t.is(summary({ code, message }), id === 'DUPLICATE_COMMAND' ? 'duplicate' : 'unknown', id);
  }
});

test("somebody else's ErrorInfo proves nothing: Canton's has no domain", (t) => {
  t.is(
    summary({ code: 'INVALID_ARGUMENT', id: 'MISSING_FIELD', category: 8, domain: 'googleapis.com' }),
    'unknown',
  );
});

test('redacted answers: rights and tokens are certain and not the row, an internal fault is not certain', (t) => {
  const redacted = (code: CodeName) => summary({ code, requestId: 'r' });
  t.is(redacted('UNAUTHENTICATED'), ALL);
  t.is(redacted('PERMISSION_DENIED'), SENDER);
  t.is(redacted('INVALID_ARGUMENT'), AGAIN);
  for (const code of [
    'INTERNAL',
    'UNIMPLEMENTED',
    'FAILED_PRECONDITION',
    'ABORTED',
    'UNAVAILABLE',
  ] as const) {
    t.is(redacted(code), 'unknown', code);
  }
});

test('an id nobody knows is never for good, and certain only where it says that nothing was let in', (t) => {
  const verdicts = Array.from({ length: 15 }, (_, category) =>
    summary({ code: 'FAILED_PRECONDITION', id: 'SOMETHING_NEW', category }),
  );
  t.deepEqual(
    verdicts.map((verdict, category) => [category, verdict]).filter(([, verdict]) => verdict !== 'unknown'),
    [
      [6, ALL],
      [7, SENDER],
      [8, AGAIN],
    ],
  );
});

const daml = (message: string, metadata: Record<string, string> = {}) =>
  summary({ code: 'FAILED_PRECONDITION', id: 'DAML_FAILURE', category: 9, message, metadata });

test('a Daml rule about time, or about an input that changed, passes later', (t) => {
  const failure = 'User failure: UNHANDLED_EXCEPTION/DA.Exception.AssertionFailed:AssertionFailed:';
  t.is(daml(`${failure} requestedAt must be in the past`), AGAIN);
  t.is(daml(`${failure} transfer expired (executeBefore in the past)`), AGAIN);
  t.is(daml(`${failure} input holding: must not be locked`), AGAIN);
  t.is(daml('a word', { error_id: 'splice/DEADLINE_EXCEEDED' }), AGAIN);
  t.is(daml(`${failure} amount must be positive`), GOOD);
  t.is(daml(`${failure} expectedAdmin mismatch`), GOOD);
  t.is(daml(`${failure} insufficient input holdings`), GOOD);
});

test('a duplicate names the offset of the acceptance where it can be read', (t) => {
  const offsetOf = (completion_offset: string | undefined) => {
    const outcome = submission({
      code: 'ALREADY_EXISTS',
      id: 'DUPLICATE_COMMAND',
      category: 10,
      metadata: completion_offset === undefined ? {} : { completion_offset },
    });
    return outcome.kind === 'duplicate' ? outcome.completionOffset : 'no duplicate';
  };
  t.is(offsetOf('9007199254740993'), 9007199254740993n);
  t.is(offsetOf(undefined), null);
  t.is(offsetOf('-1'), null);
  t.is(offsetOf('Some(7)'), null);
});

test('what the ledger asks us to wait is kept, what the answer names goes to the detail', (t) => {
  const outcome = submission({
    code: 'ABORTED',
    id: 'LOCAL_VERDICT_LOCKED_CONTRACTS',
    category: 2,
    retryMs: 1500,
    resources: [['CONTRACT_ID', '00ab']],
  });
  if (outcome.kind !== 'refused') return t.fail(outcome.kind);
  t.is(outcome.refusal.retryAfterMs, 1500);
  t.is(outcome.refusal.errorId, 'LOCAL_VERDICT_LOCKED_CONTRACTS');
  t.regex(outcome.refusal.detail, /CONTRACT_ID=00ab/);
});

test('control characters and endless texts do not reach a row', (t) => {
  const outcome = submission({ code: 'UNAVAILABLE', message: `a\u0000b\nc${'x'.repeat(10_000)}` });
  if (outcome.kind !== 'unknown') return t.fail(outcome.kind);
  t.regex(outcome.detail, /^GRPC_UNAVAILABLE: a b cx/);
  t.true(outcome.detail.length < 700);
});

test('reads: pruned data, an offset beyond the end, a busy database', (t) => {
  const read = (answer: Answer) => classifyRead(statusOfError(errorOf(answer)));
  t.is(
    read({ code: 'FAILED_PRECONDITION', id: 'PARTICIPANT_PRUNED_DATA_ACCESSED', category: 9 }).kind,
    'try-again',
  );
  t.is(read({ code: 'OUT_OF_RANGE', id: 'OFFSET_AFTER_LEDGER_END', category: 12 }).blame, 'all');
  t.is(read({ code: 'UNAVAILABLE', id: 'INDEX_DB_SQL_TRANSIENT_ERROR', category: 1 }).kind, 'not-the-row');
  t.is(read({ code: 'INVALID_ARGUMENT', id: 'INVALID_FIELD', category: 8 }).kind, 'try-again');
  t.is(read({ code: 'PERMISSION_DENIED', requestId: 'r' }).blame, 'sender');
  t.is(read({ code: 'UNAUTHENTICATED', requestId: 'r' }).blame, 'all');
});

test('labels of metrics are a closed list', (t) => {
  t.is(new Set(errorLabels).size, errorLabels.length);
  t.is(errorLabel('DUPLICATE_COMMAND'), 'DUPLICATE_COMMAND');
  t.is(errorLabel('GRPC_UNAVAILABLE'), 'GRPC_UNAVAILABLE');
  t.is(errorLabel('SOMETHING_NEW'), 'OTHER');
});
