// `replay --force-new`: sends parked rows anew, as if nothing had been sent. The one command that can move money
// twice.
import { loadDatabaseSettings } from '../../config.js';
import { forceNew, previewForceNew, type ShownParked } from '../../store/operator/force-new.js';
import type { ReplayedRow } from '../../store/operator/replay.js';
import { sure } from '../support/confirm.js';
import { withDatabase } from '../support/database.js';
import { count, oneLine } from '../support/text.js';
import { decidedBy } from '../support/who.js';
import { type Flags, selectionOf } from './flags.js';
import { report } from './report.js';

const RISK = `  The old submission of an undecided row may still commit, or may have committed: the transfer would then be made twice,
  and nothing can undo that. The record that would tell is forgotten, and kept only in the audit. Make sure that the old
  submission can no longer commit, and that the ledger has no update for it (if it has one, use replay --completed).
`;

/** As many as `report` shows; with --json each row has its own line. */
const RECORDS = 20;

const forgotten = ({ row, record }: ShownParked): string =>
  record === null
    ? ''
    : `  to be forgotten for ${row.txHash}: submission ${record.submissionId ?? '(not known)'} for ${record.submissionParty ?? '(not known)'}, ${record.sentUntil === 'infinity' ? 'without a bound' : `refused by the ledger after ${record.sentUntil}`}\n`;

export async function forceNewRows(flags: Flags): Promise<void> {
  const selection = selectionOf(flags);
  const show = (rows: readonly ReplayedRow[], done: string): void =>
    report(rows, done, 'undecided: it may still commit', flags);
  await withDatabase(loadDatabaseSettings(process.env), async (database) => {
    const { rows, byHashAlone } = await previewForceNew(database, selection);
    for (const { txHash, lastError } of byHashAlone)
      process.stderr.write(`${notByHash(txHash, lastError)}\n`);
    if (rows.length === 0) return show([], 'match (parked rows only)');
    if (flags.dryRun || !flags.yes) {
      show(
        rows.map(({ row, record }) => ({ ...row, record })),
        'would be sent again',
      );
      if (!flags.json) for (const one of rows.slice(0, RECORDS)) process.stderr.write(forgotten(one));
    }
    process.stderr.write(RISK);
    if (flags.dryRun) return;
    if (!flags.yes && !(await sure(`Send ${count(rows.length, 'row')} anew?`))) {
      process.stderr.write('nothing was changed\n');
      return;
    }
    const sent = await forceNew(database, rows, decidedBy(flags.reason));
    show(sent, 'will be sent again');
    if (sent.length < rows.length) {
      const changed = count(rows.length - sent.length, 'row');
      process.stderr.write(`${changed} had changed since they were shown, and were left as they are\n`);
    }
  });
}

const notByHash = (txHash: string, lastError: string | null): string =>
  `${txHash} is left as it is (${oneLine(lastError ?? 'what was sent for it can still be accepted', 100)}): to include it, name it with --hash`;
