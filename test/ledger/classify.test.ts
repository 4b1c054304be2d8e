// Canton's error table, row by row, as a submitter of money has to read it.
import { status as Grpc } from '@grpc/grpc-js';
import test from 'ava';
import { classifyRead, classifySubmission } from '../../src/ledger/classify.js';
import { errorTable } from '../../src/ledger/error-table.js';
import { statusOfCompletion, statusOfError } from '../../src/ledger/status.js';
import { type Answer, type CodeName, errorOf, statusMessage } from './answers.js';
import {
  AGAIN,
  ALL,
  GOOD,
  OF_REQUEST,
  OF_SENDER,
  OVERLOAD,
  rowsOf,
  SENDER,
  UNCONFIRMED,
} from './error-rows.js';

const submission = (answer: Answer) => classifySubmission(statusOfError(errorOf(answer)));
const summary = (answer: Answer): string => {
  const outcome = submission(answer);
  return outcome.kind === 'refused' ? `${outcome.refusal.kind}/${outcome.refusal.blame}` : outcome.kind;
};

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
    t.not(kind, 'for-good', code);
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
  t.is(redacted('INVALID_ARGUMENT'), OF_REQUEST);
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

test('an unknown id is never for good, and certain only where it says that nothing was let in', (t) => {
  const verdicts = Array.from({ length: 15 }, (_, category) =>
    summary({ code: 'FAILED_PRECONDITION', id: 'SOMETHING_NEW', category }),
  );
  t.deepEqual(
    verdicts.map((verdict, category) => [category, verdict]).filter(([, verdict]) => verdict !== 'unknown'),
    [
      [6, ALL],
      [7, SENDER],
      [8, OF_REQUEST],
    ],
  );
});

const daml = (message: string, metadata: Record<string, string> = {}) =>
  summary({ code: 'FAILED_PRECONDITION', id: 'DAML_FAILURE', category: 9, message, metadata });

test('a Daml rule about time, or about an input that changed, passes later', (t) => {
  const failure = 'User failure: UNHANDLED_EXCEPTION/DA.Exception.AssertionFailed:AssertionFailed:';
  t.is(daml(`${failure} requestedAt must be in the past`), UNCONFIRMED);
  t.is(daml(`${failure} transfer expired (executeBefore in the past)`), UNCONFIRMED);
  t.is(daml(`${failure} input holding: must not be locked`), AGAIN);
  t.is(daml('a word', { error_id: 'splice/DEADLINE_EXCEEDED' }), AGAIN);
  t.is(daml(`${failure} amount must be positive`), GOOD);
  t.is(daml(`${failure} expectedAdmin mismatch`), OF_REQUEST);
  t.is(daml(`${failure} insufficient input holdings`), AGAIN);
});

test('a transaction that is too large for the synchronizer is not taken for load, and says how large; a full queue or heap is', (t) => {
  const failed = (sendError: string): Answer => ({
    code: 'ABORTED',
    id: 'SEQUENCER_REQUEST_FAILED',
    category: 2,
    message: 'Failed to send command',
    metadata: { sendError },
  });
  // As Canton words them; the last two are the sequencer's trouble, or the network's.
  const size = 'Batch size (85134 bytes) is exceeding maximum size (27000 bytes) for synchronizer da::1220';
  for (const [sendError, meaning] of [
    [`RequestInvalid(${size})`, OF_SENDER],
    [`RequestInvalid(Uncompressed ${size})`, OF_SENDER],
    ['RequestFailed(RESOURCE_EXHAUSTED: gRPC message exceeds maximum size 27000: 85134)', OF_SENDER],
    ['RequestFailed(UNAVAILABLE: io exception)', OVERLOAD],
    ['RequestRefused(SequencerError.Overloaded(too many requests))', OVERLOAD],
  ] as const)
    t.is(summary(failed(sendError)), meaning, sendError);
  const outcome = submission(failed(`RequestInvalid(${size})`));
  t.regex(
    (outcome.kind === 'refused' && outcome.refusal.detail) || '',
    /Failed to send command: .*85134 bytes/,
  );
  for (const [id, message] of [
    ['HEAP_MEMORY_OVER_LIMIT', 'The heap collection usage threshold has exceeded the maximum (20000)'],
    ['THREADPOOL_OVERLOADED', 'The api_services queue size (20001) has exceeded the maximum (20000)'],
  ] as const)
    t.is(summary({ code: 'ABORTED', id, category: 2, message }), OVERLOAD, id);
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
  t.is(read({ code: 'INVALID_ARGUMENT', id: 'INVALID_FIELD', category: 8 }).kind, 'suspect');
  t.is(read({ code: 'PERMISSION_DENIED', requestId: 'r' }).blame, 'sender');
  t.is(read({ code: 'UNAUTHENTICATED', requestId: 'r' }).blame, 'all');
});
