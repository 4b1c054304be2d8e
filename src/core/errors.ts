/** Settings are wrong. Every problem is listed, each with what to do about it. The process ends with exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(
      problems.length === 1
        ? (problems[0] as string)
        : `${problems.length} problems:\n${problems.map((one) => `  - ${one}`).join('\n')}`,
    );
  }
}

/** A command does not do what was asked, although it was written correctly: exit code 1. */
export class CommandRefused extends Error {
  override readonly name = 'CommandRefused';
}

/** Postgres cannot be reached, or cut the call off: it is not known whether a write happened, and the caller tries again. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** Somebody works on the table as a whole, and what has to be done alone waits for that. */
export class TableHeld extends Error {
  override readonly name = 'TableHeld';
}
