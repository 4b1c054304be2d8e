// `replay --force-new`: parked rows, sent anew as if nothing had been sent. The one command that can move money twice.
import { loadDatabaseSettings } from '../../config.js';
import { ConfigError } from '../../core/errors.js';
import { forceNew } from '../../store/force-new.js';
import type { ReplayedRow } from '../../store/replay.js';
import { canAsk, confirmed } from '../support/confirm.js';
import { withDatabase } from '../support/database.js';
import { count } from '../support/text.js';
import { type Flags, selectionOf } from './flags.js';
import { report } from './report.js';

const RISK = `  The old submission of an undecided row may still commit, or may have: a second effect of the same transfer, which
  nothing takes back. The record that would tell is forgotten, and kept in the audit alone. Be sure that it cannot
  commit any more, and that the ledger shows no update of it (replay --completed is for one that it shows).
`;

export async function forceNewRows(flags: Flags): Promise<void> {
  const selection = selectionOf(flags);
  const show = (rows: readonly ReplayedRow[], done: string): void =>
    report(rows, done, 'undecided: it may still commit', flags);
  await withDatabase(loadDatabaseSettings(process.env), async (database) => {
    const rows = await forceNew(database, selection, { dryRun: true });
    if (rows.length === 0) return show(rows, 'match, of those that are parked');
    if (flags.dryRun || !flags.yes) show(rows, 'would be sent anew');
    process.stderr.write(RISK);
    if (flags.dryRun) return;
    if (!flags.yes) {
      if (!canAsk())
        throw new ConfigError(['nothing was changed: there is no terminal to ask on, so say --yes']);
      if (!(await confirmed(`Send ${count(rows.length, 'row')} anew? [y/N] `))) {
        process.stderr.write('nothing was changed\n');
        return;
      }
    }
    show(await forceNew(database, selection, { dryRun: false }), 'will be sent anew');
  });
}
