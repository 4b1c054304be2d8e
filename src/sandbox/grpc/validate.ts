// Field validation of Commands: what the ledger refuses before it looks at any contract.
import type { Commands } from '#proto/com/daml/ledger/api/v2/commands.js';
import type { Duration } from '#proto/google/protobuf/duration.js';
import type { Timestamp } from '#proto/google/protobuf/timestamp.js';
import type { Micros } from '../clock.js';
import type { TransferChoice } from '../daml/transfer.js';
import { type CallRefused, refuse } from '../errors.js';
import type { DedupPeriod } from '../model/dedup.js';
import type { CommandSubmission } from '../model/submission.js';
import { contractIdOfBlob } from './blob.js';
import { check, invalid, ledgerString, missing, partyString, synchronizerString } from './fields.js';

const userString = /^[A-Za-z0-9!#$%&'*+\-./:;=?@^_`{|}~]{1,128}$/;

/** The choices of a request. A refusal is held back until the fields before the commands have been checked. */
export interface ReadCommands {
  readonly choices: readonly TransferChoice[];
  readonly refusal?: CallRefused;
}

export interface Surroundings {
  readonly synchronizerId: string;
  /** As prepared transactions name it. */
  readonly signedSynchronizerId: string;
  readonly now: Micros;
  /** Whom the token is for; replaces an absent user id. */
  readonly tokenUser: string | undefined;
  readonly newId: () => string;
}

export function validateCommands(
  commands: Commands | undefined,
  read: ReadCommands,
  around: Surroundings,
): CommandSubmission {
  if (!commands) return missing('commands');
  const userId = userOf(commands, around);
  check('command_id', commands.commandId || missing('command_id'), ledgerString);
  if (commands.submissionId) check('submission_id', commands.submissionId, ledgerString);
  if (commands.workflowId) check('workflow_id', commands.workflowId, ledgerString);
  if (commands.actAs.length === 0) missing('party or act_as');
  for (const party of [...commands.actAs, ...commands.readAs]) check('act_as', party, partyString);
  if (commands.commands.length === 0) missing('commands');
  if (read.refusal) throw read.refusal;
  const notBefore = minLedgerTime(commands, around.now);
  const submission: CommandSubmission = {
    kind: 'commands',
    userId,
    commandId: commands.commandId,
    submissionId: commands.submissionId || around.newId(),
    workflowId: commands.workflowId,
    actAs: [...new Set(commands.actAs)].sort(),
    readAs: commands.readAs,
    choices: read.choices,
    disclosed: disclosures(commands, around.synchronizerId),
    dedup: dedupPeriod(commands),
    ...(notBefore === undefined ? {} : { notBefore }),
  };
  if (commands.synchronizerId) requireSynchronizer(commands.synchronizerId, around.synchronizerId);
  return submission;
}

export function userOf(request: { readonly userId: string }, around: Surroundings): string {
  const userId = request.userId || around.tokenUser || missing('user_id');
  check('user_id', userId, userString);
  if (around.tokenUser !== undefined && userId !== around.tokenUser) {
    refuse('PERMISSION_DENIED', `user ${userId} is not the token's`);
  }
  return userId;
}

/** Validated as a field first: a physical id, `…::35-0`, or one without its namespace, is invalid. */
export function requireSynchronizer(prescribed: string, connected: string): void {
  check('synchronizer_id', prescribed, synchronizerString);
  requireConnected(prescribed, connected);
}

export function requireConnected(prescribed: string, connected: string): void {
  if (prescribed === connected) return;
  refuse('INVALID_PRESCRIBED_SYNCHRONIZER_ID', `Not connected to the prescribed synchronizer ${prescribed}`, {
    resources: [['SYNCHRONIZER_ID', prescribed]],
  });
}

function disclosures(commands: Commands, synchronizerId: string): ReadonlySet<string> {
  return new Set(
    commands.disclosedContracts.map((disclosed) => {
      if (disclosed.createdEventBlob.length === 0) missing('DisclosedContract.createdEventBlob');
      const contractId = contractIdOfBlob(disclosed.createdEventBlob);
      if (contractId === undefined) {
        return refuse('INVALID_DISCLOSED_CONTRACT', 'Unable to decode disclosed contract event payload');
      }
      if (disclosed.contractId && disclosed.contractId !== contractId) {
        refuse(
          'INVALID_DISCLOSED_CONTRACT',
          `Mismatch between ${disclosed.contractId} and the event payload's ${contractId}`,
        );
      }
      if (disclosed.synchronizerId) {
        check('DisclosedContract.synchronizer_id', disclosed.synchronizerId, synchronizerString);
      }
      if (disclosed.synchronizerId && disclosed.synchronizerId !== synchronizerId) {
        refuse(
          'DISCLOSED_CONTRACTS_SYNCHRONIZER_ID_MISMATCH',
          `Disclosed contract ${contractId} is on ${disclosed.synchronizerId}`,
        );
      }
      return contractId;
    }),
  );
}

/** For commands, and for executing a prepared transaction. */
interface WithDedupPeriod {
  readonly deduplicationPeriod: 'none' | 'deduplicationDuration' | 'deduplicationOffset';
  readonly deduplicationDuration: Duration | undefined;
  readonly deduplicationOffset: string;
}

export function dedupPeriod(commands: WithDedupPeriod): DedupPeriod {
  if (commands.deduplicationPeriod === 'deduplicationDuration') {
    const micros = durationMicros(commands.deduplicationDuration);
    if (micros < 0) invalid('deduplication_period', 'Duration must be positive');
    return { kind: 'duration', micros };
  }
  if (commands.deduplicationPeriod === 'deduplicationOffset') {
    const offset = Number(commands.deduplicationOffset);
    if (offset < 0)
      refuse('NEGATIVE_OFFSET', `Offset ${offset} in deduplication_period is a negative integer`);
    return { kind: 'offset', offset };
  }
  return { kind: 'maximum' };
}

/** Two fields in Commands, a oneof in the interactive requests. */
interface WithMinLedgerTime {
  readonly minLedgerTimeAbs?: Timestamp | undefined;
  readonly minLedgerTimeRel?: Duration | undefined;
}

export function minLedgerTime(commands: WithMinLedgerTime, now: Micros): Micros | undefined {
  const { minLedgerTimeAbs: absolute, minLedgerTimeRel: relative } = commands;
  if (absolute && relative)
    refuse('INVALID_ARGUMENT', 'min_ledger_time_abs cannot be specified when min_ledger_time_rel is');
  if (absolute) return timestampMicros(absolute);
  return relative ? now + durationMicros(relative) : undefined;
}

export function timestampMicros(timestamp: Timestamp): Micros {
  return timestamp.seconds * 1_000_000 + Math.floor(timestamp.nanos / 1000);
}

function durationMicros(duration: Duration | undefined): number {
  return duration ? duration.seconds * 1_000_000 + Math.floor(duration.nanos / 1000) : 0;
}
