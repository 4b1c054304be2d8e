// The command line of a benchmark.
import { parseArgs } from 'node:util';
import type { Size } from './scenario.js';
import { SYSTEMS } from './systems/all.js';
import type { SystemName } from './systems/system.js';

export interface Options {
  /** Null: all. */
  readonly name: string | null;
  readonly size: Size;
  readonly rounds: number;
  readonly systems: readonly SystemName[];
  /** Where the figures of this run go. */
  readonly json: string | null;
  /** Whether BENCHMARKS.md is written anew, with the figures of this run in the place of earlier ones. */
  readonly report: boolean;
  /** A folder for CPU profiles. */
  readonly profile: string | null;
}

export const USAGE = `npm run bench -- [name] [options]
  --rounds K      turns of each system (default 3)
  --systems A,B   ${SYSTEMS.join(', ')} (default: all)
  --smallest      shows that it works, in seconds, without the peers
  --full          the sizes of BENCHMARKS.md's full run: hours
  --json FILE     writes the figures there, scenario by scenario
  --report        writes BENCHMARKS.md and its plots: what is not measured now keeps its figures
  --profile DIR   instead: a CPU profile each of a hosted and an external backlog`;

/** What is wrong with it, as a text. */
export function readOptions(args: readonly string[]): Options | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        systems: { type: 'string' },
        smallest: { type: 'boolean', default: false },
        full: { type: 'boolean', default: false },
        json: { type: 'string' },
        report: { type: 'boolean', default: false },
        profile: { type: 'string' },
      },
    });
    const { smallest, full, report } = values;
    if (positionals.length > 1) return 'one scenario at a time, or all';
    if (smallest && full) return '--smallest or --full';
    const rounds = Number(values.rounds ?? (smallest ? 1 : 3));
    if (!Number.isInteger(rounds) || rounds < 1) return '--rounds takes a whole number from 1 on';
    const wanted = values.systems?.split(',') ?? (smallest ? ['ours', 'floor'] : SYSTEMS);
    const unknown = wanted.filter((name) => !SYSTEMS.some((known) => known === name));
    if (unknown.length > 0) return `unknown: ${unknown.join(', ')}; there are ${SYSTEMS.join(', ')}`;
    return {
      name: positionals[0] ?? null,
      size: smallest ? 'smallest' : full ? 'full' : 'normal',
      rounds,
      systems: SYSTEMS.filter((name) => wanted.includes(name)),
      json: values.json ?? null,
      report,
      profile: values.profile ?? null,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
