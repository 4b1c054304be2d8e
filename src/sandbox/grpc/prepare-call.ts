// PrepareSubmission: interprets against the current contracts, deduplicates nothing, and returns what is to be
// signed. Keeps nothing: whoever has the bytes may execute them.
import { Commands } from '#proto/com/daml/ledger/api/v2/commands.js';
import {
  CostEstimation,
  HashingSchemeVersion,
  type PrepareSubmissionRequest,
  PrepareSubmissionResponse,
} from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import { type HashingScheme, preparedHash, UnhashableError } from '../../transfer/prepared-hash.js';
import { refuse } from '../errors.js';
import type { FaultAction } from '../fault-schema.js';
import { find } from '../faults.js';
import { type Generation, signedSynchronizer } from '../generation.js';
import type { Host } from '../host.js';
import { requireTraffic, trafficCost } from '../model/conditions.js';
import { interpret } from '../model/interpret.js';
import type { Participant } from '../model/participant.js';
import type { Contract } from '../model/records.js';
import type { CommandSubmission } from '../model/submission.js';
import { type Draft, encodePrepared } from '../prepared/encode.js';
import { tamperCommands, tamperDraft } from '../prepared/tamper.js';
import { timestampOf } from './encode-events.js';
import { readCommands } from './read-commands.js';
import { surroundings } from './submission-call.js';
import { timestampMicros, validateCommands } from './validate.js';

/** The same fields under the same names, except for the time. */
export function commandsOf(request: PrepareSubmissionRequest): Commands {
  const { minLedgerTimeAbs, minLedgerTimeRel } = request.minLedgerTime ?? {};
  return new Commands({
    userId: request.userId,
    commandId: request.commandId,
    commands: request.commands,
    actAs: request.actAs,
    readAs: request.readAs,
    disclosedContracts: request.disclosedContracts,
    synchronizerId: request.synchronizerId,
    ...(minLedgerTimeAbs ? { minLedgerTimeAbs } : {}),
    ...(minLedgerTimeRel ? { minLedgerTimeRel } : {}),
  });
}

export function prepare(
  host: Host,
  request: PrepareSubmissionRequest,
  participant: Participant,
  actions: readonly FaultAction[],
): PrepareSubmissionResponse {
  const tampering = find(actions, 'tamper')?.what;
  const { generation } = host.settings;
  const scheme = schemeOf(request, generation);
  const commands = commandsOf(request);
  const submission = validateCommands(commands, readCommands(commands), surroundings(host, participant));
  if (submission.choices.length > 1) cannotPrepare('Preparing multiple commands is currently not supported');
  if (submission.actAs.length > 1) cannotPrepare('Preparing for multiple parties is currently not supported');
  const asked = draftOf(tamperCommands(submission, tampering, participant), participant, request);
  const draft = {
    ...tamperDraft(asked, tampering, participant),
    keyed: find(actions, 'contractKeys') !== undefined,
  };
  const transaction = encodePrepared(draft);
  const preparedTransaction = transaction.serialize();
  const hash = Buffer.from(hashOf(preparedTransaction, scheme));
  if (tampering === 'hash') hash.writeUInt8(hash.readUInt8(0) ^ 1, 0);
  const estimates = generation.costEstimation && request.estimateTrafficCost?.disabled !== true;
  if (estimates) requireTraffic(participant.state.conditions, submission.actAs, trafficCost(draft));
  return new PrepareSubmissionResponse({
    preparedTransaction,
    preparedTransactionHash: hash,
    hashingSchemeVersion: scheme,
    ...(request.verboseHashing ? { hashingDetails: 'Verbose hashing is disabled on this participant.' } : {}),
    ...(estimates ? { costEstimation: costOf(draft) } : {}),
  });
}

/** The submitter pays for the request; the confirmers' answers are added. */
function costOf(draft: Draft): CostEstimation {
  const request = trafficCost(draft);
  const response = 600;
  return new CostEstimation({
    estimationTimestamp: timestampOf(draft.preparedAt),
    confirmationRequestTrafficCostEstimation: `${request}`,
    confirmationResponseTrafficCostEstimation: `${response}`,
    totalTrafficCostEstimation: `${request + response}`,
  });
}

const { HASHING_SCHEME_VERSION_V2: V2, HASHING_SCHEME_VERSION_V3: V3 } = HashingSchemeVersion;

/** V2 if none is asked for, or if this version does not know the field. */
function schemeOf(request: PrepareSubmissionRequest, generation: Generation): HashingScheme {
  if (!generation.asksForScheme || !request.hasHashingSchemeVersion) return V2;
  const asked = request.hashingSchemeVersion;
  if (asked === V2 || (asked === V3 && generation.hashesV3)) return asked;
  return cannotPrepare(`Hashing scheme version V${asked} is not supported on this synchronizer`);
}

function hashOf(transaction: Uint8Array, scheme: HashingScheme): Uint8Array {
  try {
    return preparedHash(transaction, scheme);
  } catch (cause) {
    if (cause instanceof UnhashableError) return cannotPrepare(`Cannot hash node: ${cause.message}`);
    throw cause;
  }
}

function draftOf(
  submission: CommandSubmission,
  participant: Participant,
  request: PrepareSubmissionRequest,
): Draft {
  const { state, clock, settings } = participant;
  const preparedAt = clock.participant();
  const transaction = interpret(submission, state, preparedAt, () => participant.localContractId());
  const { maxRecordTime } = request;
  return {
    actAs: submission.actAs,
    commandId: submission.commandId,
    synchronizerId: signedSynchronizer(settings.synchronizerId, settings.generation),
    uuid: participant.transactionUuid(),
    preparedAt,
    bounds: transaction.bounds,
    nodes: transaction.nodes,
    contracts: contractsOf([...transaction.inputs, ...transaction.reads], participant),
    leavesOutNones: settings.generation.leavesOutTrailingNones,
    ...(maxRecordTime ? { maxRecordTime: timestampMicros(maxRecordTime) } : {}),
  };
}

function contractsOf(ids: readonly string[], { state }: Participant): Map<string, Contract> {
  return new Map(
    ids.flatMap((id) => {
      const contract = state.contracts.get(id);
      return contract ? [[id, contract] as const] : [];
    }),
  );
}

function cannotPrepare(problem: string): never {
  return refuse(
    'FAILED_TO_PREPARE_TRANSACTION',
    `The participant failed to prepare the transaction: ${problem}`,
  );
}
