// Medians and spreads.

/** One block's figures, by name. A figure that could not be had is left out. */
export type Figures = Readonly<Record<string, number>>;

export interface Summary {
  readonly [figure: string]: number | Readonly<Record<string, readonly [number, number]>>;
  /** Least and greatest of the rounds. */
  readonly spread: Readonly<Record<string, readonly [number, number]>>;
}

export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
};

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [below = Number.NaN, above = Number.NaN] = [
    sorted[Math.ceil(middle) - 1],
    sorted[Math.floor(middle)],
  ];
  return (below + above) / 2;
}

export function summarize(rounds: readonly Figures[]): Summary {
  const names = [...new Set(rounds.flatMap((figures) => Object.keys(figures)))];
  const values = (name: string): number[] => rounds.flatMap((figures) => figures[name] ?? []);
  return {
    ...Object.fromEntries(names.map((name) => [name, rounded(median(values(name)))])),
    spread: Object.fromEntries(
      names.map((name) => [
        name,
        [rounded(Math.min(...values(name))), rounded(Math.max(...values(name)))] as const,
      ]),
    ),
  };
}

/** Four digits say all that a benchmark knows. */
export const rounded = (value: number): number => Number(value.toPrecision(4));
