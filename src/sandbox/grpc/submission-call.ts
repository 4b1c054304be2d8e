// One call that submits commands or a signed transaction: from its arrival, through what the network and faults do to
// it, to its answer.
import type { AuditEntry, AuditTransfer } from '../audit.js';
import { wallMs } from '../clock.js';
import type { TransferChoice } from '../daml/transfer.js';
import type { FaultAction } from '../fault-schema.js';
import { type Answer, answerOf, find, ledgerError } from '../faults.js';
import { signedSynchronizer } from '../generation.js';
import type { Host } from '../host.js';
import { formatDecimal } from '../model/decimal.js';
import { duplicateCommand } from '../model/dedup.js';
import { acceptForeign } from '../model/others.js';
import type { Participant } from '../model/participant.js';
import { changeId } from '../model/records.js';
import type { Decision, Disturbance, Submission } from '../model/submission.js';
import { forbidden } from '../rights.js';
import { unauthenticated } from './gate.js';
import { type Caller, Reply } from './reply.js';
import type { Surroundings } from './validate.js';

/** A submission request, read as far as faults and the audit log need it. */
export interface Incoming {
  readonly method: string;
  readonly commandId: string;
  readonly submissionId: string;
  readonly userId: string;
  readonly actAs: readonly string[];
  readonly readAs?: readonly string[];
  /** The first one is reported. */
  readonly choices: readonly TransferChoice[];
  /** If it is a prepared transaction. */
  readonly signed?: Pick<AuditEntry, 'hash' | 'transactionUuid' | 'maxRecordTime'>;
  /** What it asks for, once it has reached its participant; throws a Refusal. */
  validate(around: Surroundings): Submission;
  /** For a prepared transaction: the same with a later bound, for a lying participant. */
  readonly extended?: () => Incoming;
}

export function receiveSubmission(host: Host, incoming: Incoming, caller: Caller, arrivedAt?: number): void {
  const { method, actAs, userId, commandId, choices } = incoming;
  const entry = host.audit.record(auditFields(host, incoming, caller), arrivedAt);
  const actions = host.faults.take({
    method,
    submits: true,
    parties: actAs,
    userId,
    commandId,
    receivers: choices.slice(0, 1).map(({ transfer }) => transfer.receiver),
  });
  const reply = new Reply(host, entry, caller, actions);
  const refusal = refusalOf(host, incoming, caller, actions);
  if (refusal) reply.refused(refusal);
  else travel(host, incoming, entry, actions, reply);
}

function refusalOf(
  host: Host,
  { actAs, readAs = [], signed }: Incoming,
  caller: Caller,
  actions: readonly FaultAction[],
): Answer | undefined {
  const refuse = find(actions, 'refuse');
  if (refuse) return answerOf(refuse.with);
  const error =
    unauthenticated(host, caller.metadata) ??
    forbidden(host.rights, signed ? 'execute' : 'act', actAs) ??
    forbidden(host.rights, 'read', readAs);
  return error && { kind: 'canton', error };
}

/** Between the sandbox's port and the participant is a network, which may lose, delay and duplicate a request. */
function travel(
  host: Host,
  incoming: Incoming,
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
    deliver(host, incoming, entry, actions, reply);
    const twice = find(actions, 'deliverTwice');
    if (!twice) return;
    host.timers.after(twice.afterMs ?? 0, () => {
      const again = host.audit.record({ ...entry, delivery: 2 });
      deliver(host, incoming, again, [], new Reply(host, again, undefined, []));
    });
  });
}

/** The request has reached the participant, whatever has become of its caller. */
function deliver(
  host: Host,
  incoming: Incoming,
  entry: AuditEntry,
  actions: readonly FaultAction[],
  reply: Reply,
): void {
  entry.deliveredAt = wallMs();
  const participant = host.named(entry.participantId);
  try {
    const arrived = (find(actions, 'extendBound') && incoming.extended?.()) || incoming;
    const submission = arrived.validate(surroundings(host, participant));
    const foreign = find(actions, 'foreignAcceptance');
    if (foreign) acceptForeign(participant, submission, foreign.transfer);
    const phantom = find(actions, 'phantomDuplicate');
    if (phantom) {
      reply.decided(phantomDuplicate(participant, submission, phantom.completionOffset), participant);
      return;
    }
    reply.enter();
    reply.track();
    participant.submit(submission, disturbanceOf(actions), (decision) =>
      reply.decided(decision, participant),
    );
    reply.registered();
    host.audit.delivered(participant.path.maxInFlightPerParty);
  } catch (thrown) {
    reply.thrown(thrown);
  }
}

export function surroundings(host: Host, participant: Participant): Surroundings {
  const { synchronizerId, generation } = participant.settings;
  return {
    synchronizerId,
    signedSynchronizerId: signedSynchronizer(synchronizerId, generation),
    now: participant.clock.participant(),
    tokenUser: host.token === null ? undefined : host.settings.userId,
    newId: () => participant.submissionId(),
  };
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

function auditFields(host: Host, incoming: Incoming, caller: Caller) {
  const { method, commandId, submissionId, userId, actAs, choices, signed } = incoming;
  const [choice] = choices;
  const [traceparent] = caller.metadata.get('traceparent');
  const [maxRetries] = caller.metadata.get('x-envoy-max-retries');
  return {
    method,
    participantId: host.participant.settings.participantId,
    commandId,
    submissionId,
    userId,
    actAs,
    peer: caller.peer,
    delivery: 1 as const,
    ...(choice ? { transfer: auditTransfer(choice) } : {}),
    ...signed,
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
    ...(typeof maxRetries === 'string' ? { maxRetries } : {}),
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
