// From what is known to what a person at 3 a.m. needs: how bad it is, what is wrong, and what to do. Pure.
import { blockerAdvice } from './advice.js';
import type { Health } from './health.js';
import type { QueueCounts } from './history.js';
import type { Level, Problem } from './page.js';
import type { OpenCircuit } from './recent.js';

export interface Known {
  readonly health: Health;
  readonly open: readonly OpenCircuit[];
  /** Why claims are halted; null: they are not. */
  readonly halted: string | null;
  /** Null: the database does not answer. */
  readonly queue: QueueCounts | null;
}

/** Rows that wait behind an earlier one of their sender may be older, and nothing is wrong. */
const OLD_MS = 120_000;
const UNDECIDED_OLD_MS = 1_800_000;
const LEVELS: readonly Level[] = ['stopped', 'person', 'watch', 'fine'];

export function judge(known: Known): { readonly level: Level; readonly problems: readonly Problem[] } {
  const problems = [...ofTheTable(known), ...ofThisInstance(known)].sort(
    (a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level),
  );
  return { level: problems[0]?.level ?? 'fine', problems };
}

function ofTheTable({ halted, queue, health }: Known): Problem[] {
  const problems: Problem[] = [];
  if (halted !== null)
    problems.push({
      level: 'stopped',
      what: `Claims are halted on all instances: ${halted}`,
      toDo: 'Follow “Halted” in docs/runbooks.md: `canton-submitter migrate --tolerance`.',
    });
  if (queue === null) return problems;
  const { parked, waiting, undecided } = queue;
  if (parked.rows > 0)
    problems.push({
      level: 'person',
      what: `${rows(parked.rows)} parked: nothing more happens to ${parked.rows === 1 ? 'it' : 'them'} until a person acts.`,
      toDo: 'Each one is listed under “Parked rows”, with what to do.',
    });
  if (health.ready && waiting.rows > 0 && (waiting.oldestMs ?? 0) >= OLD_MS)
    problems.push({
      level: 'watch',
      what: `The oldest waiting row has waited for ${duration(waiting.oldestMs ?? 0)}.`,
      toDo: 'If many senders wait, start more instances, or see whether the ledger is slow; a sender’s own rows go one after the other.',
    });
  if (undecided.rows > 0 && (undecided.oldestMs ?? 0) >= UNDECIDED_OLD_MS)
    problems.push({
      level: 'watch',
      what: `A row has been undecided for ${duration(undecided.oldestMs ?? 0)}: the ledger has not told yet what became of it.`,
      toDo: 'Half an hour is normal on a quiet synchronizer. If it moves, read `canton-submitter status`.',
    });
  return problems;
}

function ofThisInstance({ health, open }: Known): Problem[] {
  const level = health.ready ? 'watch' : 'stopped';
  return [
    ...health.blockers.map(
      ({ part, reason }) =>
        ({
          level,
          what: health.ready ? sentence(reason) : `This instance claims nothing: ${reason}`,
          toDo: blockerAdvice[part],
        }) as const,
    ),
    ...open
      .filter(({ key }) => key !== null)
      .map(({ key, reason }) => ({
        level: 'watch' as const,
        what: `Whatever is sent for ${key} is refused: ${reason}`,
        toDo: 'Everybody else is served. Put right what the reason says; it is tried again by itself.',
      })),
  ];
}

const rows = (n: number): string => (n === 1 ? '1 row is' : `${n} rows are`);
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
