// What `status`, the status page and the metrics show of the queue. Cheap on a table of millions: a partial index answers every
// part, and lists are cut.
import { type DbMillis, dbMillis } from '../core/ids.js';
import type { Recheck } from '../ports/store.js';
import type { QueueCount, QueueCounts, QueueState } from '../protocol/row-state.js';
import { type Due, type LostOften, readDue, readLostOften } from './operator/due.js';
import { type FleetInstance, readFleet } from './operator/fleet.js';
import { type Pause, readPauses } from './operator/pauses.js';
import { type OutboxStatus, readOutboxStatus } from './outbox-status.js';
import { RECHECKED } from './pins.js';
import type { Database } from './pool.js';
import { ELSEWHERE, finite, LISTED, type ListedRow, type ListedTuple, listedRow } from './rows.js';
import type { Statement } from './statements.js';

export interface HolderCount {
  readonly holder: string;
  readonly rows: number;
}

export interface StatusRow extends ListedRow {
  readonly reason: string;
  readonly ageMs: number;
  /** It was sent on a participant that is no longer pinned. */
  readonly elsewhere: boolean;
}

/** Taken at one time, or each at its own where instances share what one of them has counted. */
export interface Count {
  readonly now: DbMillis;
  readonly queue: QueueStatus['queue'];
  readonly due: Due;
  /** On the database's clock. */
  readonly countedAt: { readonly queue: DbMillis; readonly due: DbMillis };
}

export interface QueueStatus {
  readonly now: DbMillis;
  readonly countedAt: Count['countedAt'];
  readonly queue: QueueCounts;
  /** The waiting rows that a claim could take now. The others wait for an earlier row of their sender. */
  readonly due: Due;
  readonly fleet: readonly FleetInstance[];
  readonly pauses: readonly Pause[];
  /** Rows that may be what kills instances. */
  readonly lostOften: readonly LostOften[];
  readonly holders: readonly HolderCount[];
  /** Latest first. */
  readonly failures: readonly StatusRow[];
  /** Oldest row first. */
  readonly parked: readonly StatusRow[];
  /** Why claims are halted; null: they are not. */
  readonly halted: string | null;
  /** A failover or restore of the last seven days: before `failed` is written, the ledger is read from there. */
  readonly recheck: (Recheck & { readonly at: DbMillis }) | null;
  /** The scheme under which external senders' transfers were last signed: V2 or V3; null before the first. */
  readonly hashingScheme: number | null;
  /** Undecided rows that were sent on a participant that is no longer pinned. */
  readonly recordedElsewhere: number;
  /** Outcomes on their way to others; null: none are kept. */
  readonly outcomes: OutboxStatus | null;
}

interface StateTuple {
  readonly state: QueueState;
  readonly rows: number;
  readonly oldest_ms: number | null;
  readonly now: number;
}

/**
 * mempool_fresh_v1, mempool_undecided_v1, and the index of claims. An id is as old as its row, so the oldest one of each
 * state is found without reading rows.
 */
const QUEUE: Statement<StateTuple> = {
  text: `with counted as materialized (
      select 'waiting' as state, count(*) as rows, min(m.id) as first from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is null and m.available_at <= now()
      union all
      select 'backoff', count(*), min(m.id) from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is null
         and m.available_at > now() and m.available_at < 'infinity'
      union all
      select 'undecided', count(*), min(m.id) from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is not null and m.available_at < 'infinity'
      union all
      select 'in-flight', count(*), min(m.id) from mempool m where m.status = 'pending' and m.claim_token is not null
      union all
      select 'parked', count(*), min(m.id) from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is null and m.available_at = 'infinity'
      union all
      select 'parked', count(*), min(m.id) from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is not null and m.available_at = 'infinity'
    )
    select c.state, c.rows, (extract(epoch from now() - ${finite('m.created_at')}) * 1000)::float8 as oldest_ms,
           floor(extract(epoch from now()) * 1000)::float8 as now
      from (select k.state, sum(k.rows)::int as rows, min(k.first) as first from counted k group by k.state) c
      left join mempool m on m.id = c.first`,
};

/** Reads every pending row: 20 ms for 100,000. */
export async function readQueue(
  database: Pick<Database, 'run'>,
): Promise<{ readonly now: DbMillis; readonly queue: QueueCounts }> {
  const states = await database.run(QUEUE, []);
  const of = (state: QueueState): QueueCount => {
    const tuple = states.find((one) => one.state === state);
    return { rows: tuple?.rows ?? 0, oldestMs: tuple?.oldest_ms ?? null };
  };
  return {
    now: dbMillis(states[0]?.now ?? 0),
    queue: {
      waiting: of('waiting'),
      'in-flight': of('in-flight'),
      undecided: of('undecided'),
      backoff: of('backoff'),
      parked: of('parked'),
    },
  };
}

interface StatusTuple extends ListedTuple {
  readonly reason: string | null;
  readonly age_ms: number;
  readonly elsewhere: boolean;
}

const STATUS_ROW = `${LISTED}, (extract(epoch from now() - ${finite('m.updated_at')}) * 1000)::float8 as age_ms,
    m.status = 'pending' and ${ELSEWHERE} as elsewhere`;

/** mempool_reasons_v1, backwards. */
const FAILURES: Statement<StatusTuple> = {
  text: `select ${STATUS_ROW}, coalesce(m.last_error, m.error_message) as reason from mempool m
    where m.error_message is not null order by m.updated_at desc limit $1`,
};

/** The far ends of mempool_fresh_v1 and mempool_undecided_v1. */
const PARKED: Statement<StatusTuple> = {
  text: `(select ${STATUS_ROW}, m.last_error as reason, m.id from mempool m
      where m.status = 'pending' and m.claim_token is null and m.sent_until is null
        and m.available_at = 'infinity' order by m.available_at, m.id limit $1)
    union all
    (select ${STATUS_ROW}, m.last_error as reason, m.id from mempool m
      where m.status = 'pending' and m.claim_token is null and m.sent_until is not null
        and m.available_at = 'infinity' order by m.available_at, m.id limit $1)
    order by id limit $1`,
};

interface PinnedStatusTuple {
  readonly halted: string | null;
  readonly scheme_in_force: number | null;
  readonly from: string | null;
  readonly until: number | null;
  readonly at: number | null;
  readonly elsewhere: number;
}

/** mempool_undecided_v1, for the rows of another participant. */
const PINNED_STATUS: Statement<PinnedStatusTuple> = {
  text: `select p.halted, p.scheme_in_force, case when ${RECHECKED} then p.recheck_from end as from,
      (extract(epoch from p.recheck_until) * 1000)::float8 as until, (extract(epoch from p.recheck_at) * 1000)::float8 as at,
      (select count(*)::int from mempool m where m.status = 'pending' and m.claim_token is null
          and m.sent_until is not null and m.sent_on <> p.sent_on) as elsewhere
    from mempool_submitter_v1 p`,
};

/** Only for `status`: nothing is decided by it. */
const SCHEME: Statement<Record<string, never>> = {
  text: 'update mempool_submitter_v1 set scheme_in_force = $1 where scheme_in_force is distinct from $1',
};

/** Called when the scheme changes: a few times in the life of a process. */
export async function tellScheme(database: Database, scheme: number): Promise<void> {
  await database.run(SCHEME, [scheme]);
}

const LISTED_ROWS = 50;

/** Reads every pending row: what instances ask for again and again, they share (samples.ts). */
export async function countNow(database: Database): Promise<Count> {
  const [{ now, queue }, due] = await Promise.all([readQueue(database), readDue(database)]);
  return { now, queue, due, countedAt: { queue: now, due: now } };
}

export async function readStatus(database: Database, count = countNow): Promise<QueueStatus> {
  const [counted, fleet, pauses, lostOften, failures, parked, pins, outcomes] = await Promise.all([
    count(database),
    readFleet(database),
    readPauses(database),
    readLostOften(database),
    database.run(FAILURES, [LISTED_ROWS]),
    database.run(PARKED, [LISTED_ROWS]),
    database.run(PINNED_STATUS, []),
    readOutboxStatus(database, LISTED_ROWS),
  ]);
  const [pin] = pins;
  return {
    ...counted,
    fleet,
    pauses,
    lostOften,
    holders: fleet.flatMap(({ holder, held: { rows } }) => (rows > 0 ? [{ holder, rows }] : [])),
    failures: failures.map(shown),
    parked: parked.map(shown),
    halted: pin?.halted ?? null,
    recheck: recheckOf(pin),
    hashingScheme: pin?.scheme_in_force ?? null,
    recordedElsewhere: pin?.elsewhere ?? 0,
    outcomes,
  };
}

export type ForMetrics = Pick<QueueStatus, 'now' | 'queue' | 'due' | 'pauses' | 'outcomes'>;

/** What a scrape needs of it. */
export async function readForMetrics(database: Database, count = countNow): Promise<ForMetrics> {
  const [{ now, queue, due }, pauses, outcomes] = await Promise.all([
    count(database),
    readPauses(database),
    readOutboxStatus(database, 0),
  ]);
  return { now, queue, due, pauses, outcomes };
}

function recheckOf(pin: PinnedStatusTuple | undefined): QueueStatus['recheck'] {
  if (pin === undefined || pin.from === null || pin.until === null || pin.at === null) return null;
  return { from: BigInt(pin.from), until: dbMillis(pin.until), at: dbMillis(pin.at) };
}

const shown = (tuple: StatusTuple): StatusRow => ({
  ...listedRow(tuple),
  reason: tuple.reason ?? '',
  ageMs: tuple.age_ms,
  elsewhere: tuple.elsewhere,
});
