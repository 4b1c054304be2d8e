// What the commands that only visit the database have in common.
import type { DatabaseSettings } from '../../config.js';
import { ConfigError } from '../../core/errors.js';
import { lacksPrivilege, privilegeProblem, refusesLogin, sqlState } from '../../store/errors.js';
import { type Database, openDatabase } from '../../store/pool.js';

/** Table or column is not there. */
const NOT_MIGRATED = new Set(['42P01', '42703', '42883']);

export async function withDatabase<T>(
  { database: { url, shown }, warnings }: DatabaseSettings,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  const database = openDatabase({ url, poolSize: 4, applicationName: 'canton-submitter cli' });
  try {
    return await work(database);
  } catch (error) {
    throw explained(error, shown);
  } finally {
    await database.close();
  }
}

/** What a person can put right, in words; anything else as it is. `shown`: the URL, without its password. */
export function explained(error: unknown, shown: string): unknown {
  const reason = error instanceof Error ? error.message : String(error);
  if (refusesLogin(error)) return new ConfigError([`DATABASE_URL ${shown}: ${reason}`]);
  if (lacksPrivilege(error)) return new ConfigError([privilegeProblem(shown, reason)]);
  if (NOT_MIGRATED.has(sqlState(error) ?? '')) {
    return new ConfigError([`${shown} is not migrated (${reason}): run \`canton-submitter migrate\` first`]);
  }
  return error;
}
