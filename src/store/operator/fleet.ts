// The fleet: every instance that has said anything within a day, and whoever else holds rows. For `status`, the page and
// anybody's monitoring; read only.
import { type DbMillis, dbMillis } from '../../core/ids.js';
import type { Clock } from '../../ports/clock.js';
import type { Blocker } from '../instances.js';
import type { Database } from '../pool.js';
import type { Statement } from '../statements.js';

/**
 * `silent`: its heartbeats are late, but its leases still run. `dead`: they do not, so others have its rows or soon will.
 * `unregistered`: it holds rows and sends no heartbeats, as instances of an earlier build.
 */
export type Life = 'ready' | 'not-ready' | 'silent' | 'dead' | 'stopped' | 'unregistered';

export interface FleetInstance {
  /** One start of an instance, as in `claimed_by`. */
  readonly holder: string;
  /** INSTANCE_ID; null for an unregistered one. */
  readonly instance: string | null;
  readonly version: string | null;
  readonly life: Life;
  readonly startedAt: DbMillis | null;
  readonly seenAt: DbMillis | null;
  /** Since when it is ready, or is not. */
  readonly readyChangedAt: DbMillis | null;
  /** Why it is not ready, and what else is wrong. */
  readonly blockers: readonly Blocker[];
  /** As it said last. */
  readonly inFlight: { readonly submissions: number; readonly looks: number };
  /** As it said last: since when it holds the oldest of its rows. */
  readonly oldestHeldAt: DbMillis | null;
  /** Rows that it holds, as the database has it; null leases have run out. */
  readonly held: {
    readonly rows: number;
    readonly oldestAt: DbMillis | null;
    /** The last of its leases. */
    readonly leaseUntil: DbMillis | null;
  };
  /** Rows that others took back from it after its leases had run out. */
  readonly lostRows: number;
  /** Rows that it completed or failed within the minute before its last heartbeat. */
  readonly endedLastMinute: number;
  /** Since its start. */
  readonly counters: Readonly<Record<string, number>>;
  readonly settings: Readonly<Record<string, string | number | null>>;
}

/** What `lifeOf` goes by. Times in ms on the database's clock. */
export interface Signs {
  readonly seenAt: number | null;
  readonly stoppedAt: number | null;
  readonly ready: boolean;
  readonly beatMs: number;
  readonly leaseMs: number;
  /** The last of the leases that it holds in the table; null: it holds nothing. */
  readonly leaseUntil: number | null;
}

const LATE_BEATS = 3;
/** A lease is renewed every third of it: an instance killed right before a renewal has two thirds of it left. */
const DEAD_AFTER = 2 / 3;

export function lifeOf(signs: Signs, now: number): Life {
  const { seenAt, stoppedAt, ready, beatMs, leaseMs, leaseUntil } = signs;
  if (seenAt === null) return leaseUntil !== null && leaseUntil > now ? 'unregistered' : 'dead';
  if (stoppedAt !== null) return 'stopped';
  const silentFor = now - seenAt;
  if (silentFor > leaseMs * DEAD_AFTER && (leaseUntil ?? 0) <= now) return 'dead';
  if (silentFor > beatMs * LATE_BEATS) return 'silent';
  return ready ? 'ready' : 'not-ready';
}

interface Held {
  readonly held_rows: number | null;
  readonly held_since: number | null;
  readonly lease_until: number | null;
}

interface FleetTuple extends Held {
  readonly holder: string;
  readonly instance: string | null;
  readonly version: string | null;
  readonly settings: FleetInstance['settings'] | null;
  readonly lease_ms: number | null;
  readonly beat_ms: number | null;
  readonly started_at: number | null;
  readonly seen_at: number | null;
  readonly stopped_at: number | null;
  readonly ready: boolean | null;
  readonly ready_changed_at: number | null;
  readonly blockers: readonly Blocker[] | null;
  readonly submissions: number | null;
  readonly looks: number | null;
  readonly oldest_held_at: number | null;
  readonly ended_last_minute: number | null;
  readonly counters: Readonly<Record<string, number>> | null;
  readonly lost_rows: number | null;
  readonly now: number;
}

const ms = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;

const SAID = `i.instance, i.version, i.settings, i.lease_ms, i.beat_ms, ${ms('i.started_at')} as started_at,
    ${ms('i.seen_at')} as seen_at, ${ms('i.stopped_at')} as stopped_at, i.ready, ${ms('i.ready_changed_at')} as ready_changed_at,
    i.blockers, i.submissions, i.looks, ${ms('i.oldest_held_at')} as oldest_held_at, i.ended_last_minute, i.counters, i.lost_rows,
    ${ms('now()')} as now`;

/** The index of claims, and a table with one row for each start of the last day. */
const FLEET: Statement<FleetTuple> = {
  text: `with held as (
      select coalesce(m.claimed_by, '') as holder, count(*)::int as rows, min(m.claimed_at) as since, max(m.lease_expires_at) as until
        from mempool m where m.status = 'pending' and m.claim_token is not null group by 1)
    select coalesce(i.holder, h.holder) as holder, ${SAID},
        h.rows as held_rows, ${ms('h.since')} as held_since, ${ms('h.until')} as lease_until
      from mempool_instances_v1 i full join held h on h.holder = i.holder
     order by coalesce(i.instance, h.holder), i.started_at`,
};

/** Without what they hold. */
const INSTANCES: Statement<Omit<FleetTuple, keyof Held>> = {
  text: `select i.holder, ${SAID} from mempool_instances_v1 i order by i.instance, i.started_at`,
};

/** Those that have stopped are shown for an hour, the dead for a day. */
const STOPPED_SHOWN_MS = 3_600_000;

export const readFleet = async (database: Pick<Database, 'run'>): Promise<readonly FleetInstance[]> =>
  shown(await database.run(FLEET, []));

const HELD_FRESH_MS = 30_000;
/** For so many times its lease after an instance was last heard of, others may be taking its rows. */
const LEASES_TO_LOSE = 2;

/**
 * For a page, which asks again and again. What instances hold is read through every row in flight, and only shown of those that
 * are gone or send no heartbeats: while none is going and one is ready, twice a minute.
 */
export function createFleetReader(
  database: Pick<Database, 'run'>,
  clock: Clock,
): () => Promise<readonly FleetInstance[]> {
  let readAt = Number.NEGATIVE_INFINITY;
  /** The same on the database's clock. */
  let heldAt = 0;
  let held: ReadonlyMap<string, Held> = new Map();
  let unregistered = false;

  const going = (one: Omit<FleetTuple, keyof Held>): boolean => {
    const [silentFor, lease] = [one.now - (one.seen_at ?? one.now), one.lease_ms ?? 0];
    const late = Math.min((one.beat_ms ?? 0) * LATE_BEATS, lease * DEAD_AFTER);
    const gone = one.stopped_at !== null || silentFor > late;
    // What was read before then does not tell what it held in the end.
    const readLate = heldAt - (one.seen_at ?? heldAt) >= lease * LEASES_TO_LOSE;
    return gone && (!readLate || held.has(one.holder));
  };
  return async () => {
    // An instance that sends no heartbeats is known by what it holds alone.
    if (!unregistered && clock.elapsed() - readAt < HELD_FRESH_MS) {
      const tuples = await database.run(INSTANCES, []);
      const fleet = shown(tuples.map((one) => ({ ...one, ...(held.get(one.holder) ?? NOTHING) })));
      // Where none of these is ready, an earlier build may be all that moves.
      if (!tuples.some(going) && fleet.some(({ life }) => life === 'ready')) return fleet;
    }
    const tuples = await database.run(FLEET, []);
    readAt = clock.elapsed();
    heldAt = tuples[0]?.now ?? 0;
    held = new Map(
      tuples.flatMap(({ holder, held_rows, held_since, lease_until }) =>
        held_rows === null ? [] : [[holder, { held_rows, held_since, lease_until }]],
      ),
    );
    unregistered = tuples.some(({ seen_at }) => seen_at === null);
    return shown(tuples);
  };
}

const NOTHING: Held = { held_rows: null, held_since: null, lease_until: null };

const shown = (tuples: readonly FleetTuple[]): readonly FleetInstance[] =>
  tuples
    .map(instanceOf)
    .filter(
      ({ tuple, instance }) =>
        instance.life !== 'stopped' || tuple.now - (tuple.stopped_at ?? 0) < STOPPED_SHOWN_MS,
    )
    .map(({ instance }) => instance);

function instanceOf(tuple: FleetTuple): { readonly tuple: FleetTuple; readonly instance: FleetInstance } {
  const signs: Signs = {
    seenAt: tuple.seen_at,
    stoppedAt: tuple.stopped_at,
    ready: tuple.ready ?? false,
    beatMs: tuple.beat_ms ?? 0,
    leaseMs: tuple.lease_ms ?? 0,
    leaseUntil: tuple.lease_until,
  };
  const instance: FleetInstance = {
    holder: tuple.holder,
    instance: tuple.instance,
    version: tuple.version,
    life: lifeOf(signs, tuple.now),
    startedAt: timeOf(tuple.started_at),
    seenAt: timeOf(tuple.seen_at),
    readyChangedAt: timeOf(tuple.ready_changed_at),
    blockers: tuple.blockers ?? [],
    inFlight: { submissions: tuple.submissions ?? 0, looks: tuple.looks ?? 0 },
    oldestHeldAt: timeOf(tuple.oldest_held_at),
    held: {
      rows: tuple.held_rows ?? 0,
      oldestAt: timeOf(tuple.held_since),
      leaseUntil: timeOf(tuple.lease_until),
    },
    lostRows: tuple.lost_rows ?? 0,
    endedLastMinute: tuple.ended_last_minute ?? 0,
    counters: tuple.counters ?? {},
    settings: tuple.settings ?? {},
  };
  return { tuple, instance };
}

const timeOf = (value: number | null): DbMillis | null => (value === null ? null : dbMillis(value));
