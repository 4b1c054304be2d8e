// What a bigger fleet wastes: calls to the ledger, and statements that claim.
import { arriving, backlog } from '../measure/block.js';
import { type Result, result, type Scenario, takeTurns } from '../scenario.js';
import { onStage } from '../stage/stage.js';
import { prepare } from '../systems/all.js';

const RATE = 50;
const SIZES = {
  smallest: { instances: [2], rows: 30, hot: 20 },
  normal: { instances: [1, 2, 4, 8, 16], rows: 300, hot: 500 },
  full: { instances: [1, 2, 4, 8, 16], rows: 2_000, hot: 2_000 },
} as const;
/** So few that most of the fleet has nothing to do. */
const HOT_SENDERS = 5;
const HOT_INSTANCES = 8;

export const waste: Scenario = {
  name: 'waste',
  about: `${RATE} rows a second into more and more instances of ours: calls to the ledger and claim statements a row. And ${HOT_INSTANCES} instances with a backlog of ${HOT_SENDERS} senders, whose rows go one after the other, on a ledger that answers within 10 ms.`,
  figure: 'callsPerRow',
  async run(context) {
    const { instances, rows, hot } = SIZES[context.size];
    const results: Result[] = await onStage({ senders: 500, latencyMs: 5 }, async (stage) => {
      const systems = await prepare(stage, ['ours']);
      const found: Result[] = [];
      for (const count of instances) {
        const title = count === 1 ? '1 instance' : `${count} instances`;
        const summaries = await takeTurns(context, title, systems, (system) =>
          arriving(stage, system, { kind: 'hosted', rows, instances: count, rate: RATE }),
        );
        found.push(result(waste, `waste-${count}`, title, summaries));
      }
      return found;
    });
    const few = await onStage({ senders: HOT_SENDERS, latencyMs: 10 }, async (stage) => {
      const systems = await prepare(stage, ['ours']);
      const title = `${HOT_SENDERS} senders`;
      const summaries = await takeTurns(context, title, systems, (system) =>
        backlog(stage, system, { kind: 'hosted', rows: hot, instances: HOT_INSTANCES }),
      );
      return result(waste, 'waste-five-senders', title, summaries);
    });
    return [...results, few];
  },
};
