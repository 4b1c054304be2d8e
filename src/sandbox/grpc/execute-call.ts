// Executing a prepared transaction, on the same path as all submissions.
import {
  ExecuteSubmissionAndWaitRequest,
  type ExecuteSubmissionRequest,
  HashingSchemeVersion,
  type PartySignatures as WireSignatures,
} from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import { PreparedTransaction } from '#proto/com/daml/ledger/api/v2/interactive/prepared_transaction.js';
import { CallRefused } from '../errors.js';
import type { Generation } from '../generation.js';
import { cannotExecute } from '../model/admit.js';
import type { PartySignatures, SignedSubmission } from '../model/submission.js';
import { type DecodedTransaction, decodePrepared } from '../prepared/decode.js';
import { check, ledgerString, missing } from './fields.js';
import type { Incoming } from './submission-call.js';
import { dedupPeriod, minLedgerTime, requireConnected, type Surroundings, userOf } from './validate.js';

export type ExecuteRequest = ExecuteSubmissionRequest | ExecuteSubmissionAndWaitRequest;

/** Command and acting party are the signed ones, user and submission id the caller's. */
export function readExecute(method: string, request: ExecuteRequest, generation: Generation): Incoming {
  const decoded = decode(request);
  const common = { method, submissionId: request.submissionId, userId: request.userId };
  if (decoded instanceof CallRefused) {
    const validate = (): never => {
      throw decoded;
    };
    return { ...common, commandId: '', actAs: [], choices: [], validate };
  }
  const { actAs, commandId, prepared } = decoded;
  const { hash, uuid, maxRecordTime, nodes } = prepared;
  const choices = nodes.flatMap((node) => (node.kind === 'exercise' ? [node.choice] : []));
  return {
    ...common,
    commandId,
    actAs,
    choices,
    signed: {
      hash,
      transactionUuid: uuid,
      ...(maxRecordTime === undefined ? {} : { maxRecordTime }),
    },
    validate: (around) => ({ ...validateExecute(request, decoded, around, generation), choices }),
    extended: () => readExecute(method, withLaterBound(request), generation),
  };
}

const { HASHING_SCHEME_VERSION_V2: V2, HASHING_SCHEME_VERSION_V3: V3 } = HashingSchemeVersion;
const HOUR = 3_600_000_000n;

/** The same signatures under another bound. */
function withLaterBound(request: ExecuteRequest): ExecuteRequest {
  const transaction = PreparedTransaction.deserialize(request.preparedTransaction);
  const { metadata } = transaction;
  if (metadata) metadata.maxRecordTime = `${BigInt(metadata.maxRecordTime) + HOUR}`;
  const changed = ExecuteSubmissionAndWaitRequest.deserialize(request.serialize());
  changed.preparedTransaction = transaction.serialize();
  return changed;
}

/** A refusal is held back until the fields have been checked. */
function decode({
  preparedTransaction,
  hashingSchemeVersion,
}: ExecuteRequest): DecodedTransaction | CallRefused {
  try {
    return decodePrepared(preparedTransaction, hashingSchemeVersion === V3 ? V3 : V2);
  } catch (thrown) {
    if (thrown instanceof CallRefused) return thrown;
    throw thrown;
  }
}

function validateExecute(
  request: ExecuteRequest,
  { actAs, commandId, prepared }: DecodedTransaction,
  around: Surroundings,
  { hashesV3 }: Generation,
): Omit<SignedSubmission, 'choices'> {
  const userId = userOf(request, around);
  if (request.submissionId) check('submission_id', request.submissionId, ledgerString);
  const signatures = readSignatures(request.partySignatures ?? missing('party_signatures'));
  const scheme = request.hashingSchemeVersion;
  if (scheme === HashingSchemeVersion.HASHING_SCHEME_VERSION_UNSPECIFIED) missing('hashing_scheme_version');
  if (scheme !== V2 && !(scheme === V3 && hashesV3)) {
    cannotExecute(`Hashing scheme version V${scheme} is not supported on this synchronizer`);
  }
  requireConnected(prepared.synchronizerId, around.signedSynchronizerId);
  const notBefore = minLedgerTime(request.minLedgerTime ?? {}, around.now);
  return {
    kind: 'signed',
    userId,
    commandId,
    submissionId: request.submissionId || around.newId(),
    workflowId: '',
    actAs: [...new Set(actAs)].sort(),
    dedup: dedupPeriod(request),
    prepared,
    signatures,
    ...(notBefore === undefined ? {} : { notBefore }),
  };
}

function readSignatures({ signatures }: WireSignatures): PartySignatures[] {
  return signatures.map((single) => ({
    party: single.party || missing('party'),
    signatures: single.signatures.map((one) => ({
      format: one.format,
      algorithm: one.signingAlgorithmSpec,
      signedBy: one.signedBy,
      bytes: one.signature,
    })),
  }));
}
