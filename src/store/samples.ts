// The last hour, for the page: what each instance did, and the queue, counted by one of them for all (mempool_samples_v1).
import type { QueueCounts } from '../protocol/row-state.js';
import { type Due, readDue } from './operator/due.js';
import type { Database } from './pool.js';
import type { Statement } from './statements.js';
import { readQueue } from './status.js';

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
}

/** As it is stored. What is due takes far longer to count than the queue, so it has a time of its own. */
interface Counted extends Pick<SharedQueue, 'queue' | 'due'> {
  readonly tookMs: number;
  readonly dueAt: number;
  readonly dueTookMs: number;
}

interface Last {
  readonly sample: Counted | null;
  readonly at: number | null;
  readonly now: number;
  readonly due: boolean;
}

/**
 * A count reads every pending row, so the next one has to wait for so many times as long as the last one took: all
 * instances and all pages together spend a quarter of a per cent of one core on it.
 */
const REST = 400;

/**
 * $1 ms. A minute is the longest wait, so that a plot has points. An entry from the future is from before a failover to a
 * server whose clock is behind. Primary key.
 */
const LAST: Statement<Last> = {
  text: `select s.sample, (extract(epoch from s.at) * 1000)::float8 as at, (extract(epoch from clock_timestamp()) * 1000)::float8 as now,
      coalesce(s.at > clock_timestamp() or clock_timestamp() - s.at
        >= greatest($1::float8, least(60000, ${REST} * coalesce((s.sample->>'tookMs')::float8, 0))) * interval '1 ms', true) as due
    from (values (true)) one left join lateral
      (select * from mempool_samples_v1 where holder = '' order by at desc limit 1) s on true`,
};

const CLOCK: Statement<{ readonly now: number }> = {
  text: 'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now',
};

/** Somebody else counts while this is held. */
const LOCK = 'select pg_try_advisory_xact_lock(1835363696, 16) as mine';
const WRITE = `insert into mempool_samples_v1 (holder, sample) values ($1, $2) on conflict do nothing`;
/** A plot shows an hour. */
const DELETE_OLD_SAMPLES = `delete from mempool_samples_v1 where at < clock_timestamp() - interval '65 minutes' or at > clock_timestamp()`;

/** At most `freshMs` old where a count is cheap, older where it is not. Null: nobody has counted yet. */
export async function sampleQueue(database: Database, freshMs: number): Promise<SharedQueue | null> {
  const [last] = await database.run(LAST, [freshMs]);
  if (last?.due) {
    const counted = await count(database, freshMs);
    if (counted !== null) return counted;
  }
  return last === undefined || last.sample === null || last.at === null
    ? null
    : { at: last.at, now: last.now, queue: last.sample.queue, due: last.sample.due };
}

async function count(database: Database, freshMs: number): Promise<SharedQueue | null> {
  return await database.transaction(async (client) => {
    const run: Database['run'] = async (statement, values) =>
      (await client.query({ text: statement.text, values: [...values] })).rows;
    const { rows } = await client.query<{ mine: boolean }>(LOCK);
    // Whoever had it before may have just counted.
    const [last] = rows[0]?.mine ? await run(LAST, [freshMs]) : [];
    if (!last?.due) return null;
    const { now, queue } = await readQueue({ run });
    const [counted] = await run(CLOCK, []);
    const at = counted?.now ?? last.now;
    const known = last.sample;
    // What another build has stored may lack it.
    const rested = known === null || !(at - known.dueAt < REST * known.dueTookMs) || at < known.dueAt;
    const due = rested ? await readDue({ run }) : known.due;
    const [after] = await run(CLOCK, []);
    const sample: Counted = {
      queue,
      due,
      tookMs: at - last.now,
      dueAt: rested ? at : known.dueAt,
      dueTookMs: rested ? (after?.now ?? at) - at : known.dueTookMs,
    };
    await client.query(DELETE_OLD_SAMPLES);
    await client.query(WRITE, ['', sample]);
    return { at: now, now, queue, due };
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
