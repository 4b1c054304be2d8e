// The last hour, for the page: what each instance did, and the queue, counted by one of them for all (mempool_samples_v1).
import { dbMillis } from '../core/ids.js';
import type { QueueCounts } from '../protocol/row-state.js';
import { looksStuck } from './operator/assess.js';
import { type Due, readDue } from './operator/due.js';
import type { Database } from './pool.js';
import { type Statement, UNFLUSHED } from './statements.js';
import { type Count, countNow, readQueue } from './status.js';

/** `sample` is what another build may have written: to be read with care. `at` in ms on the database's clock. */
export interface StoredSample {
  readonly at: number;
  readonly sample: unknown;
}

/** What one of the instances has counted. */
export interface SharedQueue {
  readonly at: number;
  /** The database's time of asking. */
  readonly now: number;
  readonly queue: QueueCounts;
  readonly due: Due;
  readonly dueAt: number;
}

/** What is due takes far longer to count than the queue, so it has a time of its own. */
interface DueCount extends Pick<SharedQueue, 'due' | 'dueAt'> {
  readonly dueTookMs: number;
  /** How many rows were pending then. */
  readonly dueOf: number;
}

/** As it is stored. */
interface Counted extends DueCount, Pick<SharedQueue, 'queue'> {
  readonly tookMs: number;
}

interface Last {
  readonly sample: Counted;
  readonly at: number;
  readonly now: number;
  readonly due: boolean;
}

/**
 * A count reads every pending row, so the next one has to wait for so many times as long as the last one took: all
 * instances and all pages together spend an eighth of a per cent of one core on the queue, and as much on what is due.
 */
const REST = 800;
/** But never longer, so that plots have points; what is due takes ten times as long to count, and alerts and autoscalers go by it. */
const REST_MOST_MS = 60_000;
const DUE_REST_MOST_MS = 120_000;

/**
 * $1 ms. A minute is the longest wait, so that a plot has points. An entry from the future is from before a failover to a
 * server whose clock is behind. Primary key.
 */
const LAST: Statement<Last> = {
  text: `select s.sample, (extract(epoch from s.at) * 1000)::float8 as at, (extract(epoch from clock_timestamp()) * 1000)::float8 as now,
      s.at > clock_timestamp() or clock_timestamp() - s.at
        >= greatest($1::float8, least(${REST_MOST_MS}, ${REST} * coalesce((s.sample->>'tookMs')::float8, 0))) * interval '1 ms' as due
    from mempool_samples_v1 s where s.holder = '' order by s.at desc limit 1`,
};

const CLOCK: Statement<{ readonly now: number }> = {
  text: 'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now',
};

/** Somebody else counts while this is held. */
const LOCK = 'select pg_try_advisory_xact_lock(1835363696, 16) as mine';
const WRITE = `insert into mempool_samples_v1 (holder, sample) select $1::text, $2::jsonb where ${UNFLUSHED} is not null
    on conflict do nothing`;
/** As old as the transaction, as the ages in it are: what is due was counted later, or is from an earlier count. */
const WRITE_COUNT = `insert into mempool_samples_v1 (at, holder, sample) values (now(), '', $1) on conflict do nothing`;
/** A plot shows an hour. */
const DELETE_OLD_SAMPLES = `delete from mempool_samples_v1 where at < clock_timestamp() - interval '65 minutes' or at > clock_timestamp()`;

/** At most `freshMs` old where a count is cheap, older where it is not. Null: nobody has counted yet. */
export async function sampleQueue(database: Database, freshMs: number): Promise<SharedQueue | null> {
  const [last] = await database.run(LAST, [freshMs]);
  if (last?.due !== false) {
    const counted = await count(database, freshMs);
    if (counted !== null) return counted;
  }
  if (last === undefined) return null;
  const { queue, due, dueAt } = last.sample;
  return { at: last.at, now: last.now, queue, due, dueAt };
}

/** For whoever asks again and again: what the fleet shares. */
export async function countShared(database: Database, freshMs: number): Promise<Count> {
  const shared = await sampleQueue(database, freshMs);
  if (shared === null) return await countNow(database);
  const { now, at, queue, due, dueAt } = shared;
  return { now: dbMillis(now), queue, due, countedAt: { queue: dbMillis(at), due: dbMillis(dueAt) } };
}

async function count(database: Database, freshMs: number): Promise<SharedQueue | null> {
  return await database.transaction(async (client) => {
    const run: Database['run'] = async (statement, values) =>
      (await client.query({ text: statement.text, values: [...values] })).rows;
    const { rows } = await client.query<{ mine: boolean }>(LOCK);
    // What a count took is its CPU time only if one process of the server does it.
    await client.query('set local max_parallel_workers_per_gather = 0; set local synchronous_commit = off');
    if (rows[0]?.mine !== true) return null;
    const clock = async (): Promise<number> => (await run(CLOCK, []))[0]?.now ?? 0;
    const began = await clock();
    // Whoever had it before may have just counted.
    const [last] = await run(LAST, [freshMs]);
    if (last?.due === false) return null;
    const { now, queue } = await readQueue({ run });
    const at = await clock();
    const known = last?.sample;
    const pending = Object.values(queue).reduce((sum, { rows }) => sum + rows, 0);
    // With fewer rows the count takes less time. A sample stored by another build may lack some fields.
    const expectedMs = (known?.dueTookMs ?? 0) * Math.min(1, (pending + 1) / ((known?.dueOf ?? 0) + 1));
    const kept: DueCount | null =
      known === undefined
        ? null
        : { due: known.due, dueAt: known.dueAt, dueTookMs: known.dueTookMs, dueOf: known.dueOf };
    const resting =
      kept !== null &&
      at >= kept.dueAt &&
      at - kept.dueAt < Math.min(DUE_REST_MOST_MS, REST * expectedMs) &&
      // Nobody is told to restart an instance by an old count, nor left untold because it is old.
      !looksStuck({ due: kept.due, queue });
    let failedMs = 0;
    const countDue = async (): Promise<DueCount> => {
      await client.query('savepoint due');
      try {
        return { due: await readDue({ run }), dueAt: at, dueTookMs: (await clock()) - at, dueOf: pending };
      } catch (error) {
        // A count that a time-out ends must not hide the queue, least of all when there is most of it; the old one keeps its time.
        if (kept === null) throw error;
        await client.query('rollback to savepoint due');
        failedMs = (await clock()) - at;
        return kept;
      }
    };
    const told = resting ? kept : await countDue();
    const sample: Counted = { queue, tookMs: at - began + failedMs, ...told };
    await client.query(DELETE_OLD_SAMPLES);
    await client.query(WRITE_COUNT, [sample]);
    return { at: now, now: at, queue, due: sample.due, dueAt: sample.dueAt };
  });
}

export async function writeSample(database: Database, holder: string, sample: object): Promise<void> {
  await database.run({ text: WRITE }, [holder, sample]);
}

/** Primary key. */
const SINCE: Statement<{ readonly at: number; readonly holder: string; readonly sample: unknown }> = {
  text: `select (extract(epoch from s.at) * 1000)::float8 as at, s.holder, s.sample from mempool_samples_v1 s
    where s.at > to_timestamp($1::float8 / 1000) order by s.at`,
};

export interface Samples {
  readonly instances: readonly StoredSample[];
  readonly queues: readonly StoredSample[];
}

/** Those that ended after `since`, in order. */
export async function readSamples(database: Database, since: number): Promise<Samples> {
  const tuples = await database.run(SINCE, [since]);
  return {
    instances: tuples.filter(({ holder }) => holder !== ''),
    queues: tuples.filter(({ holder }) => holder === ''),
  };
}
