// A submission's path: interpret, check for in-flight duplicates, register, deduplicate, travel, be sequenced, be decided, be
// published; one file, since the order is what matters. Refused until it is registered; after that, every end is a completion.
import type { LedgerClock, Micros } from '../clock.js';
import { type LedgerError, refuse } from '../errors.js';
import type { Latency } from '../latency.js';
import { admit } from './admit.js';
import { debit, requireTraffic, trafficCost } from './conditions.js';
import { windowStart } from './dedup.js';
import { interpretHosted } from './interpret.js';
import type { LedgerState } from './ledger-state.js';
import type { RecordOrder } from './record-order.js';
import { type CompletionRecord, changeId, type UpdateRecord } from './records.js';
import type { Decision, Disturbance, InFlight, Registered, Submission, Transaction } from './submission.js';
import type { Timers } from './timers.js';
import {
  contended,
  duplicateUuid,
  ledgerTimeOutOfBound,
  maxRecordTimeExceeded,
  mediatorTimedOut,
  notSequenced,
  sequencerRefused,
} from './verdicts.js';

export interface SubmitRules {
  dedup: boolean;
  latency: Latency;
  readonly toleranceMs: number;
  readonly maxDedupMs: number;
  /** If there is no verdict this long after sequencing, the mediator times out. */
  readonly verdictLimitMs: number;
  /** The confirmers check a maximum record time; otherwise nothing is sequenced after it. */
  readonly maxRecordTimeVerdict: boolean;
  /** Completions report what was paid. */
  readonly paidTraffic: boolean;
}

export interface Ledger {
  readonly state: LedgerState;
  readonly clock: LedgerClock;
  readonly order: RecordOrder;
  readonly timers: Timers;
  /** A record time for what is published at once. */
  unsequenced(): Micros;
  contractId(): string;
  updateId(): string;
  publish(
    recordTime: Micros,
    completion?: CompletionRecord,
    update?: UpdateRecord,
    flightId?: number,
  ): number;
  registered(registered: Registered): void;
}

export class SubmissionPath {
  /** Registered but not sequenced yet. */
  readonly #travelling = new Set<Travelling>();
  readonly #inFlight = new Map<string, number>();
  #nextFlightId = 1;
  /** Inputs of what is sequenced and undecided. */
  readonly #locked = new Set<string>();
  /** Transaction UUIDs that the mediator has seen since this process started. */
  readonly #sequencedUuids = new Set<string>();
  /** By party; judges "one transfer in flight per sender". */
  readonly #perParty = new Map<string, number>();
  maxInFlightPerParty = 0;

  constructor(
    private readonly ledger: Ledger,
    readonly rules: SubmitRules,
  ) {}

  /** Throws a Refusal if the participant answers at once; otherwise `decided` is called once, in any case. */
  submit(submission: Submission, disturbance: Disturbance, decided: (decision: Decision) => void): void {
    const { state, clock } = this.ledger;
    const now = clock.participant();
    const transaction = this.#transactionOf(submission, now);
    requireTraffic(state.conditions, submission.actAs, trafficCost(transaction));
    const change = changeId(submission);
    if (this.rules.dedup && this.#inFlight.has(change)) {
      refuse('SUBMISSION_ALREADY_IN_FLIGHT', 'The submission is already in flight', {
        metadata: { changeId: `ChangeId(${change})` },
      });
    }
    const question = {
      changeId: change,
      period: submission.dedup,
      maximumMicros: this.rules.maxDedupMs * 1000,
      now,
    };
    const dedupOffset =
      submission.dedup.kind === 'offset'
        ? submission.dedup.offset
        : state.offsetBefore(windowStart(question));
    const { userId, commandId, submissionId, workflowId, actAs } = submission;
    const registered: Registered = {
      flightId: this.#nextFlightId++,
      submission: { userId, commandId, submissionId, workflowId, actAs },
      transaction,
      dedupOffset,
      maxSequencing: this.#maxSequencing(transaction),
    };
    const flight: InFlight = { ...registered, changeId: change, disturbance, decided };
    this.#register(flight);
    this.ledger.registered(registered);
    const refused = this.rules.dedup ? state.dedup.judge(question) : undefined;
    const ended = refused ?? (state.conditions.network === 'refusing' ? sequencerRefused : undefined);
    if (ended) this.#publish(flight, this.ledger.unsequenced(), ended);
    else this.#travel(flight);
  }

  #maxSequencing({ effectiveAt, maxRecordTime }: Transaction): Micros {
    const byLedgerTime = effectiveAt + Math.floor(this.rules.toleranceMs * 1000);
    const capped = maxRecordTime !== undefined && !this.rules.maxRecordTimeVerdict;
    return capped ? Math.min(byLedgerTime, maxRecordTime) : byLedgerTime;
  }

  #transactionOf(submission: Submission, now: Micros): Transaction {
    const { state } = this.ledger;
    return submission.kind === 'signed'
      ? admit(submission, state, now)
      : interpretHosted(submission, state, now, () => this.ledger.contractId());
  }

  /** Flights that a crash interrupted: they were on their way to the sequencer, and may still arrive in time. */
  resume(flights: Iterable<Registered>): void {
    for (const registered of flights) {
      this.#nextFlightId = Math.max(this.#nextFlightId, registered.flightId + 1);
      const flight = {
        ...registered,
        changeId: changeId(registered.submission),
        disturbance: {},
        decided: () => {},
      };
      this.#register(flight);
      this.#travel(flight);
    }
  }

  #register(flight: InFlight): void {
    this.#inFlight.set(flight.changeId, (this.#inFlight.get(flight.changeId) ?? 0) + 1);
    for (const party of flight.submission.actAs) {
      const count = (this.#perParty.get(party) ?? 0) + 1;
      this.#perParty.set(party, count);
      this.maxInFlightPerParty = Math.max(this.maxInFlightPerParty, count);
    }
  }

  #travel(flight: InFlight): void {
    const { sequenceMs, verdictMs } = this.rules.latency();
    const { sequenceLateMs = 0 } = flight.disturbance;
    const now = this.ledger.clock.synchronizer();
    const arrival = now + Math.floor((sequenceMs + sequenceLateMs) * 1000);
    const lost = arrival > flight.maxSequencing || this.ledger.state.conditions.network === 'unsequenced';
    const due = lost ? Math.max(flight.maxSequencing + 1, now) : arrival;
    const travelling = { flight, verdictMs, due, lost };
    this.#travelling.add(travelling);
    this.ledger.timers.after((due - now) / 1000, () => {
      // Others that this slow process has kept waiting come first.
      const slow = this.ledger.clock.synchronizer() - due > 5000;
      if (slow) this.settleDue(due - 1);
      this.#sequence(travelling);
    });
  }

  /**
   * Sequences whatever is due, at its due time and in order. The synchronizer is another machine: a busy process here
   * must not make a submission late, and no checkpoint may pass what is not in the order yet.
   */
  settleDue(until = this.ledger.clock.synchronizer()): void {
    const overdue: Travelling[] = [];
    for (const travelling of this.#travelling) if (travelling.due <= until) overdue.push(travelling);
    for (const travelling of overdue.sort((a, b) => a.due - b.due)) this.#sequence(travelling);
  }

  #sequence(travelling: Travelling): void {
    if (!this.#travelling.delete(travelling)) return;
    const { flight, verdictMs, due, lost } = travelling;
    const { decideLateMs = 0 } = flight.disturbance;
    // Not in the future, even if the clock has been set back meanwhile.
    const at = lost ? due : Math.min(due, this.ledger.clock.synchronizer());
    const place = this.ledger.order.take(this.ledger.order.tick(at));
    if (lost || place.recordTime > flight.maxSequencing) {
      place.decide((recordTime) => this.#publish(flight, recordTime, notSequenced));
      return;
    }
    const rejection =
      this.#seenBefore(flight) ??
      this.#contention(flight.transaction) ??
      this.#untimely(flight, place.recordTime);
    const locks = rejection ? [] : flight.transaction.inputs;
    for (const input of locks) this.#locked.add(input);
    const timedOut =
      this.ledger.state.conditions.network === 'unconfirmed' ||
      (decideLateMs > 0 && verdictMs + decideLateMs > this.rules.verdictLimitMs);
    const waitMs = timedOut ? this.rules.verdictLimitMs : verdictMs + decideLateMs;
    this.ledger.timers.after(waitMs, () =>
      place.decide((recordTime) => {
        for (const input of locks) this.#locked.delete(input);
        this.#publish(flight, recordTime, rejection ?? (timedOut ? mediatorTimedOut : undefined), true);
      }),
    );
  }

  /** The mediator accepts one request per UUID, whatever becomes of it. */
  #seenBefore({ transaction: { external } }: InFlight): LedgerError | undefined {
    if (!external) return undefined;
    const seen = this.#sequencedUuids.has(external.uuid) || this.ledger.state.hasUuid(external.uuid);
    this.#sequencedUuids.add(external.uuid);
    return seen ? duplicateUuid(external.uuid) : undefined;
  }

  #untimely({ disturbance, transaction }: InFlight, recordTime: Micros): LedgerError | undefined {
    if (disturbance.rejectWith) return disturbance.rejectWith;
    const { effectiveAt, maxRecordTime } = transaction;
    if (maxRecordTime !== undefined && recordTime > maxRecordTime) return maxRecordTimeExceeded;
    const early = effectiveAt - recordTime > this.rules.toleranceMs * 1000;
    return early ? ledgerTimeOutOfBound : undefined;
  }

  /**
   * Activeness is decided in record-time order: by what is spent, and by what is locked, though it may be rejected.
   */
  #contention(transaction: Transaction): LedgerError | undefined {
    const { contracts } = this.ledger.state;
    const spent = transaction.inputs.filter((input) => !contracts.active(input));
    if (spent.length > 0) return contended('LOCAL_VERDICT_INACTIVE_CONTRACTS', 'references inactive', spent);
    const locked = transaction.inputs.filter((input) => this.#locked.has(input));
    if (locked.length > 0)
      return contended('LOCAL_VERDICT_LOCKED_CONTRACTS', 'is referring to locked', locked);
    return undefined;
  }

  #publish(flight: InFlight, recordTime: Micros, error: LedgerError | undefined, sequenced = false): void {
    const { submission, transaction } = flight;
    const { external } = transaction;
    this.#unregister(flight);
    const { userId, actAs, commandId, submissionId, workflowId } = submission;
    const common = {
      userId,
      actAs,
      commandId,
      submissionId,
      dedupOffset: flight.dedupOffset,
      ...(external ? { external: { ...external, sequenced } } : {}),
      ...(sequenced || !error ? this.#pay(flight) : {}),
    };
    if (error) {
      const completion = { ...common, result: { accepted: false, error } } as const;
      const offset = this.ledger.publish(recordTime, completion, undefined, flight.flightId);
      flight.decided({ kind: 'rejected', error, offset, recordTime });
      return;
    }
    const updateId = this.ledger.updateId();
    const { effectiveAt, nodes } = transaction;
    const offset = this.ledger.publish(
      recordTime,
      { ...common, result: { accepted: true, updateId } },
      {
        updateId,
        commandId,
        workflowId,
        actAs,
        effectiveAt,
        nodes,
        ...(external ? { externalHash: external.hash } : {}),
      },
      flight.flightId,
    );
    flight.decided({ kind: 'accepted', updateId, offset, recordTime });
  }

  #pay({ submission, transaction }: InFlight): Pick<CompletionRecord, 'traffic'> {
    const traffic = debit(this.ledger.state.conditions, submission.actAs, trafficCost(transaction));
    return this.rules.paidTraffic ? { traffic } : {};
  }

  #unregister(flight: InFlight): void {
    const others = (this.#inFlight.get(flight.changeId) ?? 1) - 1;
    if (others > 0) this.#inFlight.set(flight.changeId, others);
    else this.#inFlight.delete(flight.changeId);
    for (const party of flight.submission.actAs) {
      this.#perParty.set(party, (this.#perParty.get(party) ?? 1) - 1);
    }
  }

  /** Held by something sequenced and undecided. */
  isLocked(contractId: string): boolean {
    return this.#locked.has(contractId);
  }
}

interface Travelling {
  readonly flight: InFlight;
  /** When it reaches the sequencer, or has finally failed to. */
  readonly due: Micros;
  readonly lost: boolean;
  readonly verdictMs: number;
}
