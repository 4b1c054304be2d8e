// What a row costs: CPU of each process, and what Postgres counts.
import { arriving, backlog } from '../measure/block.js';
import { type Result, result, type Scenario, takeTurns } from '../scenario.js';
import { onStage } from '../stage/stage.js';
import { prepare } from '../systems/all.js';

const RATE = 50;
const SIZES = {
  smallest: { rows: 60, arriving: 30, senders: 100 },
  normal: { rows: 2_000, arriving: 500, senders: 1_000 },
  full: { rows: 20_000, arriving: 3_000, senders: 2_000 },
} as const;

export const cost: Scenario = {
  name: 'cost',
  about: `Milliseconds of CPU a row, of the instances, of Postgres and of the sandbox; and by Postgres' own counters statements, bytes of WAL and dead row versions a row, and the share of updates that were HOT. A backlog with one instance, and ${RATE} rows a second into three.`,
  figure: 'submitterMs',
  run(context) {
    const sizes = SIZES[context.size];
    return onStage({ senders: sizes.senders, latencyMs: 5 }, async (stage) => {
      const systems = await prepare(stage, context.systems);
      const results: Result[] = [];
      for (const kind of ['hosted', 'external'] as const) {
        const waiting = await takeTurns(context, `${kind}, backlog`, systems, (system) =>
          backlog(stage, system, { kind, rows: sizes.rows, instances: 1 }),
        );
        const trickling = await takeTurns(context, `${kind}, arriving`, systems, (system) =>
          arriving(stage, system, { kind, rows: sizes.arriving, instances: 3, rate: RATE }),
        );
        results.push(
          result(cost, `cost-${kind}-backlog`, `${kind}, backlog`, waiting, ['postgresMs']),
          result(cost, `cost-${kind}-arriving`, `${kind}, ${RATE}/s`, trickling, ['postgresMs']),
        );
      }
      return results;
    });
  },
};
