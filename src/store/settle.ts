// Writes verdicts, one statement a batch. What is reported of a row is what the database said: a row that the statement did
// not return is read again. A row that causes an error fails alone.
import type { TxHash } from '../core/ids.js';
import type { Settled, Settlement, SettleResult } from '../protocol/settlement.js';
import type { Verdict } from '../protocol/verdict.js';
import { refusesValues } from './errors.js';
import { type Database, retryLostRace, wasLocked } from './pool.js';
import { READ_BACK, SETTLE, type SettledTuple } from './statements.js';

/** Shown by wallets and carried by receipts. */
const MESSAGE_MAX = 500;
const DETAIL_MAX = 4_000;
/** After the database refused a row's texts: this much it takes, whatever its encoding and column widths. */
const PLAIN_MAX = 100;

/** Rows that the statement has decided about. */
type Written = ReadonlyMap<string, Settled>;

type Texts = 'full' | 'plain';

/** Nothing was written, so nothing is known about the lane. */
const unseen = (result: SettleResult): Settled => ({ result, laneWaits: false });

/** What is known of a row's cost, in bytes of traffic, for its story. */
export type TrafficOf = (hash: TxHash) => bigint | null;

export async function settleBatch(
  database: Database,
  batch: readonly Settlement[],
  trafficOf: TrafficOf,
): Promise<readonly Settled[]> {
  const results = new Map<Settlement, Settled>();
  await settleInto({ database, trafficOf }, batch, results, 'full');
  return batch.map((one) => results.get(one) ?? unseen({ refused: 'not reached' }));
}

interface Writing {
  readonly database: Database;
  readonly trafficOf: TrafficOf;
}

async function settleInto(
  writing: Writing,
  batch: readonly Settlement[],
  results: Map<Settlement, Settled>,
  texts: Texts,
): Promise<void> {
  if (batch.length === 0) return;
  let written: Written;
  try {
    written = await write(writing, batch, texts);
  } catch (error) {
    if (!refusesValues(error)) throw error;
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      // Even alone its texts were refused: again, with nothing in them that could be refused, so that the verdict is written.
      if (texts === 'full') await settleInto(writing, batch, results, 'plain');
      else results.set(only, unseen({ refused: String(error) }));
      return;
    }
    // P17: one row must not hold up its batch. Halve it until that row stands alone.
    const middle = Math.ceil(batch.length / 2);
    await settleInto(writing, batch.slice(0, middle), results, texts);
    await settleInto(writing, batch.slice(middle), results, texts);
    return;
  }
  const missing = batch.filter((one) => !written.has(one.id));
  for (const one of batch) {
    const settled = written.get(one.id);
    if (settled !== undefined) results.set(one, settled);
  }
  if (missing.length === 0) return;
  const tuples = await writing.database.run(READ_BACK, [missing.map((one) => one.id)]);
  const found = new Map(tuples.map((tuple) => [tuple.id, tuple]));
  for (const one of missing) results.set(one, unseen(whatBecame(one, found.get(one.id))));
}

async function write(
  { database, trafficOf }: Writing,
  batch: readonly Settlement[],
  texts: Texts,
): Promise<Written> {
  const run = async (waitForLocks: boolean): Promise<Written> => {
    const rows = await retryLostRace(() =>
      database.run(SETTLE, [waitForLocks, ...columnsOf(batch, texts, trafficOf)]),
    );
    return new Map(
      rows.map(({ id, lane_waits: laneWaits, refused }) => [
        id,
        refused === null ? { result: 'settled', laneWaits } : unseen({ refused }),
      ]),
    );
  };
  try {
    return await run(true);
  } catch (error) {
    // Somebody keeps a row of the batch locked: write the others without it.
    if (!wasLocked(error)) throw error;
    return await run(false);
  }
}

/** P16: either our own write, whose acknowledgement was lost (the row may be mined by now), or the row is somebody else's. */
function whatBecame(one: Settlement, tuple: SettledTuple | undefined): SettleResult {
  if (tuple === undefined) return 'fenced';
  if (one.verdict.kind === 'pending') {
    if (tuple.released_token === one.token) return 'settled-before';
  } else if (tuple.claim_token === one.token && [one.verdict.kind, 'mined'].includes(tuple.status)) {
    return 'settled-before';
  }
  const stillOurs = tuple.claim_token === one.token && tuple.status === 'pending';
  return stillOurs ? 'locked' : 'fenced';
}

function columnsOf(batch: readonly Settlement[], texts: Texts, trafficOf: TrafficOf): unknown[] {
  const verdicts = batch.map((one) => one.verdict);
  return [
    batch.map((one) => one.id),
    batch.map((one) => one.token),
    batch.map((one) => one.under.generation.toString()),
    batch.map(({ under: { bound } }) => (bound === 'infinity' ? 'Infinity' : bound)),
    verdicts.map((one) => one.kind),
    verdicts.map((one) => (one.kind === 'completed' ? clean(one.updateId, DETAIL_MAX, texts) : null)),
    verdicts.map((one) => (one.kind === 'completed' ? one.offset.toString() : null)),
    verdicts.map((one) => (one.kind === 'failed' ? clean(one.message, MESSAGE_MAX, texts) : null)),
    verdicts.map((one) => clean(errorOf(one), DETAIL_MAX, texts)),
    verdicts.map((one) => one.kind !== 'pending' || one.record === 'clear'),
    verdicts.map((one) => (one.kind === 'pending' ? waitOf(one.wait) : null)),
    verdicts.map((one) => (one.kind === 'pending' ? one.attempts : 0)),
    batch.map(({ txHash }) => trafficOf(txHash)?.toString() ?? null),
  ];
}

function errorOf(verdict: Verdict): string | null {
  switch (verdict.kind) {
    case 'completed':
      return verdict.note;
    case 'failed':
      return verdict.detail;
    case 'pending':
      return verdict.lastError;
  }
}

const waitOf = (wait: 'now' | 'parked' | number): number | string | null =>
  wait === 'now' ? null : wait === 'parked' ? 'Infinity' : wait;

/** Postgres refuses NUL in a text, and a text from a ledger may contain anything. */
function clean(text: string | null, max: number, texts: Texts): string | null {
  if (text === null) return null;
  if (texts === 'plain') return text.replace(/[^\x20-\x7e]/g, '?').slice(0, PLAIN_MAX);
  return text.replaceAll('\0', '').slice(0, max);
}
