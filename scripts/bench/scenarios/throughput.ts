// A backlog, and one instance of each that works it off.
import { backlog } from '../measure/block.js';
import { type Result, result, type Scenario, takeTurns } from '../scenario.js';
import { onStage } from '../stage/stage.js';
import { prepare } from '../systems/all.js';

const SIZES = {
  smallest: { rows: 60, senders: 100, kinds: ['hosted'] },
  normal: { rows: 2_000, senders: 1_000, kinds: ['hosted', 'external', 'mixed'] },
  full: { rows: 20_000, senders: 2_000, kinds: ['hosted', 'external', 'mixed'] },
} as const;

export const throughput: Scenario = {
  name: 'throughput',
  about:
    'A backlog and one instance: rows a second, by senders that are hosted by the participant, external (prepared, signed, executed), or half and half.',
  figure: 'rowsPerSecond',
  run(context) {
    const { rows, senders, kinds } = SIZES[context.size];
    return onStage({ senders, latencyMs: 5 }, async (stage) => {
      const systems = await prepare(stage, context.systems);
      const results: Result[] = [];
      for (const kind of kinds) {
        const summaries = await takeTurns(context, kind, systems, (system) =>
          backlog(stage, system, { kind, rows, instances: 1 }),
        );
        results.push(result(throughput, `throughput-${kind}`, kind, summaries));
      }
      return results;
    });
  },
};
