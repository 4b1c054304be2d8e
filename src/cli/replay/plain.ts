// `replay`: rows that wait, due now. Always safe: they keep their record.
import { loadDatabaseSettings } from '../../config.js';
import { Refusal } from '../../core/errors.js';
import { type NotReplayed, notReplayed, type ReplayedRow, replay } from '../../store/operator/replay.js';
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
    /** Of one row that was asked for by name, and not taken, a count of none says too little. */
    const taken = async (rows: readonly ReplayedRow[], done: string): Promise<void> => {
      if (rows.length > 0 || flags.hash === undefined) return show(rows, done);
      throw new Refusal(`${flags.hash} is not replayed: ${WHY_NOT[await notReplayed(database, flags.hash)]}`);
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
    await taken(await replay(database, selection, { dryRun: false }), 'replayed');
  });
}

const WHY_NOT: Readonly<Record<NotReplayed, string>> = {
  unknown: 'there is no such row',
  completed: 'it is completed',
  failed: 'it has failed, which is final; the wallet may send a new transaction',
  mined: 'it is mined',
  claimed: 'an instance is at work on it, or held it a moment ago; look again after a lease',
  'sent elsewhere':
    'it was sent on a participant that is pinned no more, and ends by replay --completed or --force-new alone',
  otherwise: 'another condition that was given does not hold for it',
};

/** One hash is as deliberate as it gets; a script that has no terminal has nobody to ask. */
const asks = (flags: Flags): boolean => !flags.yes && flags.hash === undefined && canAsk();
