// The stories of rows (mempool_attempts_v1), once they are old: `prune` removes them when a person says so, and one instance of
// the fleet a few at a time (STORIES_KEPT_DAYS).
import type { Database } from './pool.js';
import type { Statement } from './statements.js';

interface Batch {
  /** Where the next one begins; null: there was none. */
  readonly last: string | null;
  readonly rows: number;
  /** Nothing after it can be old: its last row had not arrived by then. A row that is gone does not tell. */
  readonly young: boolean;
}

/**
 * Along mempool_attempts_row_v1. A story has no key: entries of one row that are old together go together. $1 age in ms, $2 the
 * last row of the batch before, $3 entries to go over, $4 false: only count.
 */
export const OLD_STORIES: Statement<Batch> = {
  text: `with batch as materialized (
      select a.row_id, a.ended_at < now() - $1::float8 * interval '1 ms' as old
        from mempool_attempts_v1 a where a.row_id > $2::bigint order by a.row_id limit $3::int
    ), gone as (
      delete from mempool_attempts_v1 a
       where $4::boolean and a.row_id > $2::bigint and a.row_id <= (select max(b.row_id) from batch b)
         and a.ended_at < now() - $1::float8 * interval '1 ms'
      returning a.row_id
    )
    select (select max(b.row_id) from batch b) as last,
      case when $4::boolean then (select count(*)::int from gone) else (select count(*)::int from batch b where b.old) end as rows,
      coalesce((select m.created_at >= now() - $1::float8 * interval '1 ms' from mempool m
          where m.id = (select max(b.row_id) from batch b)), false) as young`,
};

/** The longest-running of those that forget at all and were heard of within a minute. A table of a few rows. */
const TURN: Statement<{ readonly mine: boolean }> = {
  text: `select $1 = (select i.holder from mempool_instances_v1 i
      where i.stopped_at is null and i.seen_at > now() - interval '1 minute' and (i.settings->>'storiesKeptDays')::int > 0
      order by i.started_at, i.holder limit 1) as mine`,
};

/** About 10 ms, and no lock that a claim or a settle could wait for. */
const BATCH = 1_000;

export interface ForgetStories {
  readonly holder: string;
  readonly olderThanMs: number;
  /** `next` of the call before; null: from the beginning. */
  readonly after: string | null;
}

/** Removes one batch, if it is this instance that does so for the fleet. `next` null: nothing is left to do for now. */
export async function forgetStories(
  database: Database,
  { holder, olderThanMs, after }: ForgetStories,
): Promise<{ readonly rows: number; readonly next: string | null }> {
  const [turn] = await database.run(TURN, [holder]);
  if (turn?.mine !== true) return { rows: 0, next: null };
  const [batch] = await database.run(OLD_STORIES, [olderThanMs, after ?? '-1', BATCH, true]);
  return { rows: batch?.rows ?? 0, next: batch === undefined || batch.young ? null : batch.last };
}
