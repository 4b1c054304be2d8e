// `replay`: a person makes waiting rows available at once. It takes only pending rows that nobody holds, and leaves their
// records, so a replay never pays twice: what may have been sent is looked up first.
import type { TxHash } from '../../core/ids.js';
import { type Database, openDatabase } from '../pool.js';
import { LISTED, type ListedRow, type ListedTuple, LOOKABLE, listedRow } from '../rows.js';
import type { Statement } from '../statements.js';
import { ring } from '../store.js';

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

export interface ReplayedRow extends ListedRow {
  readonly state: 'parked' | 'backoff' | 'waiting';
  readonly lastError: string | null;
}

export interface ReplayTuple extends ListedTuple {
  readonly state: ReplayedRow['state'];
  readonly last_error: string | null;
}

/**
 * $1 hash, $2 sender, $3 age in ms, $4 parked, $5 error; null: not asked for. The ids come from the two partial indexes on
 * waiting rows, so that the table's history is not read. Does not look at the record: each command adds its own condition.
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

/** `availableAt`: the column, or what it was before the command. */
export const SHOWN = (availableAt: string): string => `${LISTED}, m.last_error,
    case when ${availableAt} = 'infinity' then 'parked' when ${availableAt} > now() then 'backoff' else 'waiting' end as state`;

const PREVIEW: Statement<ReplayTuple> = {
  text: `select ${SHOWN('m.available_at')} from mempool m where ${SELECTED} and ${LOOKABLE} order by m.id`,
};

/** Locked in order of id; a row that is being claimed at this moment is left out. */
const REPLAY: Statement<ReplayTuple> = {
  text: `with chosen as materialized (
      select m.id, m.available_at, m.attempts from mempool m where ${SELECTED} and ${LOOKABLE} order by m.id for update skip locked
    ), moved as (
      update mempool m set available_at = now(), attempts = 0, updated_at = now()
        from chosen c where m.id = c.id
      returning m.*, c.available_at as was, c.attempts as tried
    ), noted as (
      insert into mempool_submitter_audit_v1 (action, tx_hash, by_person, reason, change)
      select 'replay', m.tx_hash, $6, $7, jsonb_build_object('attempts', m.tried, 'last_error', m.last_error, 'was', m.was)
        from moved m order by m.id
    )
    select ${SHOWN('m.was')} from moved m order by m.id`,
};

export interface ReplayOptions {
  readonly dryRun: boolean;
  /** For the audit: who, and why. */
  readonly by?: string | null;
  readonly reason?: string | null;
}

/** Returns what was (with `dryRun`: would be) made available, and rings the bell. */
export async function replay(
  database: Database,
  selection: ReplaySelection,
  options: ReplayOptions,
): Promise<readonly ReplayedRow[]> {
  const selected = selectedBy(selection);
  const tuples = options.dryRun
    ? await database.run(PREVIEW, selected)
    : await database.run(REPLAY, [...selected, options.by ?? null, options.reason ?? null]);
  if (!options.dryRun && tuples.length > 0) await ring(database, 'bell');
  return tuples.map(replayedRow);
}

/**
 * For programs that embed this library: what the command `replay` does, over a connection of its own. It never pays twice: what
 * may have been sent is looked up on the ledger before anything is sent for it.
 */
export async function replayAt(
  { url }: { readonly url: string },
  selection: ReplaySelection,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<readonly ReplayedRow[]> {
  const database = openDatabase({ url, poolSize: 1, applicationName: 'canton-submitter replay' });
  try {
    return await replay(database, selection, { dryRun });
  } finally {
    await database.close();
  }
}

const WHY_NOT: Statement<{ readonly state: NotReplayed }> = {
  text: `select case when m.status <> 'pending' then m.status
        when m.claim_token is not null or m.lease_expires_at is not null then 'claimed'
        when not ${LOOKABLE} then 'sent elsewhere' else 'otherwise' end as state
    from mempool m where m.tx_hash = $1`,
};

/** `otherwise`: the row could be replayed, but does not meet another given condition. */
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
  const [row] = await database.run(WHY_NOT, [bytesOf(hash)]);
  return row?.state ?? 'unknown';
}

/** The parameters of `SELECTED`. Throws where nothing is selected: never everything. */
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
  ...listedRow(tuple),
  state: tuple.state,
  lastError: tuple.last_error,
});
