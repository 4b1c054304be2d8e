// The stories of rows (mempool_attempts_v1), once they are old: `prune` removes them when a person says so, and one instance of
// the fleet a few at a time (STORIES_KEPT_DAYS).
import type { Database } from './pool.js';
import type { Statement } from './statements.js';

/**
 * mempool_attempts_ended_v1: it reads what it deletes, and nothing else, however many rows are gone whose stories are kept. A
 * story has no key, and is never updated. $1 age in ms, $2 how many at most.
 */
export const FORGET_STORIES: Statement<{ readonly rows: number }> = {
  text: `with gone as (
      delete from mempool_attempts_v1 a where a.ctid = any (array(
        select o.ctid from mempool_attempts_v1 o
         where o.ended_at < now() - $1::float8 * interval '1 ms' order by o.ended_at limit $2::int))
      returning 1
    )
    select count(*)::int as rows from gone`,
};

/** $1 age in ms. */
export const COUNT_OLD_STORIES: Statement<{ readonly rows: number }> = {
  text: `select count(*)::int as rows from mempool_attempts_v1 a where a.ended_at < now() - $1::float8 * interval '1 ms'`,
};

/** The longest-running of those that forget at all and were heard of within a minute. A table of a few rows. */
const TURN: Statement<{ readonly mine: boolean }> = {
  text: `select $1 = (select i.holder from mempool_instances_v1 i
      where i.stopped_at is null and i.seen_at > now() - interval '1 minute' and (i.settings->>'storiesKeptDays')::int > 0
      order by i.started_at, i.holder limit 1) as mine`,
};

/** About 10 ms, and no lock that a claim or a settle could wait for. */
const BATCH = 1_000;

/** Removes one batch, if it is this instance that does so for the fleet. `more`: there may be another. */
export async function forgetStories(
  database: Database,
  holder: string,
  olderThanMs: number,
): Promise<{ readonly rows: number; readonly more: boolean }> {
  const [turn] = await database.run(TURN, [holder]);
  if (turn?.mine !== true) return { rows: 0, more: false };
  const [batch] = await database.run(FORGET_STORIES, [olderThanMs, BATCH]);
  const rows = batch?.rows ?? 0;
  return { rows, more: rows === BATCH };
}
