// The answer to one submission, for the caller, if it still listens and no fault interferes.
import type { Metadata, ServerUnaryCall, ServiceError, sendUnaryData } from '@grpc/grpc-js';
import type { AuditEntry } from '../audit.js';
import { CallRefused, type LedgerError, refuse } from '../errors.js';
import type { FaultAction } from '../fault-schema.js';
import { type Answer, answerOf, find } from '../faults.js';
import type { Host } from '../host.js';
import type { Participant } from '../model/participant.js';
import type { Decision } from '../model/submission.js';
import { failureFrom, failureOf } from './gate.js';
import { ledgerFailure } from './status.js';

/** The part of a gRPC call that is needed here; `answer` and `fail` are called at most once between them. */
export interface Caller {
  readonly metadata: Metadata;
  readonly peer: string;
  readonly deadlineMs: number;
  gone(): boolean;
  /** Does not wait for a decision: answered as soon as the submission is registered. */
  acknowledge?(): void;
  answer(accepted: Accepted, participant: Participant): void;
  fail(failure: Partial<ServiceError>): void;
}

type Accepted = Extract<Decision, { kind: 'accepted' }>;

/** For calls that wait for the decision. */
export function waiting<Request, Response>(
  call: ServerUnaryCall<Request, Response>,
  callback: sendUnaryData<Response>,
  respond: (accepted: Accepted, participant: Participant) => Response,
): Caller {
  return {
    metadata: call.metadata,
    peer: call.getPeer(),
    deadlineMs: Number(call.getDeadline()),
    gone: () => call.cancelled,
    fail: (failure) => callback(failure),
    answer: (accepted, participant) => {
      try {
        callback(null, respond(accepted, participant));
      } catch (thrown) {
        // Looking up the transaction can fail after the commit, as with a real participant.
        callback(failureFrom(thrown));
      }
    },
  };
}

const requestTimedOut: LedgerError = {
  id: 'REQUEST_TIME_OUT',
  cause: 'Timed out while awaiting for a completion corresponding to a command submission.',
};

/** Tells the caller, unless a fault prevents it, and always the audit log. */
export class Reply {
  #open = true;
  #awaited = false;
  #tracking: NodeJS.Timeout | undefined;

  constructor(
    private readonly host: Host,
    private readonly entry: AuditEntry,
    private readonly caller: Caller | undefined,
    private readonly actions: readonly FaultAction[],
  ) {}

  mute(): void {
    this.#open = false;
  }

  /** One more caller is waiting; the participant has a limit. */
  enter(): void {
    const { caller, host } = this;
    if (!caller || caller.acknowledge) return;
    if (host.awaited >= host.mostInFlight) {
      refuse(
        'PARTICIPANT_BACKPRESSURE',
        `The participant is overloaded: Maximum number of commands in-flight reached (${host.mostInFlight})`,
      );
    }
    host.awaited += 1;
    this.#awaited = true;
  }

  #leave(): void {
    if (this.#awaited) this.host.awaited -= 1;
    this.#awaited = false;
  }

  /** The participant waits for its caller's deadline, then answers that it does not know; the submission goes on. */
  track(): void {
    const { caller } = this;
    if (!caller || caller.acknowledge || !this.#open) return;
    const waitMs = Math.min(caller.deadlineMs - Date.now(), this.host.settings.trackingTimeoutMs);
    this.#tracking = setTimeout(
      () => {
        this.#leave();
        this.#tell(() => caller.fail(ledgerFailure(requestTimedOut, this.entry.submissionId)));
      },
      Math.max(waitMs, 0),
    );
    this.#tracking.unref();
  }

  /** From here on, every end is a completion. */
  registered(): void {
    if (this.caller?.acknowledge && !find(this.actions, 'dropAnswer')) {
      this.#tell((caller) => caller.acknowledge?.());
    }
  }

  decided(decision: Decision, participant: Participant): void {
    this.#leave();
    this.registered();
    const { recordTime, offset } = decision;
    const drop = find(this.actions, 'dropAnswer');
    const answered = drop
      ? this.#drop(drop.how)
      : this.#tell((caller) => {
          if (decision.kind === 'accepted') caller.answer(decision, participant);
          else caller.fail(ledgerFailure(decision.error, this.entry.submissionId));
        });
    this.entry.outcome =
      decision.kind === 'accepted'
        ? { kind: 'accepted', updateId: decision.updateId, offset, recordTime, answered }
        : { kind: 'rejected', errorId: decision.error.id, offset, recordTime, answered };
    this.host.audit.changed();
  }

  refused(answer: Answer): void {
    const errorId = answer.kind === 'canton' ? answer.error.id : `grpc ${answer.code}`;
    const answered = this.#tell((caller) => caller.fail(failureOf(answer, this.entry.submissionId)));
    this.entry.outcome = { kind: 'refused', errorId, answered };
    this.host.audit.changed();
  }

  thrown(thrown: unknown): void {
    this.#leave();
    const failure = failureFrom(thrown, this.entry.submissionId);
    const drop = find(this.actions, 'dropAnswer');
    const answered = drop ? this.#drop(drop.how) : this.#tell((caller) => caller.fail(failure));
    const errorId = thrown instanceof CallRefused ? thrown.error.id : 'SANDBOX_FAILED';
    this.entry.outcome = { kind: 'refused', errorId, answered };
    this.host.audit.changed();
  }

  #drop(how: Extract<FaultAction, { kind: 'dropAnswer' }>['how']): false {
    if (how === 'never') this.mute();
    else if (how === 'disconnect') this.host.disconnect(this.caller?.peer);
    else this.#tell((caller) => caller.fail(failureOf(answerOf(how), this.entry.submissionId)));
    clearTimeout(this.#tracking);
    return false;
  }

  /** True if somebody received it. */
  #tell(say: (caller: Caller) => void): boolean {
    clearTimeout(this.#tracking);
    if (!this.#open || !this.caller) return false;
    this.#open = false;
    const heard = !this.caller.gone();
    say(this.caller);
    return heard;
  }
}
