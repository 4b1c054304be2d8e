// The flags of `replay`: which rows, and which of its four kinds.
import type { TxHash } from '../../core/ids.js';
import type { ReplaySelection } from '../../store/operator/replay.js';

export interface Flags {
  readonly hash?: TxHash;
  readonly sender?: string;
  readonly olderThan?: number;
  readonly parked?: boolean;
  readonly error?: string;
  readonly recheck?: boolean;
  readonly completed?: TxHash;
  readonly update?: string;
  readonly forceNew?: boolean;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export const selectionOf = ({ hash, sender, olderThan, parked, error }: Flags): ReplaySelection => ({
  ...(hash === undefined ? {} : { hash }),
  ...(sender === undefined ? {} : { sender }),
  ...(olderThan === undefined ? {} : { olderThanMs: olderThan }),
  ...(parked === undefined ? {} : { parked }),
  ...(error === undefined ? {} : { error }),
});

export type ReplayWay = 'replay' | 'recheck' | 'completed' | 'force-new';

/** What does not fit together; empty if all is well. */
export function misuse(flags: Flags): readonly string[] {
  const problems: string[] = [];
  const selected = Object.keys(selectionOf(flags)).length > 0;
  const ways = [flags.recheck, flags.completed !== undefined, flags.forceNew].filter(Boolean);
  if (ways.length > 1) problems.push('give only one of --recheck, --completed and --force-new');
  if (flags.recheck && selected) problems.push('--recheck applies to the whole table: remove the conditions');
  if (flags.completed !== undefined && selected)
    problems.push('--completed names its row: remove the conditions');
  if ((flags.completed === undefined) !== (flags.update === undefined)) {
    problems.push('--completed HASH and --update ID need each other');
  }
  if (flags.dryRun && flags.recheck)
    problems.push('--recheck has no --dry-run, because it takes every pending row: remove one of them');
  if (ways.length === 0 && !selected) {
    problems.push('say which rows: --hash, --sender, --older-than, --parked or --error');
  }
  if (flags.forceNew && !selected) {
    problems.push(
      'say which rows: --hash, or --sender, --older-than, --error; only parked ones among them are taken',
    );
  }
  return problems;
}

export const wayOf = (flags: Flags): ReplayWay =>
  flags.recheck
    ? 'recheck'
    : flags.completed !== undefined
      ? 'completed'
      : flags.forceNew
        ? 'force-new'
        : 'replay';
