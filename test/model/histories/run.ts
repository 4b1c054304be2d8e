// Histories by the thousand: `npm run test:histories -- [--runs N] [--seed N]`. A failure is shrunk, and told in words.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { built, type Rules } from './rules.js';
import { type History, history } from './steps.js';
import { World } from './world.js';

export interface Result {
  /** Null: every history kept every invariant. */
  readonly broken: { readonly why: string; readonly words: readonly string[]; readonly after: number } | null;
  readonly runs: number;
  readonly seed: number;
  /** How many histories had each of these. */
  readonly had: ReadonlyMap<string, number>;
}

export function play({ setup, steps }: History, rules: Rules, telling = false): World {
  const world = new World(setup, rules, telling);
  for (const step of steps) world.take(step);
  world.finish();
  return world;
}

export function check(options: {
  readonly runs: number;
  readonly seed: number;
  readonly rules?: Rules;
}): Result {
  const { runs, seed, rules = built } = options;
  const had = new Map<string, number>();
  const property = fc.property(history, (one) => {
    for (const what of play(one, rules).counts.keys()) had.set(what, (had.get(what) ?? 0) + 1);
  });
  const details = fc.check(property, { numRuns: runs, seed });
  if (!details.failed) return { broken: null, runs: details.numRuns, seed, had };
  const [worst] = details.counterexample ?? [];
  return {
    broken: worst === undefined ? null : { ...tell(worst, rules), after: details.numRuns },
    runs: details.numRuns,
    seed,
    had,
  };
}

/** The history once more, in words, up to where it breaks. */
function tell(one: History, rules: Rules): { readonly why: string; readonly words: readonly string[] } {
  const world = new World(one.setup, rules, true);
  try {
    for (const step of one.steps) world.take(step);
    world.finish();
    return { why: 'it does not break when it is told again', words: world.words };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error), words: world.words };
  }
}

export const inWords = ({
  why,
  words,
}: {
  readonly why: string;
  readonly words: readonly string[];
}): string => [...words.map((line) => `  ${line}`), `  ${why}`].join('\n');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } } });
  const runs = Number(values.runs ?? 20_000);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const since = performance.now();
  const { broken, had } = check({ runs, seed });
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  if (broken === null) {
    console.log(`${runs} histories kept every invariant, in ${seconds} s (seed ${seed}); of these`);
    for (const [what, count] of [...had].sort((a, b) => b[1] - a[1]))
      console.log(`${String(count).padStart(9)} ${what}`);
  } else {
    console.log(`broken after ${broken.after} histories (seed ${seed}):\n${inWords(broken)}`);
    process.exitCode = 1;
  }
}
