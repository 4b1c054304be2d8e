// An external party's transfer: the participant prepares it, it is signed elsewhere, then executed, once.
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
import type { Outcome } from '../core/outcome.js';
import type { CallOptions, Read, SendOptions } from '../core/ports.js';
import type { Priced, SignedSubmission, Transfer } from '../core/transfer.js';
import { readFailure, unary, unreadable, type Wire } from './call.js';
import { classifyPrepare } from './classify.js';
import { errorTable } from './error-table.js';
import type { LedgerStatus } from './errors.js';
import { transferCommand } from './exercise.js';
import { blameRegistry, outcomeOf } from './outcome.js';
import type { LedgerSettings } from './settings.js';
import { timestampOfMicros } from './values.js';

/**
 * Of the forms that execute, the plain one only acknowledges, and the ForTransaction one looks the transaction up
 * after the commit and can fail there: neither must ever be used.
 */
const { PrepareSubmission, ExecuteSubmissionAndWait } =
  UnimplementedInteractiveSubmissionServiceService.definition;

const HASH_BYTES = 32;

/** Interprets, and changes nothing: whatever goes wrong, nothing of the row is under way. */
export async function prepare(
  wire: Wire,
  settings: LedgerSettings,
  transfer: Transfer,
  maxRecordTime: Micros,
  options: CallOptions,
): Promise<Read<Priced>> {
  const ask = (estimate: boolean) =>
    unary(wire, PrepareSubmission, prepareRequest(transfer, maxRecordTime, settings, estimate), options);
  const asked = await ask(true);
  // The estimate is worth no row: where it may be what failed, the same is asked for without.
  const called = asked.kind === 'status' && mayBeOfTheEstimate(asked.status) ? await ask(false) : asked;
  if (called.kind === 'answer') return preparedOf(called.value);
  if (called.kind === 'not-called') return readFailure(called);
  const refusal = blameRegistry(classifyPrepare(called.status), transfer.factory);
  return { kind: 'failed-read', refusal, pruned: false };
}

/**
 * Of the schemes we ask for V2, the one whose hash can be recomputed here. It leaves `max_record_time` out of what is
 * signed, which is why that is looked at by itself before signing.
 */
export function prepareRequest(
  transfer: Transfer,
  maxRecordTime: Micros,
  settings: LedgerSettings,
  estimate = true,
): PrepareSubmissionRequest {
  return new PrepareSubmissionRequest({
    userId: settings.userId,
    commandId: transfer.commandId,
    actAs: [transfer.sender],
    synchronizerId: settings.synchronizerId,
    maxRecordTime: timestampOfMicros(maxRecordTime),
    hashingSchemeVersion: HashingSchemeVersion.HASHING_SCHEME_VERSION_V2,
    // Where accounts of traffic are enforced it is also what refuses here, before anything is signed.
    estimateTrafficCost: new CostEstimationHints(
      estimate
        ? { expectedSignatures: [SigningAlgorithmSpec.SIGNING_ALGORITHM_SPEC_EC_DSA_SHA_256] }
        : { disabled: true },
    ),
    ...transferCommand(transfer, settings),
  });
}

function preparedOf(response: PrepareSubmissionResponse): Read<Priced> {
  const { preparedTransaction, preparedTransactionHash, hashingSchemeVersion } = response;
  if (preparedTransaction.length === 0) return unreadable('a preparation without a transaction');
  if (preparedTransactionHash.length !== HASH_BYTES) {
    return unreadable(`a preparation with a hash of ${preparedTransactionHash.length} bytes`);
  }
  if (hashingSchemeVersion === HashingSchemeVersion.HASHING_SCHEME_VERSION_UNSPECIFIED) {
    return unreadable('a preparation that does not say how it was hashed');
  }
  return {
    kind: 'read',
    value: {
      transaction: preparedTransaction,
      hash: preparedTransactionHash,
      scheme: hashingSchemeVersion,
      estimatedTraffic: estimateOf(response),
    },
  };
}

/** From 3.5 on. */
function estimateOf({ costEstimation }: PrepareSubmissionResponse): bigint | null {
  const text = costEstimation?.totalTrafficCostEstimation ?? '';
  return /^\d{1,20}$/.test(text) ? BigInt(text) : null;
}

/** Words of nothing else that we know: redacted ones of the participant's inside, traffic's own, "failed to prepare". */
const mayBeOfTheEstimate = ({ errorId, code, details }: LedgerStatus): boolean =>
  errorId === null
    ? details === 'request-info' && code === 'INTERNAL'
    : OF_THE_ESTIMATE.has(errorId) || !errorTable.has(errorId);
const OF_THE_ESTIMATE = new Set([
  'FAILED_TO_PREPARE_TRANSACTION',
  'TRAFFIC_TRANSIENT_FAILURE',
  'TRAFFIC_FATAL_FAILURE',
]);

/**
 * The one call that sends. `UNIMPLEMENTED` needs a thought: a participant before 3.4.4 does not have this method, and
 * would say so without having done anything. But bare it may as well come from what stands in between (a gateway's 404
 * reads so, and it may have passed an earlier copy on to another node), and redacted by Canton (RequestInfo alone,
 * category 14) it may come from inside a submission under way. So both are `unknown`: the row waits for its bound and
 * parks when its attempts are used up, which costs minutes where "certain" could cost a second payment. Only an error
 * id that the table knows as certain ends it at once, as everywhere.
 */
export async function execute(
  wire: Wire,
  settings: LedgerSettings,
  submission: SignedSubmission,
  options: SendOptions,
): Promise<Outcome> {
  const request = executeRequest(submission, settings);
  return outcomeOf(await unary(wire, ExecuteSubmissionAndWait, request, { ...options, onlyWhenReady: true }));
}

/** No deduplication period, so that the participant uses its longest, and no minimum ledger time. */
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
