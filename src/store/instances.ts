// Heartbeats: what an instance says of itself every few seconds, so that any other, and `status`, can show the whole fleet.
// Nothing is decided by them: claims and leases alone say who may do what.
import type { DbMillis } from '../core/ids.js';
import type { PausedPart } from '../ports/store.js';
import type { Database } from './pool.js';
import type { Statement } from './statements.js';

export interface Blocker {
  readonly part: string;
  readonly reason: string;
}

export interface Beat {
  readonly instance: string;
  readonly version: string;
  readonly protocol: number;
  readonly leaseMs: number;
  readonly beatMs: number;
  /** What others may want to know; no secrets. */
  readonly settings: Readonly<Record<string, string | number | null>>;
  /** Its last beat: it has let go of everything that it could. */
  readonly stopped: boolean;
  readonly ready: boolean;
  readonly blockers: readonly Blocker[];
  readonly submissions: number;
  readonly looks: number;
  /** Since when it holds the oldest of its rows. */
  readonly oldestHeldAt: DbMillis | null;
  readonly endedLastMinute: number;
  readonly counters: Readonly<Record<string, number>>;
}

/** Primary key; a HOT update, since no index knows what changes. */
const BEAT: Statement<PausedPart> = { text: 'select * from mempool_beat_v1($1, $2)' };

export const beat = (
  database: Pick<Database, 'run'>,
  holder: string,
  told: Beat,
): Promise<readonly PausedPart[]> =>
  database.run(BEAT, [
    holder,
    {
      instance: told.instance,
      version: told.version,
      protocol: told.protocol,
      settings: told.settings,
      lease_ms: told.leaseMs,
      beat_ms: told.beatMs,
      stopped: told.stopped,
      ready: told.ready,
      blockers: told.blockers,
      submissions: told.submissions,
      looks: told.looks,
      oldest_held_at: told.oldestHeldAt,
      ended_last_minute: told.endedLastMinute,
      counters: told.counters,
    },
  ]);

/** The table has one row for each start of the last day, so it is read whole. */
const FORGET_OLD_INSTANCES: Statement<never> = {
  text: "delete from mempool_instances_v1 where seen_at < now() - interval '1 day'",
};

/** Removes instances that nobody has heard of for a day. */
export async function forgetInstances(database: Database): Promise<void> {
  await database.run(FORGET_OLD_INSTANCES, []);
}
