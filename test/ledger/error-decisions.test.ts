// Every row of Canton's error table, from the bytes of its answer to what becomes of the row: as an answer to a
// submission of either kind, and to a preparation, which changes nothing.
import test from 'ava';
import { decide } from '../../src/core/decide.js';
import type { Outcome, Refusal } from '../../src/core/outcome.js';
import { classifyPrepare, classifySubmission } from '../../src/ledger/classify.js';
import { statusOfError } from '../../src/ledger/errors.js';
import { blameRegistry } from '../../src/ledger/outcome.js';
import { walletMessage } from '../../src/transfer/messages.js';
import { type Answer, type CodeName, errorOf } from './answers.js';
import { AGAIN, ALL, GOOD, RECEIVER, rowsOf, SENDER, STATE, TOKEN } from './error-rows.js';

const PROBE_MS = 5_000;
const attempt = (attempts: number, proven: boolean) => ({
  attempts,
  policy: { minMs: 500, maxMs: 60_000, maxAttempts: 20 },
  probeMs: PROBE_MS,
  random: () => 0.5,
  walletMessage,
  proven,
  note: null,
});

/** In words: what is done with the row, its record and its count. */
function decision(outcome: Outcome, attempts = 3, proven = true): string {
  if (outcome.kind === 'duplicate') return 'chase the acceptance';
  const verdict = decide(outcome, attempt(attempts, proven));
  if (verdict.kind === 'failed') return 'failed';
  if (verdict.kind === 'completed') return 'completed';
  const { record, wait, attempts: counted } = verdict;
  const when = typeof wait !== 'number' ? wait : wait >= PROBE_MS ? 'after a probe' : 'after a backoff';
  return `${record} ${when}, count ${counted}`;
}

const LOOK = 'keep now, count 0';
const RETRY = 'clear after a backoff, count 0';
const PARK = 'clear parked, count 0';
const GIVE_BACK = 'clear after a probe, count -1';

/** Attempt 3 of 20 with the participant proven, attempt 20, attempt 3 with it unproven. */
const decisions: Readonly<Record<string, readonly [string, string, string]>> = {
  [AGAIN]: [RETRY, PARK, RETRY],
  [ALL]: [GIVE_BACK, GIVE_BACK, GIVE_BACK],
  [SENDER]: [GIVE_BACK, GIVE_BACK, GIVE_BACK],
  [RECEIVER]: [GIVE_BACK, GIVE_BACK, GIVE_BACK],
  [TOKEN]: [GIVE_BACK, GIVE_BACK, GIVE_BACK],
  [GOOD]: ['failed', 'failed', 'failed'],
  [STATE]: ['failed', 'failed', RETRY],
  unknown: [LOOK, LOOK, LOOK],
  duplicate: ['chase the acceptance', 'chase the acceptance', 'chase the acceptance'],
};

const decided = (outcome: Outcome): readonly string[] => [
  decision(outcome),
  decision(outcome, 20),
  decision(outcome, 3, false),
];

const wire = (answer: Answer) => statusOfError(errorOf({ requestId: 'r', ...answer }));

test('an answer to a submission, of either kind', (t) => {
  for (const { meaning, code, category, id } of rowsOf) {
    t.deepEqual(
      decided(classifySubmission(wire({ code, id, category }))),
      [...(decisions[meaning] ?? [])],
      id,
    );
  }
});

/** What proves nothing of a submission says of a preparation only whom it holds up. */
const ofPreparations: Readonly<Record<string, string>> = {
  SUBMISSION_ALREADY_IN_FLIGHT: SENDER,
  DUPLICATE_COMMAND: SENDER,
  DUPLICATE_CONFIRMATION_REQUEST_UUID: SENDER,
  REQUEST_TIME_OUT: SENDER,
  ABORTED_DUE_TO_SHUTDOWN: ALL,
  SYNC_SERVICE_PASSIVE_REPLICA: ALL,
  NODE_IS_PASSIVE_REPLICA: ALL,
  COMMAND_INJECTION_FAILURE: SENDER,
  SUBMISSION_INTERNAL_ERROR: SENDER,
  SERVICE_INTERNAL_ERROR: SENDER,
  LEDGER_API_INTERNAL_ERROR: SENDER,
  INDEX_DB_SQL_TRANSIENT_ERROR: ALL,
  ACCESS_TOKEN_EXPIRED: AGAIN,
  STALE_STREAM_AUTHORIZATION: AGAIN,
  PARTICIPANT_PRUNED_DATA_ACCESSED: AGAIN,
  OFFSET_AFTER_LEDGER_END: ALL,
  UPDATE_NOT_FOUND: AGAIN,
  TRANSACTION_NOT_FOUND: AGAIN,
  COMPLETION_NOT_FOUND: AGAIN,
};

const prepared = (answer: Answer): Refusal => classifyPrepare(wire(answer));
const meaningOf = ({ kind, blame }: Refusal): string => `${kind}/${blame}`;

test('an answer to a preparation: certain refusals keep their verdict, and nothing is unknown', (t) => {
  for (const { meaning, code, category, id } of rowsOf) {
    const refusal = prepared({ code, id, category });
    const expected = ofPreparations[id] ?? meaning;
    t.is(meaningOf(refusal), expected, id);
    t.deepEqual(decided({ kind: 'refused', refusal }), [...(decisions[expected] ?? [])], id);
  }
});

test('no refusal of a preparation leaves a record, and without details of Canton none fails a row', (t) => {
  for (const { code } of [...rowsOf, { code: 'CANCELLED' as const }]) {
    const bare = classifyPrepare(statusOfError(errorOf({ code })));
    t.true(bare.kind === 'not-the-row' || bare.kind === 'try-again', code);
    // As of the client's own deadline, a cut connection, a proxy: of a submission it proves nothing at all.
    t.is(decision(classifySubmission(statusOfError(errorOf({ code })))), LOOK, code);
  }
  for (const { code, category, id } of rowsOf) {
    // Said by the text alone: anybody may have written it.
    const rumour = classifyPrepare(
      statusOfError(errorOf({ code, message: `${id}(${category},abcdef12): x` })),
    );
    t.true(rumour.kind === 'not-the-row' || rumour.kind === 'try-again', id);
  }
});

test('a preparation: time and stale inputs pass later, redacted answers are as of a submission, new words park at last', (t) => {
  const daml = (message: string) =>
    prepared({ code: 'FAILED_PRECONDITION', id: 'DAML_FAILURE', category: 9, message });
  t.is(meaningOf(daml('requestedAt must be in the past')), AGAIN);
  t.is(meaningOf(daml('input holding: must not be locked')), AGAIN);
  t.is(meaningOf(daml('amount must be positive')), GOOD);
  const redacted = (code: CodeName) => meaningOf(prepared({ code }));
  t.is(redacted('UNAUTHENTICATED'), ALL);
  t.is(redacted('PERMISSION_DENIED'), SENDER);
  t.is(redacted('INVALID_ARGUMENT'), AGAIN);
  t.is(redacted('INTERNAL'), SENDER);
  const unlisted = (category: number, code: CodeName) =>
    meaningOf(prepared({ code, id: 'SOMETHING_NEW', category }));
  t.is(unlisted(1, 'UNAVAILABLE'), ALL);
  t.is(unlisted(6, 'UNAUTHENTICATED'), ALL);
  t.is(unlisted(7, 'PERMISSION_DENIED'), SENDER);
  for (const [category, code] of [
    [8, 'INVALID_ARGUMENT'],
    [9, 'FAILED_PRECONDITION'],
    [10, 'ALREADY_EXISTS'],
    [11, 'NOT_FOUND'],
  ] as const) {
    t.is(unlisted(category, code), AGAIN, `${category}`);
  }
});

test('a participant that does not have the call: unknown of an execution, everybody’s trouble of a preparation', (t) => {
  for (const requestId of ['', 'r']) {
    const answer = statusOfError(errorOf({ code: 'UNIMPLEMENTED', ...(requestId && { requestId }) }));
    t.is(decision(classifySubmission(answer)), LOOK);
    t.is(meaningOf(classifyPrepare(answer)), ALL);
  }
});

test("what a registry made up fails no row: it is the token's trouble; a rule of the token's still says no", (t) => {
  const registry = {
    kind: 'registry',
    contractId: '00',
    context: new Map(),
    disclosed: [],
    transferKind: null,
  } as const;
  const own = { kind: 'own', contractId: '00' } as const;
  for (const { meaning, code, category, id } of rowsOf) {
    const refusal = prepared({ code, id, category });
    t.is(blameRegistry(refusal, own), refusal);
    const blamed = meaningOf(blameRegistry(refusal, registry));
    const ofTheFactory =
      /^(MISSING_FIELD|INVALID_(FIELD|ARGUMENT)|COMMAND_PRE\w+|CONTRACT_DOES_NOT\w+|WRONGLY_\w+)$/;
    t.is(blamed, meaning === GOOD && ofTheFactory.test(id) ? TOKEN : meaningOf(refusal), id);
  }
});
