// `replay`: rows that wait, made available at once by a person. Only pending rows that nobody holds, and the record
// stays, so a replay is always safe: what may have been sent is looked up first.
import type { TxHash } from '../../core/ids.js';
import type { Database } from '../pool.js';
import { ring } from '../ring.js';
import type { Statement } from '../statements.js';

/** All given conditions must hold; at least one must be given. */
export interface ReplaySelection {
  readonly hash?: TxHash;
  /** As the table has it, whatever the case. */
  readonly sender?: string;
  /** Arrived at least so long ago, on the database's clock. */
  readonly olderThanMs?: number;
  readonly parked?: boolean;
  /** Part of `last_error`, whatever the case. */
  readonly error?: string;
}

export interface ReplayedRow {
  readonly txHash: TxHash;
  readonly sender: string;
  readonly nonce: bigint;
  readonly state: 'parked' | 'backoff' | 'waiting';
  /** A submission of it may still commit. */
  readonly undecided: boolean;
  readonly attempts: number;
  readonly lastError: string | null;
}

export interface ReplayTuple {
  readonly tx_hash: string;
  readonly from_address: string;
  readonly nonce: string;
  readonly state: ReplayedRow['state'];
  readonly undecided: boolean;
  readonly attempts: number;
  readonly last_error: string | null;
}

/**
 * $1 hash, $2 sender, $3 age in ms, $4 parked, $5 error; null: not asked for. The ids come from the two partial indexes
 * on waiting rows, so that the table's history is not read. What may be done to them is to be added: nothing here looks
 * at the record.
 */
export const SELECTED = `m.id = any (array(
      select w.id from mempool w where w.status = 'pending' and w.claim_token is null and w.sent_until is null
      union all
      select w.id from mempool w where w.status = 'pending' and w.claim_token is null and w.sent_until is not null))
    and m.status = 'pending' and m.claim_token is null and m.lease_expires_at is null
    and ($1::bytea is null or m.tx_hash = $1)
    and ($2::text is null or mempool_address_v1(m.from_address) = mempool_address_v1($2))
    and ($3::float8 is null or m.created_at <= now() - $3 * interval '1 ms')
    and ($4::boolean is null or (m.available_at = 'infinity') = $4)
    and ($5::text is null or position(lower($5) in lower(coalesce(m.last_error, ''))) > 0)`;

export const SHOWN = `'0x' || encode(m.tx_hash, 'hex') as tx_hash, m.from_address, m.nonce, m.sent_until is not null as undecided,
    m.attempts, m.last_error`;

export const STATE = (of: string): string =>
  `case when ${of} = 'infinity' then 'parked' when ${of} > now() then 'backoff' else 'waiting' end as state`;

/** What was sent on another participant than the pinned one, that one cannot tell of: a person has to end it. */
const LOOKABLE = `(m.sent_until is null or m.sent_on = (select p.sent_on from mempool_submitter_v1 p))`;

const PREVIEW: Statement<ReplayTuple> = {
  text: `select ${SHOWN}, ${STATE('m.available_at')} from mempool m where ${SELECTED} and ${LOOKABLE} order by m.id`,
};

/** Locked in order of id; a row that is just being claimed is left to its claim. */
const REPLAY: Statement<ReplayTuple> = {
  text: `with chosen as materialized (
      select m.id, m.available_at from mempool m where ${SELECTED} and ${LOOKABLE} order by m.id for update skip locked
    ), moved as (
      update mempool m set available_at = now(), attempts = 0, updated_at = now()
        from chosen c where m.id = c.id
      returning m.*, c.available_at as was
    )
    select ${SHOWN}, ${STATE('m.was')} from moved m order by m.id`,
};

/** What was (or with `dryRun` would be) made available. Rings the bell. */
export async function replay(
  database: Database,
  selection: ReplaySelection,
  options: { readonly dryRun: boolean },
): Promise<readonly ReplayedRow[]> {
  const tuples = await database.run(options.dryRun ? PREVIEW : REPLAY, selectedBy(selection));
  if (!options.dryRun && tuples.length > 0) await ring(database, 'bell');
  return tuples.map(replayedRow);
}

/** What stands against a replay of one row. */
const STATE_OF: Statement<{ readonly state: NotReplayed }> = {
  text: `select case when m.status <> 'pending' then m.status
        when m.claim_token is not null or m.lease_expires_at is not null then 'claimed'
        when not ${LOOKABLE} then 'sent elsewhere' else 'otherwise' end as state
    from mempool m where m.tx_hash = $1`,
};

/** `otherwise`: it could be replayed, but another condition that was given does not hold. */
export type NotReplayed =
  | 'unknown'
  | 'completed'
  | 'failed'
  | 'mined'
  | 'claimed'
  | 'sent elsewhere'
  | 'otherwise';

/** Why `replay` did not take this row. */
export async function notReplayed(database: Database, hash: TxHash): Promise<NotReplayed> {
  const [row] = await database.run(STATE_OF, [bytesOf(hash)]);
  return row?.state ?? 'unknown';
}

/** For `SELECTED`. Never everything. */
export function selectedBy(selection: ReplaySelection): readonly unknown[] {
  const values = [
    selection.hash === undefined ? null : bytesOf(selection.hash),
    selection.sender ?? null,
    selection.olderThanMs ?? null,
    selection.parked ?? null,
    selection.error ?? null,
  ];
  if (values.every((value) => value === null)) throw new TypeError('replay: nothing selected');
  return values;
}

export const bytesOf = (hash: TxHash): Buffer => Buffer.from(hash.slice(2), 'hex');

export const replayedRow = (tuple: ReplayTuple): ReplayedRow => ({
  txHash: tuple.tx_hash as TxHash,
  sender: tuple.from_address,
  nonce: BigInt(tuple.nonce),
  state: tuple.state,
  undecided: tuple.undecided,
  attempts: tuple.attempts,
  lastError: tuple.last_error,
});
