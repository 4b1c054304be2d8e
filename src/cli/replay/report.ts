// Rows as `replay` shows them.
import type { ReplayedRow } from '../../store/operator/replay.js';
import { count, oneLine, table } from '../support/text.js';
import type { Flags } from './flags.js';

const SHOWN = 20;

/** `undecided`: what to say about a row with a submission that may still commit. */
export function report(
  rows: readonly ReplayedRow[],
  done: string,
  undecidedRow: string,
  { json }: Pick<Flags, 'json'>,
): void {
  if (json) {
    for (const row of rows)
      process.stdout.write(`${JSON.stringify({ ...row, nonce: row.nonce.toString() })}\n`);
    process.stderr.write(`${count(rows.length, 'row')} ${done}\n`);
    return;
  }
  if (rows.length > 0) {
    const lines = rows
      .slice(0, SHOWN)
      .map(({ txHash, state, undecided, attempts, lastError }) => [
        txHash,
        undecided ? `${state}, ${undecidedRow}` : state,
        attempts,
        oneLine(lastError ?? '', 100),
      ]);
    process.stdout.write(
      `${table(lines)}\n${rows.length > SHOWN ? '  … see all of them with --json\n' : ''}`,
    );
  }
  process.stdout.write(`${count(rows.length, 'row')} ${done}\n`);
}
