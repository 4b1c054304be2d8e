// `replay --completed`: a person has found the update that made a parked row's transfer. The caller has compared its content;
// this only makes sure that nobody else decides about the row meanwhile.
import { type Offset, type Party, party, type TxHash } from '../../core/ids.js';
import type { MempoolRow } from '../../protocol/record.js';
import { BY_ITSELF, type Decided } from '../pins.js';
import { type Database, unhurried } from '../pool.js';
import { NO_RECORD, RECORD_FOR_AUDIT } from '../record.js';
import { ROW, rowOf } from '../rows.js';
import type { RowTuple, Statement } from '../statements.js';
import { PARTY, USER_OF } from '../users.js';
import { bytesOf } from './replay.js';

export interface FoundRow {
  readonly row: MempoolRow;
  /** `settleable`: pending, parked, and not claimed. */
  readonly state: 'settleable' | 'claimed' | 'not parked' | 'completed' | 'failed' | 'mined';
  /** The record's party, or else the one in `users`; null: neither has one. */
  readonly sender: Party | null;
  readonly recipient: Party | null;
}

interface FoundTuple extends RowTuple {
  readonly state: FoundRow['state'];
  readonly sender: string | null;
  readonly recipient: string | null;
}

/** Index: tx_hash. */
const FIND: Statement<FoundTuple> = {
  text: `select ${ROW},
      case when m.status <> 'pending' then m.status
        when m.claim_token is not null or m.lease_expires_at is not null then 'claimed'
        when m.available_at < 'infinity' then 'not parked' else 'settleable' end as state,
      coalesce(m.submission_party, (select ${PARTY} from (${USER_OF('m.from_address')}) u)) as sender,
      (select ${PARTY} from (${USER_OF('m.recipient_address')}) u) as recipient
    from mempool m where m.tx_hash = $1`,
};

export async function findRowToComplete(database: Database, hash: TxHash): Promise<FoundRow | null> {
  const [tuple] = await database.run(FIND, [bytesOf(hash)]);
  if (tuple === undefined) return null;
  return {
    row: rowOf(tuple),
    state: tuple.state,
    sender: tuple.sender === null ? null : party(tuple.sender),
    recipient: tuple.recipient === null ? null : party(tuple.recipient),
  };
}

/** One person at a time, so that one update does not complete two rows at once. */
const ALONE = 'select pg_advisory_xact_lock(1835363696, 4)';

/** Reads the whole table, for this one command: update ids have no index. */
const TAKEN = `select '0x' || encode(t.tx_hash, 'hex') as by from (
    select m.tx_hash, m.update_id from mempool m union all select e.tx_hash, e.update_id from mempool_ended_v1 e) t
  where t.update_id = $2 and t.tx_hash <> $1 limit 1`;

/** $1 hash, $2 update, $3 offset, $4 who, $5 why. Fenced like a settle: a parked row has no token and no lease. */
const COMPLETE = `with chosen as materialized (
    select m.* from mempool m
     where m.tx_hash = $1 and m.status = 'pending' and m.claim_token is null and m.lease_expires_at is null
       and m.available_at = 'infinity' for update
  ), done as (
    update mempool m
       set status = 'completed', update_id = $2, completion_offset = $3, updated_at = now(),
           ${NO_RECORD}
      from chosen c where m.id = c.id
    returning m.id
  )
  insert into mempool_submitter_audit_v1 (action, tx_hash, by_person, reason, change)
  select 'completed', m.tx_hash, $4, $5,
         jsonb_build_object('update_id', $2::text, 'completion_offset', $3::bigint, 'forgotten', ${RECORD_FOR_AUDIT}, 'last_error', m.last_error)
    from chosen m join done using (id)`;

/** `changed`: somebody else has decided about the row meanwhile. */
export async function complete(
  database: Database,
  hash: TxHash,
  update: { readonly id: string; readonly offset: Offset | null },
  { by, reason }: Decided = BY_ITSELF,
): Promise<'completed' | 'changed' | { readonly takenBy: string }> {
  return await database.transaction(async (client) => {
    await client.query(ALONE);
    const { rows } = await unhurried<{ by: string }>(client, TAKEN, [bytesOf(hash), update.id]);
    if (rows[0] !== undefined) return { takenBy: rows[0].by };
    const values = [bytesOf(hash), update.id, update.offset?.toString() ?? null, by, reason];
    const done = await client.query(COMPLETE, values);
    return done.rowCount === 1 ? 'completed' : 'changed';
  });
}
