// What a scenario is, and how its rounds take turns.
import { type Figures, type Summary, summarize } from './measure/stats.js';
import type { SystemName } from './systems/system.js';

/** `smallest` shows that it works, `full` has the numbers, the one between takes minutes on two cores. */
export type Size = 'smallest' | 'normal' | 'full';

export interface Context {
  readonly size: Size;
  /** A B A B …: how often each has its turn. */
  readonly rounds: number;
  readonly systems: readonly SystemName[];
  say(line: string): void;
}

export interface Result {
  readonly name: string;
  /** In a plot, below its bars. */
  readonly label: string;
  readonly systems: Readonly<Record<string, Summary>>;
  /** Ours by theirs, of the figure that the scenario is about. */
  readonly ratios: Readonly<Record<string, number>>;
}

export interface Scenario {
  readonly name: string;
  /** What is measured, in a sentence or two of the report. */
  readonly about: string;
  /** What the plot shows and the ratios are of. */
  readonly figure: string;
  run(context: Context): Promise<Result[]>;
}

/** Each in its turn, and the next round begins with another: what the machine does meanwhile meets all. */
export async function takeTurns<T extends { readonly name: string }>(
  { rounds, say }: Pick<Context, 'rounds' | 'say'>,
  title: string,
  turns: readonly T[],
  block: (turn: T) => Promise<Figures>,
): Promise<Record<string, Summary>> {
  const figures = new Map<string, Figures[]>(turns.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let index = 0; index < turns.length; index++) {
      const turn = turns[(index + round) % turns.length];
      if (turn === undefined) continue;
      const measured = await block(turn);
      figures.get(turn.name)?.push(measured);
      say(`${title}, round ${round + 1} of ${rounds}, ${turn.name}: ${shown(measured)}`);
    }
  }
  return Object.fromEntries([...figures].map(([name, rounds]) => [name, summarize(rounds)]));
}

export function result(
  { figure }: Pick<Scenario, 'figure'>,
  name: string,
  label: string,
  systems: Readonly<Record<string, Summary>>,
  /** Ratios of further figures, by that figure's name. */
  more: readonly string[] = [],
): Result {
  return {
    name,
    label,
    systems,
    ratios: Object.fromEntries(
      [figure, ...more].flatMap((of) => ratios(systems, of, of === figure ? '' : of)),
    ),
  };
}

/** `vsGraphileWorker`; of a further figure `p99VsGraphileWorker`. */
function ratios(
  systems: Readonly<Record<string, Summary>>,
  figure: string,
  prefix: string,
): (readonly [string, number])[] {
  const own = systems.ours?.[figure];
  if (typeof own !== 'number') return [];
  return Object.entries(systems).flatMap(([name, summary]) => {
    const other = summary[figure];
    if (name === 'ours' || typeof other !== 'number' || other === 0) return [];
    const camel = name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
    const versus = prefix === '' ? `vs${camel}` : `${prefix}Vs${camel}`;
    return [[versus, Number((own / other).toFixed(3))] as const];
  });
}

const shown = (figures: Figures): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');
