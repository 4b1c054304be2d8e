// The write-ahead (rule 1): one statement for all rows of a moment, with a fence and an answer for each.
import type { RowAndToken, Store } from '../ports/store.js';
import type { SubmissionRecord } from '../protocol/record.js';
import { notTheRows, refusesValues } from './errors.js';
import { type Database, retryLostRace, wasLocked } from './pool.js';
import { WRITE_AHEAD } from './statements.js';

type Answer = Awaited<ReturnType<Store['writeAhead']>>;

/** As many as there are slots at their usual number, few enough to be quick. */
const BATCH = 64;

interface ToWrite {
  readonly claim: RowAndToken;
  readonly record: SubmissionRecord;
  readonly generation: bigint;
}

interface Queued extends ToWrite {
  readonly done: (answer: Answer) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * One statement at a time; what arrives meanwhile makes the next one. So a single record is written at once, and under load
 * many share a round trip and a flush. Each caller hears only once the commit of its own record is durable.
 */
export function createWriteAhead(database: Database): Store['writeAhead'] {
  let queue: Queued[] = [];
  let running = false;

  const drain = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue.slice(0, BATCH);
      queue = queue.slice(BATCH);
      await write(batch);
    }
    running = false;
  };

  const write = async (batch: readonly Queued[]): Promise<void> => {
    try {
      const answers = await ask(database, batch);
      for (const [index, one] of batch.entries()) one.done(answers.get(index) ?? 'fenced');
    } catch (error) {
      // Nothing was written. Of one row that is locked, or whose values are refused, the others do not wait to hear.
      if (batch.length > 1 && (wasLocked(error) || refusesValues(error)))
        for (const one of batch) void write([one]);
      else for (const one of batch) one.failed(notTheRows(error));
    }
  };

  return (claim, record, generation) =>
    new Promise((done, failed) => {
      queue.push({ claim, record, generation, done, failed });
      if (running) return;
      running = true;
      void drain();
    });
}

/** By the place in `batch`. */
async function ask(database: Database, batch: readonly Queued[]): Promise<ReadonlyMap<number, Answer>> {
  // In order of id, as settle and renew lock their rows, so that none of them deadlocks with another.
  const places = batch
    .map((one, index) => ({ index, id: BigInt(one.claim.row.id), values: valuesOf(one) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const columns = COLUMNS.map((column) => places.map(({ values }) => values[column]));
  const rows = await retryLostRace(() => database.run(WRITE_AHEAD, columns));
  return new Map(
    rows.flatMap(({ place, answer }) => {
      const at = places[place - 1];
      return at === undefined ? [] : [[at.index, answer] as const];
    }),
  );
}

/** In the order in which the statement takes them. */
const COLUMNS = [
  'generation',
  'id',
  'token',
  'sentFrom',
  'sentUntil',
  'submissionId',
  'party',
  'hash',
  'scheme',
  'sentOn',
] as const;

const valuesOf = ({ claim: { row, token }, record, generation }: ToWrite) => ({
  generation: generation.toString(),
  id: row.id,
  token,
  sentFrom: record.sentFrom.toString(),
  sentUntil: record.sentUntil === null ? 'infinity' : new Date(record.sentUntil).toISOString(),
  submissionId: record.submissionId,
  party: record.party,
  hash: record.hash === null ? null : Buffer.from(record.hash.bytes),
  scheme: record.hash?.scheme ?? null,
  sentOn: record.sentOn,
});

/** In the same order, for the statement that reserves holdings with the record. */
export function recordValues(toWrite: ToWrite): unknown[] {
  const values = valuesOf(toWrite);
  return COLUMNS.map((column) => values[column]);
}
