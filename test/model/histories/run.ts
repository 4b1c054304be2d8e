// Histories by the thousand: `npm run test:histories -- [--runs N] [--seed N]`. A failure is shrunk, and told
// in words. `--mutants` takes the guards out instead, one by one, and tells what becomes of it.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { mutants, withoutGuard } from './mutants.js';
import { built, type Rules } from './rules.js';
import { anyHistory, type History, type HistoryKind, histories, type Step } from './steps.js';
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
  /** Of one kind alone. */
  readonly kind?: HistoryKind | null;
  /** False: the first that breaks will do. */
  readonly shrink?: boolean;
}): Result {
  const { runs, seed, rules = built, kind = null, shrink = true } = options;
  const had = new Map<string, number>();
  const property = fc.property(kind === null ? anyHistory : histories[kind], (one) => {
    for (const what of play(one, rules).counts.keys()) had.set(what, (had.get(what) ?? 0) + 1);
  });
  const details = fc.check(property, { numRuns: runs, seed, endOnFailure: !shrink });
  if (!details.failed) return { broken: null, runs: details.numRuns, seed, had };
  const [found] = details.counterexample ?? [];
  const worst = found && shortened(found, rules);
  return {
    broken: worst === undefined ? null : { ...tell(worst, rules), after: details.numRuns },
    runs: details.numRuns,
    seed,
    had,
  };
}

/** Why it breaks, or null. */
function breaks(one: History, rules: Rules): string | null {
  try {
    play(one, rules);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Without every step that it breaks without, and each no longer than it has to be. */
function shortened(one: History, rules: Rules): History {
  let best = one;
  const better = (steps: readonly Step[]): boolean => {
    if (breaks({ ...best, steps }, rules) === null) return false;
    best = { ...best, steps };
    return true;
  };
  for (let before = -1; before !== best.steps.length; ) {
    before = best.steps.length;
    for (let n = best.steps.length - 1; n >= 0; n--) {
      const { steps } = best;
      const step = steps[n];
      if (better(steps.toSpliced(n, 1)) || step?.do !== 'act') continue;
      for (let times = 1; times < step.times; times++) if (better(steps.with(n, { ...step, times }))) break;
    }
  }
  return best;
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

/** Each guard taken out, and what then happens. */
function showMutants(runs: number, seed: number): void {
  for (const [name, { kind }] of Object.entries(mutants)) {
    const { broken } = check({ runs, seed, kind, rules: withoutGuard(name) });
    if (broken === null) {
      console.log(`\nwithout ${name}: not missed in ${runs} histories`);
      process.exitCode = 1;
    } else console.log(`\nwithout ${name} (after ${broken.after}):\n${inWords(broken)}`);
  }
}

function showHistories(runs: number, seed: number): void {
  const since = performance.now();
  const { broken, had } = check({ runs, seed });
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  if (broken !== null) {
    console.log(`broken after ${broken.after} histories (seed ${seed}):\n${inWords(broken)}`);
    process.exitCode = 1;
    return;
  }
  console.log(`${runs} histories kept every invariant, in ${seconds} s (seed ${seed}); of these had`);
  for (const [what, count] of [...had].sort((a, b) => b[1] - a[1]))
    console.log(`${String(count).padStart(9)} ${what}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { runs: { type: 'string' }, seed: { type: 'string' }, mutants: { type: 'boolean' } },
  });
  const runs = Number(values.runs ?? 20_000);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  if (values.mutants) showMutants(runs, seed);
  else showHistories(runs, seed);
}
