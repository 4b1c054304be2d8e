// pg-boss: jobs by its own client, over the benchmark's connections for inserting.
import { jobOf } from '../stage/rows.js';
import type { Stage } from '../stage/stage.js';
import { countOf, type System, startWorkers } from './system.js';

export async function pgBoss(
  stage: Stage,
  /** Of its queue. */
  queue: { readonly heartbeatSeconds?: number } = {},
): Promise<System<'pg-boss'>> {
  const { PgBoss } = await import('pg-boss');
  const boss = new PgBoss({
    db: { executeSql: (text, values) => stage.inserters.query(text, values) },
    supervise: false,
    schedule: false,
    registerInstance: false,
  });
  boss.on('error', (error) => console.error(error));
  await boss.start();
  stage.undo(() => boss.stop({ graceful: false }));
  await boss.createQueue('transfer', { notify: true, ...queue });
  return {
    name: 'pg-boss',
    async insert(_client, row) {
      await boss.send('transfer', jobOf(row));
    },
    async fill(_client, rows) {
      await boss.insert(
        'transfer',
        rows.map((row) => ({ data: jobOf(row) })),
      );
    },
    left: (client) =>
      countOf(client, "select count(*)::int from pgboss.job where name = 'transfer' and state < 'completed'"),
    start: (instances, how) => startWorkers(stage, 'pg-boss', instances, how),
  };
}
