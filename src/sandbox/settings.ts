// What a sandbox can be told at its start, and what that comes to. Nominal times are Canton's defaults, times the scale.
import { type Generation, generationOf } from './generation.js';
import type { RightsOptions } from './rights.js';
import type { TokenSpec } from './tokens.js';

export interface SandboxOptions {
  /** Ledger API; 0 (default) takes a free one. */
  readonly port?: number;
  /** Audit, faults, parties; 0 (default) takes a free one. */
  readonly httpPort?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Repeats latencies, probabilities and ids. Default: another every time. */
  readonly seed?: string | number;
  /** All of Canton's durations times this; default 1. With 0.02, the tolerance of 60 s is 1.2 s. */
  readonly timeScale?: number;
  /** Literal milliseconds from submission to answer, not scaled. Default: like a real ledger, 5 to 15 s, scaled. */
  readonly latencyMs?: number;
  /** Off: neither deduplication nor the in-flight check, so that a submitter that leans on them is found out. */
  readonly dedup?: boolean;
  readonly participantId?: string;
  /** The ledger is kept here and continued from here. */
  readonly stateFile?: string;
  /** The ledger's clocks against the machine's. */
  readonly clockSkewMs?: number;
  /** The participant's clock against the synchronizer's. */
  readonly participantClockSkewMs?: number;
  /** No checkpoints, as on a synchronizer where nothing happens; see the control of that name. */
  readonly quiet?: 'off' | 'silent' | 'stale';
  /** Calls need this bearer token; default none. */
  readonly token?: string;
  /** In the environment for submitters, and whom the token is for. */
  readonly userId?: string;
  /** What GetLedgerApiVersion says, default 3.4.8; `generation.ts` has what depends on it. */
  readonly apiVersion?: string;
  /** Of the token's user: before 3.6 only an administrator is told the participant's id. Default true. */
  readonly administrator?: boolean;
  /** Of the token's user; default: it may act as every party, and read as any. */
  readonly rights?: RightsOptions;
  /** Where the registry is served: as Digital Asset's Utility does it, or at its own root, as Splice does. Default `utility`. */
  readonly registryPath?: 'utility' | 'root';
  readonly chainId?: number;
  readonly tokens?: readonly TokenSpec[];
  /** Tokens of another admin too, whose registry is served on the HTTP port. */
  readonly registry?: boolean;
  /** The largest request that the server reads; default Canton's 10 MiB. */
  readonly maxRequestBytes?: number;
  /** Nominal, scaled: ledgerTimeRecordTimeTolerance, the dedup window, and how often checkpoints come. */
  readonly toleranceMs?: number;
  readonly maxDeduplicationMs?: number;
  readonly checkpointMs?: number;
  readonly idleCheckpointMs?: number;
}

const SECOND = 1000;
const DAY = 24 * 3600 * SECOND;

const nominal = {
  toleranceMs: 60 * SECOND,
  maxDeduplicationMs: 7 * DAY,
  /** How often the participant notes a checkpoint: a stream on which something moved shows it. */
  checkpointMs: 15 * SECOND,
  /** How long a stream on which nothing moves stays without one. */
  idleCheckpointMs: 60 * SECOND,
  /** confirmationResponseTimeout and mediatorReactionTimeout, 30 s each. */
  verdictLimitMs: 60 * SECOND,
  /** Of a call without a deadline. */
  trackingTimeoutMs: 300 * SECOND,
  submissionWindowMs: 30 * SECOND,
  clockSkewMaxMs: 60 * SECOND,
};

/** The least window that a submitter accepts. */
const LEAST_WINDOW_MS = 500;

export interface Settings {
  readonly seed: string;
  readonly timeScale: number;
  readonly toleranceMs: number;
  readonly maxDedupMs: number;
  readonly checkpointMs: number;
  readonly idleCheckpointMs: number;
  readonly verdictLimitMs: number;
  readonly trackingTimeoutMs: number;
  readonly submissionWindowMs: number;
  readonly clockSkewMaxMs: number;
  readonly synchronizerId: string;
  readonly userId: string;
  readonly apiVersion: string;
  readonly generation: Generation;
  readonly administrator: boolean;
  readonly registryPath: 'utility' | 'root';
  readonly chainId: number;
  readonly maxRequestBytes: number;
}

export function settle(options: SandboxOptions, seed: string, synchronizerId: string): Settings {
  const timeScale = options.timeScale ?? 1;
  if (!(timeScale > 0)) throw new RangeError(`timeScale must be above 0, not ${timeScale}`);
  const apiVersion = options.apiVersion ?? '3.4.8';
  const scaled = (ms: number) => ms * timeScale;
  return {
    seed,
    timeScale,
    toleranceMs: Math.round(scaled(options.toleranceMs ?? nominal.toleranceMs)),
    maxDedupMs: scaled(options.maxDeduplicationMs ?? nominal.maxDeduplicationMs),
    checkpointMs: scaled(options.checkpointMs ?? nominal.checkpointMs),
    idleCheckpointMs: scaled(options.idleCheckpointMs ?? nominal.idleCheckpointMs),
    verdictLimitMs: scaled(nominal.verdictLimitMs),
    trackingTimeoutMs: scaled(nominal.trackingTimeoutMs),
    submissionWindowMs: Math.min(
      Math.max(Math.round(scaled(nominal.submissionWindowMs)), LEAST_WINDOW_MS),
      60_000,
    ),
    clockSkewMaxMs: Math.max(1000, Math.round(scaled(nominal.clockSkewMaxMs))),
    synchronizerId,
    userId: options.userId ?? 'mempool-submitter',
    apiVersion,
    generation: generationOf(apiVersion),
    administrator: options.administrator ?? true,
    registryPath: options.registryPath ?? 'utility',
    chainId: options.chainId ?? 31337,
    maxRequestBytes: options.maxRequestBytes ?? 10 * 1024 * 1024,
  };
}
