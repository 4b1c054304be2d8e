// `prune --outcomes`: deletes entries of the outbox that everybody has: delivered, not meant for webhooks, or skipped, and
// acknowledged by every consumer. What is given up stays, since a person has to decide about it.
import type { Database } from '../pool.js';
import type { Statement } from '../statements.js';

const BATCH = 2_000;

/** Along the positions. $1 age in ms, $2 the last position of the batch before, $3 entries to go over, $4 false: only count. */
const PRUNE: Statement<{ readonly last: string | null; readonly rows: number }> = {
  text: `with batch as materialized (
      select o.id, o.position, o.delivery in ('none', 'delivered', 'skipped') and o.at < now() - $1::float8 * interval '1 ms'
          and o.position <= all (select c.acknowledged from mempool_outbox_consumers_v1 c) as over
        from mempool_outbox_v1 o where o.position > $2::bigint order by o.position limit $3::int
    ), gone as (
      delete from mempool_outbox_v1 o using batch b
       where $4::boolean and o.id = b.id and b.over and o.delivery in ('none', 'delivered', 'skipped')
      returning o.id
    )
    select (select max(b.position) from batch b) as last,
      case when $4::boolean then (select count(*)::int from gone) else (select count(*)::int from batch b where b.over) end as rows`,
};

/** Returns how many entries were (with `dryRun`: would be) deleted. */
export async function pruneOutcomes(
  database: Database,
  olderThanMs: number,
  { dryRun }: { readonly dryRun: boolean },
): Promise<number> {
  let rows = 0;
  for (let last = '0'; ; ) {
    const [batch] = await database.run(PRUNE, [olderThanMs, last, BATCH, !dryRun]);
    if (batch === undefined || batch.last === null) return rows;
    last = batch.last;
    rows += batch.rows;
  }
}

const FORGET_CONSUMER: Statement<{ readonly consumer: string }> = {
  text: `delete from mempool_outbox_consumers_v1 c where c.consumer = $1
      and (c.lease_expires_at is null or c.lease_expires_at <= now()) returning c.consumer`,
};

/** A consumer that never comes back holds up the pruning. False: there is none of that name, or a process reads for it. */
export const forgetConsumer = async (database: Database, consumer: string): Promise<boolean> =>
  (await database.run(FORGET_CONSUMER, [consumer])).length > 0;
