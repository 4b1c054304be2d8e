// `prune`: old mined rows, deleted in batches. What is deleted is remembered by its hash (I4), by a trigger of the table:
// without it nothing is deleted here.
import { Refusal } from '../../core/errors.js';
import type { Database } from '../pool.js';
import type { Statement } from '../statements.js';

/** Rows of the primary key that one statement goes over: some 50 ms, and a lock on what it deletes for as long. */
const BATCH = 2_000;

/** $1 age in ms, $2 the last id that was gone over, $3 how many to go over, $4 false: count only. */
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

/** The memory is kept, of every session that a replica's role does not silence. */
const REMEMBERS: Statement<{ readonly yes: boolean }> = {
  text: `select current_setting('session_replication_role') <> 'replica' and exists (
      select from pg_trigger t where t.tgrelid = to_regclass('mempool') and t.tgname = 'mempool_remember_v1'
        and t.tgenabled in ('O', 'A')) as yes`,
};

/** How many rows were (or with `dryRun` would be) deleted. `going` is told after each batch. */
export async function prune(
  database: Database,
  olderThanMs: number,
  { dryRun, going = () => {} }: { readonly dryRun: boolean; readonly going?: (rows: number) => void },
): Promise<number> {
  const [remembers] = await database.run(REMEMBERS, []);
  if (remembers?.yes !== true) {
    throw new Refusal(
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
