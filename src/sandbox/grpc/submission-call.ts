// One call that submits: from its arrival, through what the network and faults do to it, to its answer.
import type { Commands } from '#proto/com/daml/ledger/api/v2/commands.js';
import type { AuditEntry, AuditTransfer } from '../audit.js';
import { wallMs } from '../clock.js';
import type { TransferChoice } from '../daml/transfer.js';
import type { FaultAction } from '../fault-schema.js';
import { type Answer, answerOf, find, ledgerError } from '../faults.js';
import type { Host } from '../host.js';
import { formatDecimal } from '../model/decimal.js';
import { duplicateCommand } from '../model/dedup.js';
import { acceptForeign } from '../model/others.js';
import type { Participant } from '../model/participant.js';
import { changeId } from '../model/records.js';
import type { Decision, Disturbance, Submission } from '../model/submission.js';
import { unauthenticated } from './gate.js';
import { type ReadCommands, readCommands } from './read-commands.js';
import { type Caller, Reply } from './reply.js';
import { validate } from './validate.js';

interface Request {
  readonly commands: Commands | undefined;
  readonly read: ReadCommands;
}

export function receiveSubmission(
  host: Host,
  method: string,
  commands: Commands | undefined,
  caller: Caller,
): void {
  const request: Request = { commands, read: readCommands(commands) };
  const common = auditFields(host, method, request, caller);
  const entry = host.audit.record({ ...common, delivery: 1 });
  const actions = host.faults.take({
    method,
    submits: true,
    parties: common.actAs,
    userId: common.userId,
    commandId: common.commandId,
    receivers: common.transfer ? [common.transfer.receiver] : [],
  });
  const reply = new Reply(host, entry, caller, actions);
  const refusal = refusalOf(host, caller, actions);
  if (refusal) reply.refused(refusal);
  else travel(host, request, entry, actions, reply);
}

function refusalOf(host: Host, caller: Caller, actions: readonly FaultAction[]): Answer | undefined {
  const refuse = find(actions, 'refuse');
  if (refuse) return answerOf(refuse.with);
  const error = unauthenticated(host, caller.metadata);
  return error && { kind: 'canton', error };
}

/** Between the sandbox's port and the participant lies a network, which may lose, hold up and double a request. */
function travel(
  host: Host,
  request: Request,
  entry: AuditEntry,
  actions: readonly FaultAction[],
  reply: Reply,
): void {
  const hang = find(actions, 'hang');
  if (hang) reply.mute();
  if (hang && hang.deliverAfterMs === undefined) {
    entry.outcome = { kind: 'dropped', answered: false };
    host.audit.changed();
    return;
  }
  const delayMs =
    (hang?.deliverAfterMs ?? 0) + (find(actions, 'deliverLate')?.ms ?? 0) + (find(actions, 'slow')?.ms ?? 0);
  host.timers.after(delayMs, () => {
    deliver(host, request, entry, actions, reply);
    const twice = find(actions, 'deliverTwice');
    if (!twice) return;
    host.timers.after(twice.afterMs ?? 0, () => {
      const again = host.audit.record({ ...entry, delivery: 2 });
      deliver(host, request, again, [], new Reply(host, again, undefined, []));
    });
  });
}

/** The request is at the participant, whatever became of its caller. */
function deliver(
  host: Host,
  request: Request,
  entry: AuditEntry,
  actions: readonly FaultAction[],
  reply: Reply,
): void {
  entry.deliveredAt = wallMs();
  const participant = host.named(entry.participantId);
  try {
    const submission = validate(request.commands, request.read, {
      synchronizerId: participant.settings.synchronizerId,
      now: participant.clock.participant(),
      tokenUser: host.token === null ? undefined : host.settings.userId,
      newId: () => participant.submissionId(),
    });
    const foreign = find(actions, 'foreignAcceptance');
    if (foreign) acceptForeign(participant, submission, foreign.transfer);
    const phantom = find(actions, 'phantomDuplicate');
    if (phantom) {
      reply.decided(phantomDuplicate(participant, submission, phantom.completionOffset), participant);
      return;
    }
    reply.track();
    participant.submit(submission, disturbanceOf(actions), (decision) =>
      reply.decided(decision, participant),
    );
    host.audit.delivered(participant.path.maxInFlightPerParty);
  } catch (thrown) {
    reply.thrown(thrown);
  }
}

function disturbanceOf(actions: readonly FaultAction[]): Disturbance {
  const reject = find(actions, 'reject');
  const sequenceLate = find(actions, 'sequenceLate');
  const decideLate = find(actions, 'decideLate');
  return {
    ...(reject ? { rejectWith: ledgerError(reject.with) } : {}),
    ...(sequenceLate ? { sequenceLateMs: sequenceLate.ms } : {}),
    ...(decideLate ? { decideLateMs: decideLate.ms } : {}),
  };
}

function phantomDuplicate(
  participant: Participant,
  submission: Submission,
  completionOffset: number | 'absent' | undefined,
): Decision {
  const told = completionOffset ?? participant.state.end;
  const error = duplicateCommand(changeId(submission), told === 'absent' ? {} : { offset: told });
  const recordTime = participant.unsequenced();
  const { userId, actAs, commandId, submissionId } = submission;
  const completion = {
    userId,
    actAs,
    commandId,
    submissionId,
    dedupOffset: 0,
    result: { accepted: false, error },
  } as const;
  return { kind: 'rejected', error, offset: participant.publish(recordTime, completion), recordTime };
}

function auditFields(host: Host, method: string, { commands, read }: Request, caller: Caller) {
  const [choice] = read.choices;
  return {
    method,
    participantId: host.participant.settings.participantId,
    commandId: commands?.commandId ?? '',
    submissionId: commands?.submissionId ?? '',
    userId: commands?.userId ?? '',
    actAs: commands?.actAs ?? [],
    peer: caller.peer,
    ...(choice ? { transfer: auditTransfer(choice) } : {}),
  };
}

function auditTransfer({ transfer }: TransferChoice): AuditTransfer {
  return {
    sender: transfer.sender,
    receiver: transfer.receiver,
    instrumentAdmin: transfer.instrumentId.admin,
    instrumentId: transfer.instrumentId.id,
    amount: formatDecimal(transfer.amount),
    requestedAt: transfer.requestedAt,
    executeBefore: transfer.executeBefore,
    inputs: transfer.inputHoldingCids,
  };
}
