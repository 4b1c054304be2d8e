// The lock on mempool under which an instance rechecks, halts, or pins the participant. It conflicts with whatever works on the
// table as a whole (VACUUM, ANALYZE, REINDEX CONCURRENTLY), and everybody's inserts queue behind whoever waits for it.
import type pg from 'pg';
import { TableHeld } from '../core/errors.js';
import { monotonic } from '../runtime/clock.js';
import { sleep } from '../runtime/timers.js';
import { type Database, hasLostRace, wasLocked } from './pool.js';
import type { Statement } from './statements.js';

const LOCK_TRIES = 5;

/**
 * For a person: a transaction that no claim and no write-ahead overlaps: what they checked still holds when they commit. Waits
 * two seconds at a time, so that inserts do not queue behind it while somebody else keeps the table locked. Instances, which
 * would try for ever, have `createPinLock`.
 */
export async function underPinLock<T>(
  database: Database,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  for (let left = LOCK_TRIES; ; left--) {
    try {
      return await database.transaction(async (client) => {
        await client.query(LOCK_TIMEOUT);
        await client.query(PIN_LOCK);
        return await work(client);
      });
    } catch (error) {
      if (left <= 1 || (!wasLocked(error) && !hasLostRace(error))) throw error;
    }
  }
}

const LOCK_TIMEOUT = "set local lock_timeout = '2s'";
export const PIN_LOCK = 'lock table mempool in share row exclusive mode';

/** `before`: what cannot be done until the lock is there, in words. Throws TableHeld. */
export type PinLock = <T>(before: string, work: (client: pg.PoolClient) => Promise<T>) => Promise<T>;

interface Holder {
  readonly who: string;
  readonly pid: number | null;
  /** How many instances there are, each of which would wait. */
  readonly fleet: number;
}

/**
 * Whom the lock would have to wait for. $1 everybody, or only those who will not be gone in a moment: who has another lock than
 * writers have, or has had it for five seconds; and those ($2) that were waited for in vain. An autovacuum gives way to whoever
 * waits, unless it has to prevent a wraparound. Who has the turn is one of us.
 */
const HOLDERS: Statement<Holder> = {
  text: `with locks as materialized (select * from pg_locks)
    select coalesce(case when l.pid is null then 'a prepared transaction' end,
        format('%s (pid %s)', coalesce(case when a.query <> '' and a.query not like '<%' then left(regexp_replace(a.query, '\\s+', ' ', 'g'), 80) end,
          a.backend_type, 'a session of ' || a.usename, 'a session'), l.pid)) as who, l.pid,
      (select greatest(count(*), 1)::int from mempool_instances_v1 i
        where i.stopped_at is null and i.seen_at > now() - interval '1 minute') as fleet
    from (select k.pid, bool_or(k.mode <> 'RowExclusiveLock') as whole from locks k
           where k.locktype = 'relation' and k.relation = 'mempool'::regclass and k.granted
             and k.database = (select d.oid from pg_database d where d.datname = current_database())
             and k.mode not in ('AccessShareLock', 'RowShareLock') and k.pid is distinct from pg_backend_pid()
           group by k.pid) l
    left join pg_stat_activity a on a.pid = l.pid
   where not exists (select from locks o where o.pid = l.pid and o.locktype = 'advisory' and o.granted
           and o.classid = 1835363696 and o.objid = 5 and o.objsubid = 2)
     and ($1::boolean or l.pid is null or l.pid = any ($2::int[])
       or ((a.usesysid is not null or a.query like '%to prevent wraparound%')
         and (l.whole or a.xact_start < clock_timestamp() - interval '5 s')))
   order by l.pid`,
};

/** One instance at a time waits for the table. */
const TURN = 'select pg_advisory_xact_lock(1835363696, 5)';

/** Between two tries of the fleet, each of which holds up inserts for two seconds at most. */
const REST_MS = 15_000;
const BLINK_MS = 200;

export function createPinLock(database: Database, elapsed = monotonic.elapsed): PinLock {
  /** When to wait for the table all the same, as for writers that follow upon each other; null: nobody is in the way. */
  let tryAt: number | null = null;
  /** Those that were waited for in vain. */
  let stubborn: readonly number[] = [];

  const rest = (holders: readonly Holder[]): number => elapsed() + REST_MS * (holders[0]?.fleet ?? 1);

  /** Seen twice: an instance that commits gives its turn and the table back one after the other, and is gone in a blink. */
  async function inTheWay(): Promise<readonly Holder[]> {
    const first = await database.run(HOLDERS, [false, stubborn]);
    if (first.length === 0) return first;
    await sleep(BLINK_MS);
    const pids = new Set(first.map(({ pid }) => pid));
    return (await database.run(HOLDERS, [false, stubborn])).filter(({ pid }) => pids.has(pid));
  }

  async function once<T>(before: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const holders = await inTheWay();
    if (holders.length === 0) {
      tryAt = null;
      stubborn = [];
    } else {
      tryAt ??= rest(holders);
      if (elapsed() < tryAt) throw held(holders, before);
    }
    let stage: 'turn' | 'table' | 'work' = 'turn';
    try {
      return await database.transaction(async (client) => {
        await client.query(LOCK_TIMEOUT);
        await client.query(TURN);
        stage = 'table';
        await client.query(PIN_LOCK);
        stage = 'work';
        return await work(client);
      });
    } catch (error) {
      if (!wasLocked(error) || reached(stage) === 'work') throw error;
      if (reached(stage) === 'turn') throw new TableHeld(`waits for another instance, ${BEFORE} ${before}`);
      const all = await database.run(HOLDERS, [true, []]);
      stubborn = all.flatMap(({ pid }) => (pid === null ? [] : [pid]));
      tryAt = rest(all);
      throw held(all, before);
    }
  }

  return async (before, work) => {
    for (let left = LOCK_TRIES; ; left--) {
      try {
        return await once(before, work);
      } catch (error) {
        if (left <= 1 || (!wasLocked(error) && !hasLostRace(error))) throw error;
      }
    }
  };
}

/** The type is narrowed to what it was before the call. */
const reached = (stage: string): string => stage;

const BEFORE = 'which has the table mempool, to end before';

const held = (holders: readonly Holder[], before: string): TableHeld =>
  new TableHeld(
    `waits for ${holders.length === 0 ? 'a transaction' : holders.map(({ who }) => who).join(', ')}, ${BEFORE} ${before}`,
  );
