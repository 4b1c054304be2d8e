// An external party's transfer: the participant prepares it, it is signed elsewhere, then it is executed, once.
import { Signature, SignatureFormat, SigningAlgorithmSpec } from '#proto/com/daml/ledger/api/v2/crypto.js';
import {
  CostEstimationHints,
  ExecuteSubmissionAndWaitRequest,
  HashingSchemeVersion,
  PartySignatures,
  PrepareSubmissionRequest,
  type PrepareSubmissionResponse,
  SinglePartySignatures,
  UnimplementedInteractiveSubmissionServiceService,
} from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import type { Micros } from '../core/ids.js';
import type { Priced, SignedSubmission, Transfer } from '../core/transfer.js';
import { type CallOptions, type Read, type SendOptions, UNHASHABLE } from '../ports/ledger.js';
import type { Outcome } from '../protocol/outcome.js';
import { blameRegistry, outcomeOf } from './answer.js';
import { type Called, readFailure, unary, unreadable, type Wire } from './call.js';
import { classifyPrepare } from './classify.js';
import { errorTable } from './error-table.js';
import type { Scheme, SchemeMemory } from './scheme.js';
import type { LedgerSettings } from './settings.js';
import type { LedgerStatus } from './status.js';
import { transferCommand } from './transfer-command.js';
import { timestampOfMicros } from './values.js';

/**
 * Neither of the other execute calls may ever be used: the plain one only acknowledges, and the ForTransaction form
 * looks up the transaction after the commit and can fail there.
 */
const { PrepareSubmission, ExecuteSubmissionAndWait } =
  UnimplementedInteractiveSubmissionServiceService.definition;

const HASH_BYTES = 32;

/**
 * Interprets the transfer and changes nothing, so whatever goes wrong, nothing of the row is under way. Asks for V3
 * if it may be available, and for V2 at once if V3 is refused.
 */
export async function prepare(
  wire: Wire,
  settings: LedgerSettings,
  schemes: SchemeMemory,
  transfer: Transfer,
  maxRecordTime: Micros,
  options: CallOptions,
): Promise<Read<Priced>> {
  const prepareBy = (scheme: Scheme, estimate: boolean) =>
    unary(wire, PrepareSubmission, prepareRequest(transfer, maxRecordTime, settings, scheme, estimate), {
      ...options,
      about: transfer.commandId,
    });
  // The estimate is not worth losing a row for: if it may be the cause of the failure, ask again without it.
  const ask = async (scheme: Scheme): Promise<Called<PrepareSubmissionResponse>> => {
    const called = await prepareBy(scheme, true);
    return called.kind === 'status' && mayBeOfTheEstimate(called.status) ? prepareBy(scheme, false) : called;
  };
  const first = schemes.ask();
  const called = await ask(first);
  // A synchronizer that has accepted V3 does not go back, so the refusal is about the transfer; and a lying
  // participant must not get a signature that leaves the bound out.
  if (called.kind !== 'status' || schemes.inForce() === 3 || first === 2 || !mayBeOfScheme(called.status))
    return answerOf(called, first, schemes, transfer);
  return answerOf(await ask(2), 2, schemes, transfer);
}

function answerOf(
  called: Called<PrepareSubmissionResponse>,
  askedScheme: Scheme,
  schemes: SchemeMemory,
  { factory }: Transfer,
): Read<Priced> {
  switch (called.kind) {
    case 'answer': {
      const prepared = preparedOf(called.value, askedScheme);
      if (prepared.kind === 'read') schemes.answered(prepared.value.scheme);
      return prepared;
    }
    case 'not-called':
      return readFailure(called);
    case 'status': {
      const refusal = blameRegistry(classifyPrepare(called.status), factory);
      const errorId = CANNOT_HASH.test(called.status.message) ? UNHASHABLE : refusal.errorId;
      return { kind: 'failed-read', refusal: { ...refusal, errorId }, pruned: false };
    }
  }
}

/** Canton's `NodeHashingError`, which has no error id of its own. */
const CANNOT_HASH = /cannot hash node/i;

/** What a participant may answer if its synchronizer does not know the scheme. */
const SCHEME_REFUSALS: ReadonlySet<string | null> = new Set([
  'FAILED_TO_PREPARE_TRANSACTION',
  'INVALID_ARGUMENT',
  'INVALID_FIELD',
  'MISSING_FIELD',
]);

const mayBeOfScheme = ({ errorId, code }: LedgerStatus): boolean =>
  SCHEME_REFUSALS.has(errorId) || (errorId === null && code === 'INVALID_ARGUMENT');

/** V2 does not sign `max_record_time`, so it is checked separately before signing. */
export function prepareRequest(
  transfer: Transfer,
  maxRecordTime: Micros,
  settings: LedgerSettings,
  scheme: Scheme,
  estimate = true,
): PrepareSubmissionRequest {
  return new PrepareSubmissionRequest({
    userId: settings.userId,
    commandId: transfer.commandId,
    actAs: [transfer.sender],
    synchronizerId: settings.synchronizerId,
    maxRecordTime: timestampOfMicros(maxRecordTime),
    hashingSchemeVersion:
      scheme === 3
        ? HashingSchemeVersion.HASHING_SCHEME_VERSION_V3
        : HashingSchemeVersion.HASHING_SCHEME_VERSION_V2,
    // Where traffic accounts are enforced, this is also what refuses before anything is signed.
    estimateTrafficCost: new CostEstimationHints(
      estimate
        ? { expectedSignatures: [SigningAlgorithmSpec.SIGNING_ALGORITHM_SPEC_EC_DSA_SHA_256] }
        : { disabled: true },
    ),
    ...transferCommand(transfer, settings),
  });
}

function preparedOf(response: PrepareSubmissionResponse, askedScheme: Scheme): Read<Priced> {
  const { preparedTransaction, preparedTransactionHash, hashingSchemeVersion } = response;
  if (preparedTransaction.length === 0) return unreadable('a preparation without a transaction');
  if (preparedTransactionHash.length !== HASH_BYTES) {
    return unreadable(`a preparation with a hash of ${preparedTransactionHash.length} bytes`);
  }
  if (hashingSchemeVersion === HashingSchemeVersion.HASHING_SCHEME_VERSION_UNSPECIFIED) {
    return unreadable('a preparation without its hashing scheme');
  }
  return {
    kind: 'read',
    value: {
      transaction: preparedTransaction,
      hash: preparedTransactionHash,
      scheme: hashingSchemeVersion,
      estimatedTraffic: estimateOf(response),
      askedScheme,
    },
  };
}

/** From 3.5 on. */
function estimateOf({ costEstimation }: PrepareSubmissionResponse): bigint | null {
  const text = costEstimation?.totalTrafficCostEstimation ?? '';
  return /^\d{1,20}$/.test(text) ? BigInt(text) : null;
}

/**
 * Errors that may come from the estimate: internal ones that the participant redacted, those of traffic accounts,
 * "failed to prepare", and ids we do not know.
 */
const mayBeOfTheEstimate = ({ errorId, code, details, message }: LedgerStatus): boolean =>
  errorId === null
    ? details === 'request-info' && code === 'INTERNAL'
    : (OF_THE_ESTIMATE.has(errorId) && !OF_THE_HASH.test(message)) || !errorTable.has(errorId);
/** Canton's `UnsupportedHashingSchemeVersion` and `NodeHashingError`, which do not depend on the estimate. */
const OF_THE_HASH = /hashing scheme|cannot hash node/i;
const OF_THE_ESTIMATE = new Set([
  'FAILED_TO_PREPARE_TRANSACTION',
  'TRAFFIC_TRANSIENT_FAILURE',
  'TRAFFIC_FATAL_FAILURE',
]);

/**
 * The one call that sends. `UNIMPLEMENTED` is the tricky answer. A participant before 3.4.4 lacks this method and
 * says so without having done anything. But a bare `UNIMPLEMENTED` may also come from something in between (a
 * gateway's 404 looks like this, and the gateway may have passed an earlier copy to another node), and one redacted
 * by Canton (RequestInfo alone, category 14) may come from within a submission under way. So both are `unknown`: the
 * row waits for its bound and parks when its attempts are used up. That costs minutes where "certain" could cost a
 * second payment. Only an error id that the table lists as certain ends it at once, as everywhere.
 */
export async function execute(
  wire: Wire,
  settings: LedgerSettings,
  submission: SignedSubmission,
  options: SendOptions,
): Promise<Outcome> {
  // No await here: whatever waits for the answer would keep the request, which is encoded by then.
  return unary(wire, ExecuteSubmissionAndWait, executeRequest(submission, settings), {
    ...options,
    onlyWhenReady: true,
    about: submission.submissionId,
  }).then(outcomeOf);
}

/** Without a deduplication period the participant uses its longest one. No minimum ledger time. */
export function executeRequest(
  { prepared, submissionId, party, signature }: SignedSubmission,
  settings: LedgerSettings,
): ExecuteSubmissionAndWaitRequest {
  const signatures = [
    new Signature({
      format: SignatureFormat.SIGNATURE_FORMAT_DER,
      signature: signature.der,
      signedBy: signature.fingerprint,
      signingAlgorithmSpec: SigningAlgorithmSpec.SIGNING_ALGORITHM_SPEC_EC_DSA_SHA_256,
    }),
  ];
  return new ExecuteSubmissionAndWaitRequest({
    preparedTransaction: prepared.transaction,
    partySignatures: new PartySignatures({ signatures: [new SinglePartySignatures({ party, signatures })] }),
    submissionId,
    userId: settings.userId,
    hashingSchemeVersion: prepared.scheme,
  });
}
