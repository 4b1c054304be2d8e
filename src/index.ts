/** The public names. Everything else may change without notice. */
export {
  type Config,
  ConfigError,
  type DatabaseSettings,
  loadConfig,
  loadDatabaseSettings,
} from './config.js';
export type { Token, Tokens } from './core/token.js';
export type { NotReady, SubmitterEvent, WakeReason } from './observe/events.js';
export type { Health } from './observe/health.js';
export type { TransferOutcome } from './ports/outbox.js';
export type { Outcome, Refusal, RefusalKind } from './protocol/outcome.js';
export type { Settled, SettleResult } from './protocol/settlement.js';
export type { Verdict } from './protocol/verdict.js';
export type { ReplayedRow, ReplaySelection } from './store/operator/replay.js';
export { replayAt as replay } from './store/operator/replay.js';
export type { QueueStatus } from './store/status.js';
export { type OutcomesOptions, outcomes } from './submitter/outcomes.js';
export { createSubmitter, type Submitter } from './submitter.js';
