// Rows that arrive at half of what the slowest of the fleets can do.
import { arriving, backlog } from '../measure/block.js';
import { result, type Scenario, takeTurns } from '../scenario.js';
import { onStage } from '../stage/stage.js';
import { prepare } from '../systems/all.js';

const INSTANCES = 3;
const SIZES = {
  smallest: { probe: 60, seconds: 0.5, senders: 100 },
  normal: { probe: 600, seconds: 10, senders: 1_000 },
  full: { probe: 5_000, seconds: 60, senders: 2_000 },
} as const;

export const latencyLoad: Scenario = {
  name: 'latency-load',
  about:
    'Three instances, and rows at random moments, at half of the rate at which the slowest system (the poller aside) is saturated: milliseconds from the commit of the insert to the arrival of the call.',
  figure: 'p50',
  run(context) {
    const { probe, seconds, senders } = SIZES[context.size];
    return onStage({ senders, latencyMs: 5 }, async (stage) => {
      const systems = await prepare(stage, context.systems);
      const saturated: number[] = [];
      for (const system of systems) {
        if (system.name === 'poller') continue;
        const options = { kind: 'hosted', rows: probe, instances: INSTANCES } as const;
        saturated.push((await backlog(stage, system, options)).rowsPerSecond ?? Number.NaN);
      }
      const rate = Math.min(...saturated) / 2;
      const title = `${rate.toFixed(0)} rows/s`;
      const summaries = await takeTurns(context, title, systems, (system) =>
        arriving(stage, system, {
          kind: 'hosted',
          rows: Math.ceil(rate * seconds),
          instances: INSTANCES,
          rate,
        }),
      );
      return [result(latencyLoad, 'latency-load', title, summaries, ['p99'])];
    });
  },
};
