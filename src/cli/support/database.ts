// What the commands that only visit the database have in common.
import type { DatabaseSettings } from '../../config.js';
import { ConfigError } from '../../core/errors.js';
import { refusesLogin, sqlState } from '../../store/errors.js';
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
    const reason = error instanceof Error ? error.message : String(error);
    if (refusesLogin(error)) throw new ConfigError([`DATABASE_URL ${shown}: ${reason}`]);
    if (NOT_MIGRATED.has(sqlState(error) ?? '')) {
      throw new ConfigError([`${shown} is not migrated (${reason}): run \`canton-submitter migrate\` first`]);
    }
    throw error;
  } finally {
    await database.close();
  }
}
