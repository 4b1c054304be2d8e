// graphile-worker: jobs by its SQL functions, which its documentation has for applications in any language.
import { jobOf } from '../stage/rows.js';
import type { Stage } from '../stage/stage.js';
import { countOf, type System, startWorkers } from './system.js';

export async function graphileWorker(stage: Stage): Promise<System> {
  const { makeWorkerUtils } = await import('graphile-worker');
  const utils = await makeWorkerUtils({ connectionString: stage.url });
  await utils.migrate();
  await utils.release();
  return {
    name: 'graphile-worker',
    async insert(client, row) {
      await client.query({
        name: 'graphile-worker',
        text: "select graphile_worker.add_job('transfer', $1::json)",
        values: [JSON.stringify(jobOf(row))],
      });
    },
    async fill(client, rows) {
      await client.query(
        `select count(*) from graphile_worker.add_jobs(array(
          select ('transfer', job, null, now(), 25::smallint, null, 0::smallint, null)::graphile_worker.job_spec
            from unnest($1::json[]) job))`,
        [rows.map((row) => JSON.stringify(jobOf(row)))],
      );
    },
    left: (client) => countOf(client, 'select count(*)::int from graphile_worker._private_jobs'),
    start: (instances, how) => startWorkers(stage, 'graphile-worker', instances, how),
  };
}
