// The audit log: every call that reached the sandbox, and what came of it. Tests judge by it, so its format is
// stable.
import { wallMs } from './clock.js';

export interface AuditTransfer {
  readonly sender: string;
  readonly receiver: string;
  readonly instrumentAdmin: string;
  readonly instrumentId: string;
  /** Decimal, with ten places. */
  readonly amount: string;
  /** Microseconds since the epoch, as sent. */
  readonly requestedAt: number;
  readonly executeBefore: number;
  readonly inputs: readonly string[];
}

/** `answered`: the caller was still there and got this answer. */
export type AuditOutcome =
  /** Not decided yet, or held back by a fault. */
  | { readonly kind: 'pending'; readonly answered: false }
  | {
      readonly kind: 'accepted';
      readonly updateId: string;
      readonly offset: number;
      readonly recordTime: number;
      answered: boolean;
    }
  /** Through a completion. */
  | {
      readonly kind: 'rejected';
      readonly errorId: string;
      readonly offset: number;
      readonly recordTime: number;
      answered: boolean;
    }
  /** Immediately, without a completion; for a bare gRPC status, the error id is its name. */
  | { readonly kind: 'refused'; readonly errorId: string; answered: boolean }
  /** Never reached the participant. */
  | { readonly kind: 'dropped'; readonly answered: false };

export interface AuditEntry {
  readonly seq: number;
  /** When the call reached the sandbox, in fractional milliseconds since the epoch. */
  readonly at: number;
  /** When the participant received it; later than `at` only because of a fault. */
  deliveredAt: number | null;
  readonly method: string;
  readonly participantId: string;
  readonly commandId: string;
  readonly submissionId: string;
  readonly userId: string;
  readonly actAs: readonly string[];
  readonly peer: string;
  /** 2: the network delivered the same request twice. */
  readonly delivery: 1 | 2;
  readonly transfer?: AuditTransfer;
  /** What was signed, in hex, if a prepared transaction is executed. */
  readonly hash?: string;
  readonly transactionUuid?: string;
  /** Microseconds since the epoch. */
  readonly maxRecordTime?: number;
  /** W3C Trace Context, as the call's metadata had it. */
  readonly traceparent?: string;
  /** What the call's metadata says to envoys on its way (`x-envoy-max-retries`). */
  readonly maxRetries?: string;
  outcome: AuditOutcome;
}

export interface AuditSummary {
  /** Submissions that arrived. A second delivery by the network does not count, because nobody made that call. */
  readonly ledgerCalls: number;
  /** Distinct change IDs among them. */
  readonly commands: number;
  readonly accepted: number;
  /**
   * Acceptances after the first of a command id, for any user, party or participant. Must be zero, or money moved
   * twice.
   */
  readonly doubleCommits: number;
  /** The most submissions of one party that were undecided on the ledger at the same time. */
  readonly maxInFlightPerParty: number;
  /** Attempts that lost a fight for holdings. */
  readonly conflicts: number;
  readonly pending: number;
  /** Calls that submit nothing, by `Service/Method`. */
  readonly reads: Readonly<Record<string, number>>;
}

const conflictIds = new Set([
  'LOCAL_VERDICT_LOCKED_CONTRACTS',
  'LOCAL_VERDICT_INACTIVE_CONTRACTS',
  'CONTRACT_NOT_FOUND',
  'CONTRACT_NOT_ACTIVE',
]);

type NewEntry = Omit<AuditEntry, 'seq' | 'at' | 'deliveredAt' | 'outcome'>;

export class AuditLog {
  readonly entries: AuditEntry[] = [];
  readonly reads = new Map<string, number>();
  readonly #watchers = new Set<() => void>();
  #maxInFlightPerParty = 0;

  record(entry: NewEntry, at = wallMs()): AuditEntry {
    const recorded: AuditEntry = {
      ...entry,
      seq: this.entries.length + 1,
      at,
      deliveredAt: null,
      outcome: { kind: 'pending', answered: false },
    };
    this.entries.push(recorded);
    this.changed();
    return recorded;
  }

  read(method: string): void {
    this.reads.set(method, (this.reads.get(method) ?? 0) + 1);
    this.changed();
  }

  /** A submission has reached its participant, which has had at most this many of one party at the same time. */
  delivered(maxInFlightPerParty: number): void {
    this.#maxInFlightPerParty = Math.max(this.#maxInFlightPerParty, maxInFlightPerParty);
    this.changed();
  }

  /** Call after changing an entry. */
  changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves as soon as the condition holds, so that tests need not sleep. */
  until(holds: (log: AuditLog) => boolean, timeoutMs = 30_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!holds(this)) return;
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(check);
        reject(new Error(`the audit log did not come to that within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#watchers.add(check);
      check();
    });
  }

  of(commandId: string): AuditEntry[] {
    return this.entries.filter((entry) => entry.commandId === commandId);
  }

  summary(): AuditSummary {
    const acceptances = new Map<string, number>();
    const commands = new Set<string>();
    let accepted = 0;
    let conflicts = 0;
    let calls = 0;
    let pending = 0;
    for (const { commandId, userId, actAs, delivery, outcome } of this.entries) {
      commands.add(JSON.stringify([userId, commandId, ...actAs]));
      if (delivery === 1) calls += 1;
      if (outcome.kind === 'pending') pending += 1;
      if (outcome.kind === 'accepted') {
        accepted += 1;
        acceptances.set(commandId, (acceptances.get(commandId) ?? 0) + 1);
      }
      if ('errorId' in outcome && conflictIds.has(outcome.errorId)) conflicts += 1;
    }
    return {
      ledgerCalls: calls,
      commands: commands.size,
      accepted,
      doubleCommits: accepted - acceptances.size,
      maxInFlightPerParty: this.#maxInFlightPerParty,
      conflicts,
      pending,
      reads: Object.fromEntries(this.reads),
    };
  }
}
