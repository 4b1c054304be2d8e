// How a command ends.
import { CommanderError } from 'commander';
import { ConfigError, Refusal, StoreUnavailable } from '../core/errors.js';

export const exit = {
  clean: 0,
  /** Something failed, or a guarantee was broken. */
  failure: 1,
  /** The configuration or the command line is wrong, or a port is taken. */
  configuration: 2,
  /** `enqueue` refused some of its input. */
  refused: 3,
  forced: 130,
} as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return exit.configuration;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.clean : exit.configuration;
  return exit.failure;
}

/** The message to print; null if commander has printed it already. */
export function messageOf(error: unknown): string | null {
  if (error instanceof CommanderError) return null;
  if (error instanceof StoreUnavailable) return `the database cannot be reached: ${error.message}`;
  if (error instanceof ConfigError)
    return error instanceof HintedError ? `${error.message}\n${error.hint}` : error.message;
  if (error instanceof Refusal) return error.message;
  // Unexpected, so the stack trace is needed.
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Also says what else could be done. */
export class HintedError extends ConfigError {
  constructor(
    problems: readonly string[],
    readonly hint: string,
  ) {
    super(problems);
  }
}
