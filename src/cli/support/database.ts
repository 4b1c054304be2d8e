// Shared by the commands that only visit the database.
import type { DatabaseSettings } from '../../config.js';
import { ConfigError } from '../../core/errors.js';
import { hiddenRows } from '../../store/check.js';
import { isNotMigrated, roleProblem } from '../../store/errors.js';
import { type Database, openDatabase } from '../../store/pool.js';

export async function withDatabase<T>(
  { database: { url, shown }, warnings }: DatabaseSettings,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  const database = openDatabase({ url, poolSize: 4, applicationName: 'canton-submitter cli' });
  try {
    const hidden = await hiddenRows(database);
    if (hidden.length > 0) throw new ConfigError(hidden);
    return await work(database);
  } catch (error) {
    const role = roleProblem(error, shown);
    if (role !== null) throw new ConfigError([role]);
    if (!isNotMigrated(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`${shown} is not migrated (${reason}): run \`canton-submitter migrate\` first`]);
  } finally {
    await database.close();
  }
}
