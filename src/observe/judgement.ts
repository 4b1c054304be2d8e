// From what is known to what a person at 3 a.m. needs: how bad it is, what is wrong, and what to do. Pure.
import { blockerAdvice } from '../core/advice.js';
import type { Health } from './health.js';
import type { Level, Problem } from './page.js';
import type { OpenCircuit } from './recent.js';

export interface Known {
  readonly health: Health;
  readonly open: readonly OpenCircuit[];
  /** What is wrong with the whole fleet, as `status` says it too. */
  readonly findings: readonly Problem[];
  /** Instances that have died lately. */
  readonly dead: readonly {
    readonly name: string;
    /** Rows that nobody has taken back from it yet. */
    readonly held: number;
    /** Rows that others have taken back. */
    readonly lost: number;
  }[];
}

const LEVELS: readonly Level[] = ['stopped', 'person', 'watch', 'fine'];

export function judgementOf(known: Known): { readonly level: Level; readonly problems: readonly Problem[] } {
  const problems = [...known.findings, ...ofThisInstance(known), ...known.dead.map(ofDead)].sort(
    (a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level),
  );
  return { level: problems[0]?.level ?? 'fine', problems };
}

/** Where this one claims nothing, others may: whether anything moves is for the findings to say. */
function ofThisInstance({ health, open }: Known): Problem[] {
  const level = health.ready ? 'watch' : 'person';
  return [
    // What is paused or halted is a finding about the whole fleet.
    ...health.blockers
      .filter(({ part }) => part !== 'paused' && part !== 'halted')
      .map(
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
        what: `The ledger refuses everything sent for ${key}: ${reason}`,
        toDo: 'Everybody else is served. Fix the cause given; retries are automatic.',
      })),
  ];
}

/** Its rows are in good hands; whether it should be there is for a person to know. */
const ofDead = ({ name, held, lost }: Known['dead'][number]): Problem => ({
  level: 'watch',
  what: `The instance ${name} died.`,
  toDo: `${whereRowsAre(held, lost)} Its last log lines may say why. Start another if nothing has restarted it.`,
});

/** It is dead before its rows are taken back. */
function whereRowsAre(held: number, lost: number): string {
  if (held + lost === 0) return 'It held no row.';
  const rows = held + lost === 1 ? 'row' : `${held + lost} rows`;
  return held === 0 ? `Others took over its ${rows}.` : `Others are taking over its ${rows}.`;
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
