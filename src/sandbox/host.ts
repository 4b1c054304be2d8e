// What answers at the sandbox's address: one participant at a time, and those it can be exchanged for.
import { randomUUID } from 'node:crypto';
import { AuditLog } from './audit.js';
import { FaultBook } from './faults.js';
import { fixedLatency, type Latency, realisticLatency } from './latency.js';
import type { Fact } from './model/ledger-state.js';
import { LedgerState } from './model/ledger-state.js';
import { Participant } from './model/participant.js';
import { Timers } from './model/timers.js';
import { createRandom, sha256Hex } from './random.js';
import { allRights, type Rights, rightsSchema } from './rights.js';
import type { SandboxOptions, Settings } from './settings.js';

export interface Identity {
  readonly participantId: string;
  readonly synchronizerId: string;
  readonly issuer: string;
  /** Another admin of tokens, with a registry. */
  readonly registrar: string;
  /** A third admin, whose holdings are amulets, and a fourth, whose holdings are deposits. */
  readonly dso: string;
  readonly custodian: string;
}

/** Parties of one participant share its namespace. */
export function namespaceOf(participantId: string): string {
  return `1220${sha256Hex(`namespace/${participantId}`)}`;
}

export function otherAdmins(participantId: string): Pick<Identity, 'registrar' | 'dso' | 'custodian'> {
  const namespace = namespaceOf(participantId);
  return {
    registrar: `registrar::${namespace}`,
    dso: `DSO::${namespace}`,
    custodian: `custodian::${namespace}`,
  };
}

/** Where reassigned contracts go: no submitter of the sandbox's is configured for it. */
export const OTHER_SYNCHRONIZER = `other-domain::${namespaceOf('other synchronizer')}`;

export function newIdentity(options: SandboxOptions): Identity {
  const participantId = options.participantId ?? `sandbox::${namespaceOf('sandbox')}`;
  return {
    participantId,
    synchronizerId: `global-domain::${namespaceOf('synchronizer')}`,
    issuer: `issuer::${namespaceOf(participantId)}`,
    ...otherAdmins(participantId),
  };
}

/** Canton's default for CommandService, max-commands-in-flight. */
const MOST_IN_FLIGHT = 256;

export class Host {
  readonly audit = new AuditLog();
  readonly faults: FaultBook;
  /** The network between callers and participants; outlives any of these. */
  readonly timers = new Timers();
  readonly #random;
  readonly #participants = new Map<string, Participant>();
  #current: Participant;
  #latency: Latency;
  /** Streams to break when the token changes. */
  readonly #expiring = new Set<() => void>();
  #token: string | null;
  /** Submissions that callers are waiting for, and the participant's limit for these. */
  awaited = 0;
  mostInFlight = MOST_IN_FLIGHT;
  /** The rights of the only user. */
  rights: Rights;
  /** Cuts one peer's connection, or all; set by the transport. */
  disconnect: (peer?: string) => void = () => {};

  constructor(
    readonly settings: Settings,
    readonly identity: Identity,
    private readonly options: SandboxOptions,
    state: LedgerState,
    private readonly journal: (fact: Fact) => void,
  ) {
    this.#random = createRandom(settings.seed);
    this.faults = new FaultBook(createRandom(`${settings.seed}/faults`));
    this.#latency = this.#latencyOf(options.latencyMs);
    this.#token = options.token ?? null;
    this.rights = options.rights === undefined ? allRights : rightsSchema.parse(options.rights);
    const origin = state.end === 0 ? settings.seed : randomUUID();
    this.#current = this.#open(identity.participantId, state, origin);
    this.#current.checkpoints.quiet = options.quiet ?? 'off';
  }

  get participant(): Participant {
    return this.#current;
  }

  get token(): string | null {
    return this.#token;
  }

  #open(participantId: string, state: LedgerState, idOrigin: string): Participant {
    const { settings, options } = this;
    const participant = new Participant(
      {
        participantId,
        synchronizerId: settings.synchronizerId,
        toleranceMs: settings.toleranceMs,
        checkpointMs: settings.checkpointMs,
        maxDedupMs: settings.maxDedupMs,
        verdictLimitMs: settings.verdictLimitMs,
        dedup: options.dedup ?? true,
        generation: settings.generation,
        latency: () => this.#latency(),
        clockSkewMs: options.clockSkewMs ?? 0,
        participantClockSkewMs: options.participantClockSkewMs ?? 0,
        idOrigin,
      },
      state,
      // The file holds the first participant's ledger; others live as long as the process.
      participantId === this.identity.participantId ? this.journal : undefined,
    );
    this.#participants.set(participantId, participant);
    return participant;
  }

  /**
   * The process behind the address that a request was sent to; after a restore it is another one of the same name.
   */
  named(participantId: string): Participant {
    return this.#participants.get(participantId) ?? this.#current;
  }

  all(): Participant[] {
    return [...this.#participants.values()];
  }

  become(participantId: string, ledger: 'empty' | 'copy'): void {
    const known = this.#participants.get(participantId);
    if (known) {
      this.#current = known;
      return;
    }
    const { state } = this.#current;
    const start = ledger === 'copy' ? state.asOf(state.end) : new LedgerState(state.conditions);
    this.#current = this.#open(participantId, start, randomUUID());
  }

  /** The ledger as it was then; what was in flight is lost along with what came later. */
  restore(offset: number): void {
    const old = this.#current;
    const { participantId } = old.settings;
    old.close();
    if (participantId === this.identity.participantId) this.journal({ kind: 'restored', offset });
    this.#current = this.#open(participantId, old.state.asOf(offset), randomUUID());
    this.#current.checkpoints.quiet = old.checkpoints.quiet;
    this.#current.path.rules.dedup = old.path.rules.dedup;
    this.#current.clock.skewMs = old.clock.skewMs;
    this.#current.clock.participantSkewMs = old.clock.participantSkewMs;
  }

  setLatency(ms: number | undefined): void {
    this.#latency = this.#latencyOf(ms);
  }

  #latencyOf(ms: number | undefined): Latency {
    const { toleranceMs, timeScale } = this.settings;
    return ms === undefined ? realisticLatency(timeScale, this.#random) : fixedLatency(ms, toleranceMs);
  }

  setToken(token: string | null): void {
    this.#token = token;
    for (const expire of [...this.#expiring]) expire();
  }

  onTokenChange(expire: () => void): () => void {
    this.#expiring.add(expire);
    return () => this.#expiring.delete(expire);
  }

  close(): void {
    this.timers.close();
    for (const participant of this.#participants.values()) participant.close();
  }
}
