// `replay`: makes waiting rows due now. It never pays twice, because they keep their record.
import { loadDatabaseSettings } from '../../config.js';
import { CommandRefused } from '../../core/errors.js';
import { type NotReplayed, notReplayed, type ReplayedRow, replay } from '../../store/operator/replay.js';
import { canAsk, confirmed } from '../support/confirm.js';
import { withDatabase } from '../support/database.js';
import { count } from '../support/text.js';
import { decidedBy } from '../support/who.js';
import { type Flags, selectionOf } from './flags.js';
import { report } from './report.js';

export async function plain(flags: Flags): Promise<void> {
  const selection = selectionOf(flags);
  const show = (rows: readonly ReplayedRow[], done: string): void =>
    report(rows, done, 'undecided: looked up first', flags);
  await withDatabase(loadDatabaseSettings(process.env), async (database) => {
    /** If one row was asked for by name and not taken, a bare count of 0 says too little. */
    const taken = async (rows: readonly ReplayedRow[], done: string): Promise<void> => {
      if (rows.length > 0 || flags.hash === undefined) return show(rows, done);
      throw new CommandRefused(
        `${flags.hash} is not replayed: ${WHY_NOT[await notReplayed(database, flags.hash)]}`,
      );
    };
    if (flags.dryRun || asks(flags)) {
      const rows = await replay(database, selection, { dryRun: true });
      if (flags.dryRun) return await taken(rows, 'would be replayed');
      if (rows.length === 0) return show(rows, 'match');
      show(rows, 'would be replayed');
      if (!(await confirmed(`Replay ${count(rows.length, 'row')}? [y/N] `))) {
        process.stderr.write('nothing was changed\n');
        return;
      }
    }
    const done = await replay(database, selection, { dryRun: false, ...decidedBy(flags.reason) });
    await taken(done, 'replayed');
  });
}

export const WHY_NOT: Readonly<Record<NotReplayed, string>> = {
  unknown: 'no row has this hash',
  completed: 'it is completed',
  failed: 'it has failed, which is final; the wallet may send a new transaction',
  mined: 'it is mined, which is final',
  claimed: 'an instance is working on it, or was a moment ago; try again after a lease',
  'sent elsewhere':
    'it was sent on a participant that is no longer pinned; only replay --completed or --force-new can end it',
  otherwise: 'it does not meet another of the given conditions',
};

/** A single hash is deliberate enough to go without a question; a script without a terminal has nobody to ask. */
const asks = (flags: Flags): boolean => !flags.yes && flags.hash === undefined && canAsk();
