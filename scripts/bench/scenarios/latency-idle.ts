// One inserted row, and nothing else to do.
import { callsOf, latencies, oneByOne } from '../measure/block.js';
import { type Context, type Result, result, type Scenario, takeTurns } from '../scenario.js';
import { onStage } from '../stage/stage.js';
import { prepare } from '../systems/all.js';
import { stopAll } from '../systems/system.js';

const SIZES = {
  smallest: { instances: [1], rows: 4, warmUp: 2, everyMs: 10, senders: 10 },
  normal: { instances: [1, 3], rows: 40, warmUp: 40, everyMs: 40, senders: 200 },
  full: { instances: [1, 3], rows: 200, warmUp: 100, everyMs: 60, senders: 1_000 },
} as const;

export const latencyIdle: Scenario = {
  name: 'latency-idle',
  about:
    'One row into a fleet that has nothing else to do: milliseconds from the commit of the insert to the arrival of the call at the participant. All fleets are up, and take turns.',
  figure: 'p50',
  async run(context: Context): Promise<Result[]> {
    const results: Result[] = [];
    for (const count of SIZES[context.size].instances) results.push(await withInstances(context, count));
    return results;
  },
};

function withInstances(context: Context, count: number): Promise<Result> {
  const { rows, warmUp, everyMs, senders } = SIZES[context.size];
  return onStage({ senders, latencyMs: 5 }, async (stage) => {
    const systems = await prepare(stage, context.systems);
    const fleets = await Promise.all(systems.map((system) => system.start(count)));
    stage.undo(() => stopAll(fleets.flat()));
    for (const system of systems) await oneByOne(stage, system, stage.rows.next('hosted', warmUp), everyMs);
    const title = count === 1 ? '1 instance' : `${count} instances`;
    const summaries = await takeTurns(context, title, systems, async (system) => {
      const mark = await stage.participant.mark();
      const committed = await oneByOne(stage, system, stage.rows.next('hosted', rows), everyMs);
      return latencies(committed, await callsOf(stage, mark));
    });
    return result(latencyIdle, `latency-idle-${count}`, title, summaries, ['p99']);
  });
}
