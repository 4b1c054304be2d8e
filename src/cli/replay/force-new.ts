// `replay --force-new`: parked rows, sent anew as if nothing had been sent. The one command that can move money twice.
import { loadDatabaseSettings } from '../../config.js';
import { ConfigError } from '../../core/errors.js';
import { forceNew, previewForceNew, type Shown } from '../../store/operator/force-new.js';
import type { ReplayedRow } from '../../store/operator/replay.js';
import { canAsk, confirmed } from '../support/confirm.js';
import { withDatabase } from '../support/database.js';
import { count, oneLine } from '../support/text.js';
import { type Flags, selectionOf } from './flags.js';
import { report } from './report.js';

const RISK = `  The old submission of an undecided row may still commit, or may have: a second effect of the same transfer, which
  nothing takes back. The record that would tell is forgotten, and kept in the audit alone. Be sure that it cannot
  commit any more, and that the ledger shows no update of it (replay --completed is for one that it shows).
`;

/** As many as `report` shows; with --json each row has its own. */
const RECORDS = 20;

const forgotten = ({ row, record }: Shown): string =>
  record === null
    ? ''
    : `  to be forgotten of ${row.txHash}: submission ${record.submissionId ?? '(not known)'} for ${record.submissionParty ?? '(not known)'}, ${record.sentUntil === 'infinity' ? 'without a bound' : `refused by the ledger after ${record.sentUntil}`}\n`;

export async function forceNewRows(flags: Flags): Promise<void> {
  const selection = selectionOf(flags);
  const show = (rows: readonly ReplayedRow[], done: string): void =>
    report(rows, done, 'undecided: it may still commit', flags);
  await withDatabase(loadDatabaseSettings(process.env), async (database) => {
    const { rows, byHashAlone } = await previewForceNew(database, selection);
    for (const { txHash, lastError } of byHashAlone)
      process.stderr.write(`${notByHash(txHash, lastError)}\n`);
    if (rows.length === 0) return show([], 'match, of those that are parked');
    if (flags.dryRun || !flags.yes) {
      show(
        rows.map(({ row, record }) => ({ ...row, record })),
        'would be sent anew',
      );
      if (!flags.json) for (const one of rows.slice(0, RECORDS)) process.stderr.write(forgotten(one));
    }
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
    const sent = await forceNew(database, rows);
    show(sent, 'will be sent anew');
    if (sent.length < rows.length) {
      const changed = count(rows.length - sent.length, 'row');
      process.stderr.write(`${changed} had changed since they were shown, and were left alone\n`);
    }
  });
}

const notByHash = (txHash: string, lastError: string | null): string =>
  `${txHash} is left alone (${oneLine(lastError ?? 'what was sent of it can still be accepted', 100)}): give it by --hash`;
