// The faults that are set, and their effect on one call.
import { type status as Grpc, status } from '@grpc/grpc-js';
import type { LedgerError } from './errors.js';
import {
  type CantonErrorSpec,
  type Fault,
  type FaultAction,
  type FaultAnswer,
  faultSchema,
} from './fault-schema.js';
import type { Random } from './random.js';

/** What a fault can know about a call before it is handled. */
export interface CallFacts {
  /** `Service/Method`. */
  readonly method: string;
  readonly submits: boolean;
  readonly parties: readonly string[];
  readonly userId?: string;
  readonly commandId?: string;
  readonly receivers?: readonly string[];
}

export interface SetFault {
  readonly id: number;
  readonly fault: Fault;
  left: number;
  hits: number;
}

export class FaultBook {
  #faults: SetFault[] = [];
  #nextId = 1;

  constructor(private readonly random: Random) {}

  /** Throws a ZodError if it is not a fault. */
  add(input: Fault): SetFault {
    const fault = faultSchema.parse(input);
    const set = { id: this.#nextId++, fault, left: fault.times ?? Number.POSITIVE_INFINITY, hits: 0 };
    this.#faults.push(set);
    return set;
  }

  list(): readonly SetFault[] {
    return this.#faults;
  }

  remove(id: number): boolean {
    const before = this.#faults.length;
    this.#faults = this.#faults.filter((set) => set.id !== id);
    return this.#faults.length < before;
  }

  clear(): void {
    this.#faults = [];
  }

  /** Everything that affects this call; each use counts. */
  take(call: CallFacts): FaultAction[] {
    const due = this.#faults.filter((set) => set.left > 0 && this.#concerns(set.fault, call));
    for (const set of due) {
      set.left -= 1;
      set.hits += 1;
    }
    if (due.some((set) => set.left === 0)) this.#faults = this.#faults.filter((set) => set.left > 0);
    return due.map((set) => set.fault.do);
  }

  #concerns({ on, match = {} }: Fault, call: CallFacts): boolean {
    if (on !== '*' && on !== call.method && !(on === 'submit' && call.submits)) return false;
    if (match.commandId !== undefined && match.commandId !== call.commandId) return false;
    if (match.userId !== undefined && match.userId !== call.userId) return false;
    if (match.party !== undefined && !call.parties.includes(match.party)) return false;
    if (match.receiver !== undefined && !call.receivers?.includes(match.receiver)) return false;
    return match.probability === undefined || this.random.uniform() < match.probability;
  }
}

export function find<K extends FaultAction['kind']>(
  actions: readonly FaultAction[],
  kind: K,
): Extract<FaultAction, { kind: K }> | undefined {
  return actions.find((action): action is Extract<FaultAction, { kind: K }> => action.kind === kind);
}

export function ledgerError(spec: CantonErrorSpec): LedgerError {
  return {
    id: spec.error,
    cause: spec.cause ?? 'asked for by a fault of the sandbox',
    ...(spec.metadata ? { metadata: spec.metadata } : {}),
    ...(spec.retryAfterMs === undefined ? {} : { retryMs: spec.retryAfterMs }),
  };
}

export type Answer =
  | { readonly kind: 'canton'; readonly error: LedgerError }
  | { readonly kind: 'bare'; readonly code: Grpc; readonly message: string };

export function answerOf(spec: FaultAnswer): Answer {
  return 'grpc' in spec
    ? { kind: 'bare', code: status[spec.grpc], message: spec.message ?? 'from something in between' }
    : { kind: 'canton', error: ledgerError(spec) };
}
