// The benchmarks, one after the other, on the Node that main.ts has chosen.

import { type Options, readOptions, USAGE } from './options.js';
import { profile } from './profile.js';
import { writeReport } from './report/markdown.js';
import type { Machine, Measured, Results } from './report/results.js';
import { readResults, thisMachine, writeResults } from './report/results.js';
import type { Scenario } from './scenario.js';
import { cost } from './scenarios/cost.js';
import { inserts } from './scenarios/inserts.js';
import { inspect } from './scenarios/inspect.js';
import { latencyIdle } from './scenarios/latency-idle.js';
import { latencyLoad } from './scenarios/latency-load.js';
import { migrateLive } from './scenarios/migrate-live.js';
import { rescue } from './scenarios/rescue.js';
import { scale } from './scenarios/scale.js';
import { slowLedger } from './scenarios/slow-ledger.js';
import { throughput } from './scenarios/throughput.js';
import { waste } from './scenarios/waste.js';

/** The first is the smallest: what `--smallest` runs by itself. */
const SCENARIOS: readonly Scenario[] = [
  latencyIdle,
  latencyLoad,
  throughput,
  cost,
  inserts,
  waste,
  scale,
  slowLedger,
  rescue,
  inspect,
  migrateLive,
];

const options = readOptions(process.argv.slice(2));
if (typeof options === 'string') refuse(options);
const chosen = SCENARIOS.filter(isChosen);
if (chosen.length === 0 && options.from === null)
  refuse(`no scenario ${options.name}: there are ${SCENARIOS.map(({ name }) => name).join(', ')}`);
if (options.profile !== null) await profile(options.profile, { ...options, say });
else await bench(options, chosen);
process.exit(0);

function isChosen({ name }: Scenario, index: number): boolean {
  if (typeof options === 'string') return false;
  if (options.name !== null) return name === options.name;
  // With figures to take, none is measured that was not asked for.
  return options.from === null && (options.size !== 'smallest' || index === 0);
}

async function bench(options: Options, chosen: readonly Scenario[]): Promise<void> {
  const machine = thisMachine();
  say(
    `${machine.cores} cores of ${machine.cpu}, ${machine.memoryGib} GiB, ${machine.system}, Node ${machine.node}; ${Object.entries(
      machine.versions,
    )
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
  );
  let results: Results = options.from === null ? { scenarios: {} } : readResults(options.from);
  for (const scenario of chosen) {
    results = { scenarios: { ...results.scenarios, ...(await measure(options, scenario, machine)) } };
    if (options.json !== null) writeResults(options.json, results);
  }
  if (options.report) writeReport(SCENARIOS, results);
}

async function measure(
  options: Options,
  scenario: Scenario,
  machine: Machine,
): Promise<Record<string, Measured>> {
  const { size, rounds, systems } = options;
  say(`\n${scenario.name}: ${scenario.about}`);
  const found = await scenario.run({ size, rounds, systems, say });
  const date = new Date().toISOString().slice(0, 10);
  return Object.fromEntries(
    found.map(({ name, ...rest }) => {
      const ratios = Object.entries(rest.ratios).map(([versus, ratio]) => `${versus} ${ratio}`);
      say(`${name}: ${ratios.join(', ') || 'nothing to compare with'}`);
      return [name, { ...rest, of: scenario.name, size, rounds, machine, date }];
    }),
  );
}

function say(line: string): void {
  console.log(line);
}

function refuse(why: string): never {
  console.error(`${why}\n${USAGE}`);
  process.exit(2);
}
