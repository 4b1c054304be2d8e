// The execution of a prepared transaction, as the one path of submissions takes it.
import {
  type ExecuteSubmissionAndWaitRequest,
  type ExecuteSubmissionRequest,
  HashingSchemeVersion,
  type PartySignatures as WireSignatures,
} from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import { Refusal } from '../errors.js';
import { cannotExecute } from '../model/admit.js';
import type { PartySignatures, SignedSubmission } from '../model/submission.js';
import { type DecodedTransaction, decodePrepared } from '../prepared/decode.js';
import { check, ledgerString, missing } from './fields.js';
import type { Incoming } from './submission-call.js';
import { dedupPeriod, minLedgerTime, requireConnected, type Surroundings, userOf } from './validate.js';

export type ExecuteRequest = ExecuteSubmissionRequest | ExecuteSubmissionAndWaitRequest;

/** Command and acting party are the signed ones, user and submission id the caller's. */
export async function readExecute(method: string, request: ExecuteRequest): Promise<Incoming> {
  const decoded = await decode(request.preparedTransaction);
  const common = { method, submissionId: request.submissionId, userId: request.userId };
  if (decoded instanceof Refusal) {
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
    validate: (around) => ({ ...validateExecute(request, decoded, around), choices }),
  };
}

/** A refusal is kept until the fields have been checked. */
async function decode(bytes: Uint8Array): Promise<DecodedTransaction | Refusal> {
  try {
    return await decodePrepared(bytes);
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown;
    throw thrown;
  }
}

function validateExecute(
  request: ExecuteRequest,
  { actAs, commandId, prepared }: DecodedTransaction,
  around: Surroundings,
): Omit<SignedSubmission, 'choices'> {
  const userId = userOf(request, around);
  if (request.submissionId) check('submission_id', request.submissionId, ledgerString);
  const signatures = readSignatures(request.partySignatures ?? missing('party_signatures'));
  const scheme = request.hashingSchemeVersion;
  if (scheme === HashingSchemeVersion.HASHING_SCHEME_VERSION_UNSPECIFIED) missing('hashing_scheme_version');
  if (scheme !== HashingSchemeVersion.HASHING_SCHEME_VERSION_V2) {
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
