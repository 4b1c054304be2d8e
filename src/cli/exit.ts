// How a command ends.
import { CommanderError } from 'commander';
import { ConfigError, Refusal, StoreUnavailable } from '../core/errors.js';

export const exit = {
  clean: 0,
  /** Something failed, or a guarantee was broken. */
  failure: 1,
  /** The configuration or the command line is wrong; a taken port too. */
  configuration: 2,
  /** `enqueue` refused some of what it was given. */
  refused: 3,
  forced: 130,
} as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return exit.configuration;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.clean : exit.configuration;
  return exit.failure;
}

/** What a person should read of it; null where commander has said it already. */
export function messageOf(error: unknown): string | null {
  if (error instanceof CommanderError) return null;
  if (error instanceof StoreUnavailable) return `the database cannot be reached: ${error.message}`;
  if (error instanceof ConfigError)
    return error instanceof HintedError ? `${error.message}\n${error.hint}` : error.message;
  if (error instanceof Refusal) return error.message;
  // Not expected: the stack says where.
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** With something to do instead. */
export class HintedError extends ConfigError {
  constructor(
    problems: readonly string[],
    readonly hint: string,
  ) {
    super(problems);
  }
}
