// `replay --recheck`: for a database that was set back without being able to notice it (a restored disk or VM).

import { oneStepTokens } from '../../config/tokens-file.js';
import { loadDatabaseSettings } from '../../config.js';
import { ConfigError } from '../../core/errors.js';
import { recheckByHand } from '../../store/operator/recheck-by-hand.js';
import { exit } from '../exit.js';
import { withDatabase } from '../support/database.js';
import { count } from '../support/text.js';
import { decidedBy } from '../support/who.js';
import type { Flags } from './flags.js';

export async function replayRecheck({ reason }: Flags): Promise<void> {
  const settings = loadDatabaseSettings(process.env);
  const problems: string[] = [];
  const tokens = oneStepTokens(process.env.TOKENS_FILE, problems);
  if (tokens === null && problems.length === 0) {
    problems.push(
      'TOKENS_FILE is not set: whether a forgotten submission of a hosted sender can still commit depends on its token',
    );
  }
  if (tokens === null) throw new ConfigError(problems);
  await withDatabase(settings, async (database) => {
    const result = await recheckByHand(database, tokens, decidedBy(reason));
    if (result.kind === 'held') {
      process.stderr.write(
        `refused: ${result.holders.join(', ')} ${result.holders.length === 1 ? 'holds' : 'hold'} ${count(result.rows, 'row')}. Stop every instance, wait until their leases have run out, and try again\n`,
      );
      process.exitCode = exit.failure;
      return;
    }
    process.stdout.write(
      `${count(result.rows, 'row')} will be looked up on the ledger before anything is sent\n`,
    );
  });
}
