// Who keeps vacuum from our table: while a transaction stays open elsewhere in the database, every claim has to step over all
// rows that have ended since it began.
import { every } from '../runtime/timers.js';
import type { Database } from './pool.js';
import type { Statement } from './statements.js';

/** The oldest snapshot that somebody else holds. */
export interface SnapshotEvent {
  readonly kind: 'snapshot';
  /** Null: this role may not see since when (it lacks pg_read_all_stats), or the holder is not a session. */
  readonly ageMs: number | null;
  /** How many transactions have begun since then. */
  readonly transactions: number;
  /** Who holds it, in words; empty: nobody does. */
  readonly holder: string;
}

interface Oldest {
  readonly holder: string;
  readonly age_ms: number | null;
  readonly transactions: number;
}

/**
 * Reads only system views, once a minute. A standby with hot_standby_feedback appears as a session without a database;
 * without pg_read_all_stats, the kind of other sessions is hidden.
 */
const OLDEST: Statement<Oldest> = {
  text: `select h.holder, (extract(epoch from clock_timestamp() - h.since) * 1000)::float8 as age_ms, age(h.xmin)::float8 as transactions
    from (
      select format('session %s (%s)', a.pid, coalesce(nullif(a.application_name, ''), a.usename, 'unnamed')) as holder,
             a.xact_start as since, a.backend_xmin as xmin
        from pg_stat_activity a
       where a.backend_xmin is not null and a.pid <> pg_backend_pid()
         and coalesce(a.datname, current_database()) = current_database()
         and coalesce(a.backend_type, case when a.datname is not null then 'client backend' end) in ('client backend', 'walsender')
      union all
      select format('prepared transaction %s', p.gid), p.prepared, p.transaction
        from pg_prepared_xacts p where p.database = current_database()
      union all
      select format('replication slot %s', s.slot_name), null, s.xmin
        from pg_replication_slots s where s.xmin is not null) h
   order by age(h.xmin) desc limit 1`,
};

export async function oldestSnapshot(database: Pick<Database, 'run'>): Promise<SnapshotEvent> {
  const [oldest] = await database.run(OLDEST, []);
  return oldest === undefined
    ? { kind: 'snapshot', ageMs: null, transactions: 0, holder: '' }
    : { kind: 'snapshot', ageMs: oldest.age_ms, transactions: oldest.transactions, holder: oldest.holder };
}

const EVERY_MS = 60_000;

export function watchSnapshots(
  database: Pick<Database, 'run'>,
  emit: (event: SnapshotEvent) => void,
): { stop(): Promise<void> } {
  // That the database is away is reported elsewhere.
  const look = async (): Promise<void> => emit(await oldestSnapshot(database));
  void look().catch(() => {});
  return every(EVERY_MS, 0.2, look, () => {});
}
