// `replay`: rows that wait, due now. Always safe: they keep their record.
import { loadDatabaseSettings } from '../../config.js';
import { type ReplayedRow, replay } from '../../store/replay.js';
import { canAsk, confirmed } from '../support/confirm.js';
import { withDatabase } from '../support/database.js';
import { count } from '../support/text.js';
import { type Flags, selectionOf } from './flags.js';
import { report } from './report.js';

export async function plain(flags: Flags): Promise<void> {
  const selection = selectionOf(flags);
  const show = (rows: readonly ReplayedRow[], done: string): void =>
    report(rows, done, 'undecided: looked up first', flags);
  await withDatabase(loadDatabaseSettings(process.env), async (database) => {
    if (flags.dryRun || asks(flags)) {
      const rows = await replay(database, selection, { dryRun: true });
      if (flags.dryRun) return show(rows, 'would be replayed');
      if (rows.length === 0) return show(rows, 'match');
      show(rows, 'would be replayed');
      if (!(await confirmed(`Replay ${count(rows.length, 'row')}? [y/N] `))) {
        process.stderr.write('nothing was changed\n');
        return;
      }
    }
    show(await replay(database, selection, { dryRun: false }), 'replayed');
  });
}

/** One hash is as deliberate as it gets; a script that has no terminal has nobody to ask. */
const asks = (flags: Flags): boolean => !flags.yes && flags.hash === undefined && canAsk();
