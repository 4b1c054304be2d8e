// `prune`: deletes old mined rows, and old entries of rows' stories, in batches. A trigger of the table remembers the hash of each (I4); without that trigger
// nothing is deleted.
import { CommandRefused } from '../../core/errors.js';
import type { Database } from '../pool.js';
import type { Statement } from '../statements.js';
import { COUNT_OLD_STORIES, FORGET_STORIES } from '../stories.js';

/** Rows that one statement goes over: about 50 ms, and for as long it locks what it deletes. */
const BATCH = 2_000;

/** Along the primary key. $1 age in ms, $2 the last id of the batch before, $3 rows to go over, $4 false: only count. */
const PRUNE: Statement<{ readonly last: string | null; readonly rows: number }> = {
  text: `with batch as materialized (
      select m.id, m.status = 'mined' and m.updated_at < now() - $1::float8 * interval '1 ms' as old
        from mempool m where m.id > $2::bigint order by m.id limit $3::int
    ), gone as (
      delete from mempool m using batch b
       where $4::boolean and m.id = b.id and b.old and m.status = 'mined'
      returning m.id
    )
    select (select max(b.id) from batch b) as last,
      case when $4::boolean then (select count(*)::int from gone) else (select count(*)::int from batch b where b.old) end as rows`,
};

/** Whether the trigger is in force in this session, which the role of a replica would prevent. */
const REMEMBERS: Statement<{ readonly yes: boolean }> = {
  text: `select current_setting('session_replication_role') <> 'replica' and exists (
      select from pg_trigger t where t.tgrelid = to_regclass('mempool') and t.tgname = 'mempool_remember_v1'
        and t.tgenabled in ('O', 'A')) as yes`,
};

/** Returns how many rows were (with `dryRun`: would be) deleted. `going` is called after each batch. */
export async function prune(
  database: Database,
  olderThanMs: number,
  { dryRun, going = () => {} }: { readonly dryRun: boolean; readonly going?: (rows: number) => void },
): Promise<number> {
  const [remembers] = await database.run(REMEMBERS, []);
  if (remembers?.yes !== true) {
    throw new CommandRefused(
      'refused: the trigger mempool_remember_v1 is missing or disabled, so a deleted transaction could be paid again; run `canton-submitter migrate`',
    );
  }
  let rows = 0;
  for (let last = '-1'; ; ) {
    const [batch] = await database.run(PRUNE, [olderThanMs, last, BATCH, !dryRun]);
    if (batch === undefined || batch.last === null) return rows;
    last = batch.last;
    rows += batch.rows;
    going(rows);
  }
}

/** The same for what is told of attempts that ended so long ago, whatever has become of their rows. */
export async function pruneStories(
  database: Database,
  olderThanMs: number,
  { dryRun }: { readonly dryRun: boolean },
): Promise<number> {
  if (dryRun) return (await database.run(COUNT_OLD_STORIES, [olderThanMs]))[0]?.rows ?? 0;
  for (let rows = 0; ; ) {
    const [batch] = await database.run(FORGET_STORIES, [olderThanMs, BATCH]);
    rows += batch?.rows ?? 0;
    if (batch === undefined || batch.rows < BATCH) return rows;
  }
}
