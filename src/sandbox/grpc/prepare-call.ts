// PrepareSubmission: interprets against the contracts as they are, deduplicates nothing, and returns what is to be
// signed. Nothing of it is kept: whoever has the bytes may execute them.
import { PreparedTransaction } from '@canton-network/core-ledger-proto';
import { Commands } from '#proto/com/daml/ledger/api/v2/commands.js';
import {
  CostEstimation,
  HashingSchemeVersion,
  type PrepareSubmissionRequest,
  PrepareSubmissionResponse,
} from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import { refuse } from '../errors.js';
import { signedSynchronizer } from '../generation.js';
import type { Host } from '../host.js';
import { requireTraffic, trafficCost } from '../model/conditions.js';
import { interpret } from '../model/interpret.js';
import type { Participant } from '../model/participant.js';
import type { Contract } from '../model/records.js';
import type { CommandSubmission } from '../model/submission.js';
import { type Draft, encodePrepared } from '../prepared/encode.js';
import { hashOf } from '../prepared/hash.js';
import { type Tampering, tamperCommands, tamperDraft } from '../prepared/tamper.js';
import { timestampOf } from './encode-events.js';
import { readCommands } from './read-commands.js';
import { surroundings } from './submission-call.js';
import { timestampMicros, validateCommands } from './validate.js';

/** The same fields under the same names, but for the time. */
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

export async function prepare(
  host: Host,
  request: PrepareSubmissionRequest,
  participant: Participant,
  tampering: Tampering | undefined,
): Promise<PrepareSubmissionResponse> {
  if (host.settings.generation.asksForScheme) requireScheme(request);
  const commands = commandsOf(request);
  const submission = validateCommands(commands, readCommands(commands), surroundings(host, participant));
  if (submission.choices.length > 1) cannotPrepare('Preparing multiple commands is currently not supported');
  if (submission.actAs.length > 1) cannotPrepare('Preparing for multiple parties is currently not supported');
  const asked = draftOf(tamperCommands(submission, tampering, participant), participant, request);
  const draft = tamperDraft(asked, tampering, participant);
  const transaction = encodePrepared(draft);
  const preparedTransaction = PreparedTransaction.toBinary(transaction);
  const hash = Buffer.from(await hashOf(transaction, preparedTransaction), 'hex');
  if (tampering === 'hash') hash.writeUInt8(hash.readUInt8(0) ^ 1, 0);
  const estimates = host.settings.generation.costEstimation && request.estimateTrafficCost?.disabled !== true;
  if (estimates) requireTraffic(participant.state.conditions, submission.actAs, trafficCost(draft));
  return new PrepareSubmissionResponse({
    preparedTransaction,
    preparedTransactionHash: hash,
    hashingSchemeVersion: HashingSchemeVersion.HASHING_SCHEME_VERSION_V2,
    ...(request.verboseHashing ? { hashingDetails: 'Verbose hashing is disabled on this participant.' } : {}),
    ...(estimates ? { costEstimation: costOf(draft) } : {}),
  });
}

/** The request is paid for by who submits, the answers of the confirmers come on top. */
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

function requireScheme(request: PrepareSubmissionRequest): void {
  if (!request.hasHashingSchemeVersion) return;
  const asked = request.hashingSchemeVersion;
  if (asked === HashingSchemeVersion.HASHING_SCHEME_VERSION_V2) return;
  cannotPrepare(`Hashing scheme version V${asked} is not supported on this synchronizer, V2 is`);
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
