// The benchmarks, one after the other, on the Node that main.ts has chosen.
import { readOptions, USAGE } from './options.js';
import { profile } from './profile.js';
import { writeReport } from './report/markdown.js';
import {
  type Machine,
  type Measured,
  REPORTED,
  type Results,
  readReported,
  thisMachine,
  writeResults,
} from './report/results.js';
import type { Scenario } from './scenario.js';

/** Loaded when they are run. The first is the smallest: what `--smallest` runs by itself. */
const SCENARIOS: Readonly<Record<string, () => Promise<Scenario>>> = {
  'latency-idle': async () => (await import('./scenarios/latency-idle.js')).latencyIdle,
  'latency-load': async () => (await import('./scenarios/latency-load.js')).latencyLoad,
  throughput: async () => (await import('./scenarios/throughput.js')).throughput,
  cost: async () => (await import('./scenarios/cost.js')).cost,
  inserts: async () => (await import('./scenarios/inserts.js')).inserts,
  waste: async () => (await import('./scenarios/waste.js')).waste,
  scale: async () => (await import('./scenarios/scale.js')).scale,
  'slow-ledger': async () => (await import('./scenarios/slow-ledger.js')).slowLedger,
  'hot-sender': async () => (await import('./scenarios/hot-sender.js')).hotSender,
  rescue: async () => (await import('./scenarios/rescue.js')).rescue,
  inspect: async () => (await import('./scenarios/inspect.js')).inspect,
  'migrate-live': async () => (await import('./scenarios/migrate-live.js')).migrateLive,
};
const NAMES = Object.keys(SCENARIOS);

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  say(`${USAGE}\nNames: ${NAMES.join(', ')}`);
  process.exit(0);
}
const read = readOptions(args);
const options = typeof read === 'string' ? refuse(read) : read;
if (options.name !== null && !NAMES.includes(options.name))
  refuse(`no scenario ${options.name}: there are ${NAMES.join(', ')}`);
if (options.profile !== null) await profile(options.profile, { ...options, say });
else await bench();
process.exit(0);

async function bench(): Promise<void> {
  const machine = thisMachine();
  const { cpu, cores, memoryGib, system, node, versions } = machine;
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  say(`${cores} cores of ${cpu}, ${memoryGib} GiB, ${system}, Node ${node}; ${packages.join(', ')}`);
  const scenarios = await Promise.all(NAMES.map(load));
  let results: Results = { scenarios: {} };
  for (const name of chosen()) {
    results = { scenarios: { ...results.scenarios, ...(await measure(name, machine)) } };
    if (options.json !== null) writeResults(options.json, results);
    if (options.report) report(scenarios, results);
  }
}

/** After each scenario: a run of them all takes hours, and may not get to its end. */
function report(scenarios: readonly Scenario[], now: Results): void {
  const measured = new Set(Object.values(now.scenarios).map(({ of }) => of));
  const kept = Object.entries(readReported().scenarios).filter(([, { of }]) => !measured.has(of));
  const results = { scenarios: { ...Object.fromEntries(kept), ...now.scenarios } };
  writeResults(REPORTED, results);
  writeReport(scenarios, results);
}

function chosen(): readonly string[] {
  if (options.name !== null) return [options.name];
  return options.size === 'smallest' ? NAMES.slice(0, 1) : NAMES;
}

async function measure(name: string, machine: Machine): Promise<Record<string, Measured>> {
  const scenario = await load(name);
  const { size, rounds, systems } = options;
  say(`\n${name}: ${scenario.about}`);
  const found = await scenario.run({ size, rounds, systems, say });
  const date = new Date().toISOString().slice(0, 10);
  return Object.fromEntries(
    found.map((one) => {
      const ratios = Object.entries(one.ratios).map(([versus, ratio]) => `${versus} ${ratio}`);
      say(`${one.name}: ${ratios.join(', ') || 'nothing to compare with'}`);
      return [one.name, { ...one, of: name, size, rounds, machine, date }];
    }),
  );
}

function load(name: string): Promise<Scenario> {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  return scenario();
}

function say(line: string): void {
  console.log(line);
}

function refuse(why: string): never {
  console.error(`${why}\n${USAGE}`);
  process.exit(2);
}
