// One participant: its identity, its ledger, and what can be done to it. Used by the gRPC services and the faults.
import { createLedgerClock, type LedgerClock, type Micros } from '../clock.js';
import type { Payload } from '../daml/contracts.js';
import type { Generation } from '../generation.js';
import type { PublicKey } from '../keys.js';
import type { Latency } from '../latency.js';
import { createIds, sha256Hex } from '../random.js';
import { Checkpoints } from './checkpoints.js';
import { localContractId, suffixed } from './contract-id.js';
import type { Fact } from './ledger-state.js';
import { LedgerState } from './ledger-state.js';
import { RecordOrder } from './record-order.js';
import type { CompletionRecord, Entry, Node, Place, UpdateRecord } from './records.js';
import type { Decision, Disturbance, Registered, Submission } from './submission.js';
import { type Ledger, SubmissionPath } from './submit.js';
import { Timers } from './timers.js';

export interface ParticipantSettings {
  readonly participantId: string;
  readonly synchronizerId: string;
  readonly toleranceMs: number;
  readonly checkpointMs: number;
  readonly maxDedupMs: number;
  readonly verdictLimitMs: number;
  readonly dedup: boolean;
  readonly generation: Generation;
  readonly latency: Latency;
  readonly clockSkewMs: number;
  readonly participantClockSkewMs: number;
  /** Where the ids of this ledger start; changes whenever the ledger goes back in time. */
  readonly idOrigin: string;
}

export class Participant implements Ledger {
  readonly clock: LedgerClock;
  readonly timers = new Timers();
  readonly order: RecordOrder;
  readonly path: SubmissionPath;
  readonly checkpoints: Checkpoints;
  readonly #id: () => string;
  readonly #listeners = new Set<(entry: Entry) => void>();
  #closed = false;

  constructor(
    readonly settings: ParticipantSettings,
    readonly state = new LedgerState(),
    private readonly journal: (fact: Fact) => void = () => {},
  ) {
    this.clock = createLedgerClock(settings.clockSkewMs, settings.participantClockSkewMs);
    this.#id = createIds(settings.idOrigin);
    this.order = new RecordOrder(() => this.clock.synchronizer(), state.lastRecordTime);
    const { maxRecordTimeVerdict, paidTraffic } = settings.generation;
    this.path = new SubmissionPath(this, { ...settings, maxRecordTimeVerdict, paidTraffic });
    this.checkpoints = new Checkpoints(state, this.order, this.path);
    this.path.resume(state.interrupted.values());
    state.interrupted.clear();
    this.timers.every(settings.checkpointMs, () => this.checkpoints.refresh());
  }

  submit(submission: Submission, disturbance: Disturbance, decided: (decision: Decision) => void): void {
    this.path.submit(submission, disturbance, decided);
  }

  unsequenced(): Micros {
    this.path.settleDue();
    return this.order.unsequenced();
  }

  registered(registered: Registered): void {
    this.journal({ kind: 'registered', registered });
  }

  publish(
    recordTime: Micros,
    completion?: CompletionRecord,
    update?: UpdateRecord,
    flightId?: number,
    moves?: Entry['moves'],
  ): number {
    if (this.#closed) return this.state.end;
    const entry: Entry = {
      offset: this.state.end + 1,
      recordTime,
      publishedAt: this.clock.participant(),
      ...(completion ? { completion } : {}),
      ...(update ? { update } : {}),
      ...(moves ? { moves } : {}),
    };
    this.state.append(entry);
    this.journal({ kind: 'entry', entry, ...(flightId === undefined ? {} : { flightId }) });
    for (const listener of this.#listeners) listener(entry);
    return entry.offset;
  }

  /** Somebody else's transaction: a mint, or a transfer that another application made. */
  transact(archived: readonly string[], created: readonly Payload[], commandId = ''): number {
    return this.publish(this.unsequenced(), undefined, this.update(archived, created, commandId, []));
  }

  /** Somebody reassigns contracts. */
  move(contractIds: readonly string[], place: Place): number {
    const moves = contractIds.map((contractId) => ({ contractId, place }));
    return this.publish(this.unsequenced(), undefined, undefined, undefined, moves);
  }

  update(
    archived: readonly string[],
    created: readonly Payload[],
    commandId: string,
    actAs: readonly string[],
  ): UpdateRecord {
    const nodes: Node[] = archived.map((contractId, nodeId) => ({ kind: 'archive', nodeId, contractId }));
    for (const payload of created) {
      nodes.push({ kind: 'create', nodeId: nodes.length, contractId: this.contractId(), payload });
    }
    const effectiveAt = this.clock.participant();
    return { updateId: this.updateId(), commandId, workflowId: '', actAs, effectiveAt, nodes };
  }

  contractId(): string {
    return suffixed(this.localContractId());
  }

  /** For contracts of a transaction that has only been prepared. */
  localContractId(): string {
    return localContractId(this.#id());
  }

  transactionUuid(): string {
    const digits = sha256Hex(`uuid/${this.#id()}`);
    const parts = [
      digits.slice(0, 8),
      digits.slice(8, 12),
      `4${digits.slice(12, 15)}`,
      `8${digits.slice(15, 18)}`,
    ];
    return [...parts, digits.slice(18, 30)].join('-');
  }

  updateId(): string {
    return `1220${this.#id()}`;
  }

  /** For a submission that came without one, or that somebody else made. */
  submissionId(): string {
    return `by-sandbox-${this.#id().slice(-16)}`;
  }

  addParty(party: string, key?: PublicKey): void {
    if (this.state.hasParty(party)) return;
    this.state.addParty(party, key);
    this.journal({ kind: 'party', party, ...(key ? { key } : {}) });
  }

  prune(offset: number, dedup: boolean): void {
    this.state.prune(offset, dedup);
    this.journal({ kind: 'pruned', offset, dedup });
  }

  onEntry(listener: (entry: Entry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Nothing is published any more; whoever still waits, waits for ever. */
  close(): void {
    this.#closed = true;
    this.timers.close();
  }
}
