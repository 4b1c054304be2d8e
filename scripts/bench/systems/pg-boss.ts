// pg-boss: jobs by its own client, over the benchmark's connections.
import type { PgBoss } from 'pg-boss';
import { jobOf } from '../stage/rows.js';
import type { Stage } from '../stage/stage.js';
import { countOf, type Queryable, type System, startWorkers } from './system.js';

export async function pgBoss(
  stage: Stage,
  /** Of its queue. */
  queue: { readonly heartbeatSeconds?: number } = {},
): Promise<System<'pg-boss'>> {
  const started = async (connection: Queryable): Promise<PgBoss> => {
    const { PgBoss } = await import('pg-boss');
    const boss = new PgBoss({
      db: { executeSql: (text, values) => connection.query(text, values) },
      supervise: false,
      schedule: false,
      registerInstance: false,
    });
    stage.undo(() => boss.stop({ graceful: false }));
    return boss.start();
  };
  const boss = await started(stage.client);
  await boss.createQueue('transfer', { notify: true, ...queue });
  const senders = new Map<Queryable, Promise<PgBoss>>([[stage.client, Promise.resolve(boss)]]);
  /** One a connection, since an instance has one way to the database. */
  const over = (connection: Queryable): Promise<PgBoss> => {
    const known = senders.get(connection) ?? started(connection);
    senders.set(connection, known);
    return known;
  };
  return {
    name: 'pg-boss',
    async insert(connection, row) {
      await (await over(connection)).send('transfer', jobOf(row));
    },
    async fill(connection, rows) {
      await (await over(connection)).insert(
        'transfer',
        rows.map((row) => ({ data: jobOf(row) })),
      );
    },
    left: (connection) =>
      countOf(
        connection,
        "select count(*)::int from pgboss.job where name = 'transfer' and state < 'completed'",
      ),
    start: (instances, how) => startWorkers(stage, 'pg-boss', instances, how),
  };
}
