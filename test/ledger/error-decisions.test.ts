// Every row of Canton's error table, from the bytes of its answer to what becomes of the row: as an answer to a
// submission of either kind, and to a preparation, which changes nothing.
import { readFileSync } from 'node:fs';
import { status as Grpc } from '@grpc/grpc-js';
import test from 'ava';
import { blameRegistry } from '../../src/ledger/answer.js';
import { classifyPrepare, classifyRead, classifySubmission } from '../../src/ledger/classify.js';
import { errorTable } from '../../src/ledger/error-table.js';
import { type LedgerStatus, statusOfError } from '../../src/ledger/status.js';
import { decide } from '../../src/protocol/decide.js';
import type { Outcome, Refusal } from '../../src/protocol/outcome.js';
import { type FailureCode, failureCodes, walletMessage } from '../../src/transfer/messages.js';
import { type Answer, type CodeName, errorOf } from './answers.js';
import {
  AGAIN,
  ALL,
  GOOD,
  OF_RECEIVER,
  OF_REQUEST,
  OF_SENDER,
  OVERLOAD,
  rowsOf,
  SENDER,
  TOKEN,
  UNCONFIRMED,
} from './error-rows.js';

const PROBE_MS = 5_000;
const attempt = (attempts: number, held: boolean) => ({
  attempts,
  policy: { minMs: 500, maxMs: 60_000, maxAttempts: 20 },
  probeMs: PROBE_MS,
  random: () => 0.5,
  walletMessage,
  held,
  note: null,
});

/** In words: what is done with the row, its record and its count. */
function decision(outcome: Outcome, attempts = 3, held = true): string {
  if (outcome.kind === 'duplicate') return 'chase the acceptance';
  const verdict = decide(outcome, attempt(attempts, held));
  if (verdict.kind === 'failed') return 'failed';
  if (verdict.kind === 'completed') return 'completed';
  const { record, wait, attempts: counted } = verdict;
  const when = typeof wait !== 'number' ? wait : wait >= PROBE_MS ? 'after a probe' : 'after a backoff';
  return `${record} ${when}, count ${counted}`;
}

const LOOK = 'keep now, count 0';
const RETRY = 'clear after a backoff, count 0';
const SLOWLY = 'clear after a probe, count 0';
const PARK = 'clear parked, count 0';
const GIVE_BACK = 'clear after a probe, count -1';
const GIVE_BACK_SOON = 'clear after a backoff, count -1';

const SUSPECT = [SLOWLY, PARK, GIVE_BACK] as const;
const NOT_THE_ROW = [GIVE_BACK, GIVE_BACK, GIVE_BACK] as const;

/** Attempt 3 of 20, and attempt 20, held against the row; attempt 3 where it may be everybody's. */
const decisions: Readonly<Record<string, readonly [string, string, string]>> = {
  [AGAIN]: [RETRY, PARK, RETRY],
  [OF_SENDER]: SUSPECT,
  [OF_RECEIVER]: SUSPECT,
  [OF_REQUEST]: SUSPECT,
  [UNCONFIRMED]: SUSPECT,
  [OVERLOAD]: [SLOWLY, PARK, GIVE_BACK_SOON],
  [ALL]: NOT_THE_ROW,
  [SENDER]: NOT_THE_ROW,
  [TOKEN]: NOT_THE_ROW,
  [GOOD]: ['failed', 'failed', 'failed'],
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
  SUBMISSION_ALREADY_IN_FLIGHT: OF_SENDER,
  DUPLICATE_COMMAND: OF_SENDER,
  DUPLICATE_CONFIRMATION_REQUEST_UUID: OF_SENDER,
  REQUEST_TIME_OUT: OF_SENDER,
  ABORTED_DUE_TO_SHUTDOWN: ALL,
  SYNC_SERVICE_PASSIVE_REPLICA: ALL,
  NODE_IS_PASSIVE_REPLICA: ALL,
  COMMAND_INJECTION_FAILURE: OF_SENDER,
  SUBMISSION_INTERNAL_ERROR: OF_SENDER,
  SERVICE_INTERNAL_ERROR: OF_SENDER,
  LEDGER_API_INTERNAL_ERROR: OF_SENDER,
  INDEX_DB_SQL_TRANSIENT_ERROR: ALL,
  ACCESS_TOKEN_EXPIRED: AGAIN,
  STALE_STREAM_AUTHORIZATION: AGAIN,
  PARTICIPANT_PRUNED_DATA_ACCESSED: AGAIN,
  OFFSET_AFTER_LEDGER_END: ALL,
  UPDATE_NOT_FOUND: AGAIN,
  TRANSACTION_NOT_FOUND: AGAIN,
  COMPLETION_NOT_FOUND: AGAIN,
  TRAFFIC_TRANSIENT_FAILURE: ALL,
  TRAFFIC_FATAL_FAILURE: ALL,
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
    t.not(bare.kind, 'for-good', code);
    // As of the client's own deadline, a cut connection, a proxy: of a submission it proves nothing at all.
    t.is(decision(classifySubmission(statusOfError(errorOf({ code })))), LOOK, code);
  }
  for (const { code, category, id } of rowsOf) {
    // Said by the text alone: anybody may have written it.
    const rumour = classifyPrepare(
      statusOfError(errorOf({ code, message: `${id}(${category},abcdef12): x` })),
    );
    t.not(rumour.kind, 'for-good', id);
  }
});

test('a preparation: time and stale inputs pass later, redacted answers are as of a submission, new words park at last', (t) => {
  const daml = (message: string) =>
    prepared({ code: 'FAILED_PRECONDITION', id: 'DAML_FAILURE', category: 9, message });
  t.is(meaningOf(daml('requestedAt must be in the past')), UNCONFIRMED);
  t.is(meaningOf(daml('input holding: must not be locked')), AGAIN);
  t.is(meaningOf(daml('amount must be positive')), GOOD);
  const redacted = (code: CodeName) => meaningOf(prepared({ code }));
  t.is(redacted('UNAUTHENTICATED'), ALL);
  t.is(redacted('PERMISSION_DENIED'), SENDER);
  t.is(redacted('INVALID_ARGUMENT'), OF_REQUEST);
  t.is(redacted('INTERNAL'), OF_SENDER);
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
    t.is(unlisted(category, code), OF_REQUEST, `${category}`);
  }
});

test('what never gets better is held against the row, and ends: no method, too large, by a proxy or by gRPC', (t) => {
  for (const code of ['UNIMPLEMENTED', 'RESOURCE_EXHAUSTED', 'UNKNOWN'] as const) {
    const bare = statusOfError(errorOf({ code }));
    // It proves nothing about a submission; its look counts (`afterDeath`).
    t.is(decision(classifySubmission(bare)), LOOK, code);
    for (const read of [classifyPrepare(bare), classifyRead(bare)]) {
      t.is(meaningOf(read), code === 'UNIMPLEMENTED' ? OF_REQUEST : OF_SENDER, code);
      t.is(decision({ kind: 'refused', refusal: read }, 20), PARK, code);
    }
  }
});

const registry = {
  kind: 'registry',
  contractId: '00',
  context: new Map(),
  disclosed: [],
  transferKind: null,
} as const;

test("what a registry made up does not fail a row: it is the token's trouble; a rule of the token's still says no", (t) => {
  const own = { kind: 'own', contractId: '00' } as const;
  const daml = (message: string) =>
    prepared({ code: 'FAILED_PRECONDITION', id: 'DAML_FAILURE', category: 9, message });
  for (const message of [
    'Missing context entry for: utility.digitalasset.com/transfer-rule',
    "Failed to decode context value for 'amulet-rules': expected contract id, got: AV_Text",
  ])
    t.is(meaningOf(blameRegistry(daml(message), registry)), TOKEN);
  t.is(meaningOf(blameRegistry(daml('Missing context entry'), own)), GOOD);
  t.is(meaningOf(blameRegistry(daml('amount must be positive'), registry)), GOOD);
  for (const { code, category, id } of rowsOf) {
    const refusal = prepared({ code, id, category });
    t.is(blameRegistry(refusal, own), refusal);
  }
});

test('I5 nothing that a ledger says fails a row but a Daml rule about this transfer: every id, every status, every way', (t) => {
  const may = new Set(failureCodes.filter((code) => errorTable.has(code)));
  t.deepEqual([...may].sort(), ['DAML_FAILURE', 'INTERPRETATION_USER_ERROR', 'UNHANDLED_EXCEPTION']);
  const ways = (status: LedgerStatus): readonly Outcome[] => [
    classifySubmission(status),
    { kind: 'refused', refusal: classifyPrepare(status) },
    { kind: 'refused', refusal: classifyRead(status) },
    { kind: 'refused', refusal: blameRegistry(classifyPrepare(status), registry) },
  ];
  const fails = (outcome: Outcome): boolean =>
    [1, 20, 500].some((attempts) =>
      [true, false].some((held) => decision(outcome, attempts, held) === 'failed'),
    );
  const codes = Object.keys(Grpc).filter((name) => Number.isNaN(Number(name)) && name !== 'OK') as CodeName[];
  t.is(codes.length, 16);
  for (const code of codes) {
    // Bare, redacted, in words that are new, and as each id whatever its own code is.
    for (const answer of [{ code }, { code, requestId: 'r' }])
      for (const outcome of ways(statusOfError(errorOf(answer)))) t.false(fails(outcome), code);
    for (let category = 0; category <= 14; category++)
      for (const outcome of ways(wire({ code, id: 'SOMETHING_NEW', category })))
        t.false(fails(outcome), `${code}/${category}`);
    for (const { id, category } of rowsOf) {
      const [submission, preparation, read, ...registrys] = ways(wire({ code, id, category }));
      const judged = [submission, preparation, ...registrys].filter((one) => one !== undefined);
      for (const outcome of judged) t.is(fails(outcome), may.has(id as FailureCode), `${id}/${code}`);
      if (read !== undefined) t.false(fails(read), `${id}/${code}, as a read`);
    }
  }
});

test('I5 the words of a rule that is about time, inputs or what we are configured with fail nothing', (t) => {
  for (const message of [
    'requestedAt must be in the past',
    'transfer expired (executeBefore in the past)',
    'no open round found',
    'Vesting date is in the future',
    'Transfers are disabled',
    'Receiver is not whitelisted',
    'KYC required',
    'Market closed',
    'input holding: must not be locked',
    'input holding: wrong instrument',
    'insufficient input holdings',
    'expectedAdmin mismatch',
    'instrument is not known to this factory',
    // As Splice words it.
    'Contract group identifier mismatch: expected ForDso {dso = a}, got ForDso {dso = b}',
    "The requirement 'Expected admin a::12 matches actual admin b::12' was not met.",
    "The requirement 'transferLifetime 30 days <= tokenStandardMaxTTL 1 day' was not met.",
    "'missing authorizations' is not equal to 'empty set'.",
    'Choice "AmuletRules_Transfer" is no longer supported since "splice-amulet"-"0.1.10"',
    'ITR_UnknownSynchronizer',
    'Pattern match failure in do expression',
    // What somebody, or tomorrow, changes.
    'transfers of this token are paused',
    'the account is frozen',
    'daily limit exceeded',
    'No valid USYC price',
    'receiver has no TransferPreapproval',
    'Transfer requires approval by the registrar',
    'not authorized to receive this token',
    'Sender is not eligible',
    'identity could not be verified',
    'Account restricted',
    'credential was revoked',
    'exceeds the maximum holding',
    'not permitted in this jurisdiction',
  ])
    for (const id of ['DAML_FAILURE', 'UNHANDLED_EXCEPTION', 'INTERPRETATION_USER_ERROR']) {
      const status = wire({ code: 'FAILED_PRECONDITION', id, category: 9, message });
      for (const outcome of [
        classifySubmission(status),
        { kind: 'refused', refusal: classifyPrepare(status) } as const,
      ])
        t.not(decision(outcome), 'failed', message);
    }
});

test('docs/guarantees.md lists exactly what may fail a row, each with its reason', (t) => {
  const docs = readFileSync(new URL('../../docs/guarantees.md', import.meta.url), 'utf8');
  const [, section = ''] = docs.split('## What may become `failed`');
  const [table = ''] = section.split('\n## ');
  const rows = [...table.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].slice(1);
  const listed = rows.flatMap(([, codes = '']) => [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => code));
  t.deepEqual(listed.sort(), [...failureCodes].sort());
  for (const [, codes, , why = ''] of rows) t.true(why.length > 20, codes);
});
