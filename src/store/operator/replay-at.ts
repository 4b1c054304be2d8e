// Replay for programs that embed this library: one connection, for as long as it takes.
import { openDatabase } from '../pool.js';
import { type ReplayedRow, type ReplaySelection, replay } from './replay.js';

/**
 * Makes pending rows that nobody holds due now, as the command `replay` does. Always safe: a row keeps its record, so what may have
 * been sent is looked up on the ledger before anything is sent for it.
 */
export async function replayAt(
  { url }: { readonly url: string },
  selection: ReplaySelection,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<readonly ReplayedRow[]> {
  const database = openDatabase({ url, poolSize: 1, applicationName: 'canton-submitter replay' });
  try {
    return await replay(database, selection, { dryRun });
  } finally {
    await database.close();
  }
}
