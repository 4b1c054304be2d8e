// A sandbox's options and what they amount to. Nominal times are Canton's defaults, multiplied by the scale.
import { type Generation, generationOf } from './generation.js';
import type { RightsOptions } from './rights.js';
import type { TokenSpec } from './tokens.js';

export interface SandboxOptions {
  /** Ledger API; 0 (default) picks a free one. */
  readonly port?: number;
  /** Audit, faults, parties; 0 (default) picks a free one. */
  readonly httpPort?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Makes latencies, probabilities and ids repeatable. Default: different every time. */
  readonly seed?: string | number;
  /** Multiplies all of Canton's durations; default 1. With 0.02, the tolerance of 60 s is 1.2 s. */
  readonly timeScale?: number;
  /** Milliseconds from submission to answer, not scaled. Default: like a real ledger, 5 to 15 s, scaled. */
  readonly latencyMs?: number;
  /** Off: neither deduplication nor the in-flight check, which exposes submitters that depend on them. */
  readonly dedup?: boolean;
  readonly participantId?: string;
  /** The file in which the ledger is kept, and from which it continues. */
  readonly stateFile?: string;
  /** How far the ledger's clocks are off from the machine's. */
  readonly clockSkewMs?: number;
  /** How far the participant's clock is off from the synchronizer's. */
  readonly participantClockSkewMs?: number;
  /** No checkpoints, as on a synchronizer where nothing happens; see the control of that name. */
  readonly quiet?: 'off' | 'silent' | 'stale';
  /** The bearer token that calls need; default none. */
  readonly token?: string;
  /** Appears in the environment for submitters, and is whom the token is for. */
  readonly userId?: string;
  /** The answer of GetLedgerApiVersion, default 3.4.8; `generation.ts` lists what depends on it. */
  readonly apiVersion?: string;
  /**
   * Whether the token's user is an administrator: before 3.6 only these are told the participant's id. Default true.
   */
  readonly administrator?: boolean;
  /** The rights of the token's user; default: acts as every party, reads as any. */
  readonly rights?: RightsOptions;
  /**
   * Where the registry is served: like Digital Asset's Utility, or at its own root, like Splice. Default `utility`.
   */
  readonly registryPath?: 'utility' | 'root';
  readonly chainId?: number;
  readonly tokens?: readonly TokenSpec[];
  /** Adds tokens of another admin, whose registry is served on the HTTP port. */
  readonly registry?: boolean;
  /** The largest request that the server accepts; default: Canton's 10 MiB. */
  readonly maxRequestBytes?: number;
  /** Nominal, scaled: ledgerTimeRecordTimeTolerance, the deduplication window, and the interval of checkpoints. */
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
  /** How often the participant takes a checkpoint, which a stream shows if something has moved. */
  checkpointMs: 15 * SECOND,
  /** How long a stream goes without one if nothing moves. */
  idleCheckpointMs: 60 * SECOND,
  /** confirmationResponseTimeout and mediatorReactionTimeout, 30 s each. */
  verdictLimitMs: 60 * SECOND,
  /** For a call without a deadline. */
  trackingTimeoutMs: 300 * SECOND,
  submissionWindowMs: 30 * SECOND,
  clockSkewMaxMs: 60 * SECOND,
};

/** The smallest window that a submitter accepts. */
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
