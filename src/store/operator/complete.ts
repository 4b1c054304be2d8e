// `replay --completed`: a person has found the update that did a parked row's transfer. Whoever calls this has compared
// its content; here it is only made sure that nobody else decides about the row meanwhile.
import type { Offset, Party, TxHash } from '../../core/ids.js';
import { dbMillis, party, type RowId, txHashOf } from '../../core/ids.js';
import type { MempoolRow } from '../../protocol/record.js';
import { type Database, unhurried } from '../pool.js';
import { PARTY, USER_OF } from '../senders.js';
import type { Statement } from '../statements.js';
import { FORGOTTEN } from './audit.js';
import { bytesOf } from './replay.js';

export interface FoundRow {
  readonly row: MempoolRow;
  /** `settleable`: pending, parked, and in nobody's hands. */
  readonly state: 'settleable' | 'claimed' | 'not parked' | 'completed' | 'failed' | 'mined';
  /** The record's party, else that of `users`; null: neither knows one. */
  readonly sender: Party | null;
  readonly recipient: Party | null;
}

interface FoundTuple {
  readonly id: string;
  readonly tx_hash: Buffer;
  readonly from_address: string;
  readonly contract_address: string;
  readonly recipient_address: string;
  readonly nonce: string;
  readonly amount_data: Buffer;
  readonly created_at: number;
  readonly state: FoundRow['state'];
  readonly sender: string | null;
  readonly recipient: string | null;
}

/** The unique index on tx_hash. */
const FIND: Statement<FoundTuple> = {
  text: `select m.id, m.tx_hash, m.from_address, m.contract_address, m.recipient_address, m.nonce, m.amount_data,
      (extract(epoch from m.created_at) * 1000)::float8 as created_at,
      case when m.status <> 'pending' then m.status
        when m.claim_token is not null or m.lease_expires_at is not null then 'claimed'
        when m.available_at < 'infinity' then 'not parked' else 'settleable' end as state,
      coalesce(m.submission_party, (select ${PARTY} from (${USER_OF('m.from_address')}) u)) as sender,
      (select ${PARTY} from (${USER_OF('m.recipient_address')}) u) as recipient
    from mempool m where m.tx_hash = $1`,
};

export async function findRow(database: Database, hash: TxHash): Promise<FoundRow | null> {
  const [tuple] = await database.run(FIND, [bytesOf(hash)]);
  if (tuple === undefined) return null;
  return {
    row: {
      id: tuple.id as RowId,
      txHash: txHashOf(tuple.tx_hash),
      fromAddress: tuple.from_address,
      contractAddress: tuple.contract_address,
      recipientAddress: tuple.recipient_address,
      nonce: BigInt(tuple.nonce),
      amountData: new Uint8Array(tuple.amount_data),
      createdAt: dbMillis(tuple.created_at),
    },
    state: tuple.state,
    sender: tuple.sender === null ? null : party(tuple.sender),
    recipient: tuple.recipient === null ? null : party(tuple.recipient),
  };
}

/** One person at a time, so that two rows are not completed by one update at once. */
const ALONE = 'select pg_advisory_xact_lock(1835363696, 4)';

/** No index knows an update id: it reads the whole table, for the one command that asks. */
const TAKEN = `select '0x' || encode(t.tx_hash, 'hex') as by from (
    select m.tx_hash, m.update_id from mempool m union all select e.tx_hash, e.update_id from mempool_ended_v1 e) t
  where t.update_id = $2 and t.tx_hash <> $1 limit 1`;

/** $1 hash, $2 update, $3 offset. Fenced like a settle, by what a parked row has in place of a token: none. */
const COMPLETE = `with chosen as materialized (
    select m.* from mempool m
     where m.tx_hash = $1 and m.status = 'pending' and m.claim_token is null and m.lease_expires_at is null
       and m.available_at = 'infinity' for update
  ), done as (
    update mempool m
       set status = 'completed', update_id = $2, completion_offset = $3, updated_at = now(), sent_from = null, sent_until = null,
           submission_id = null, submission_party = null, submission_hash = null, hashing_scheme = null, sent_on = null, sent_by = null
      from chosen c where m.id = c.id
    returning m.id
  )
  insert into mempool_submitter_audit_v1 (action, tx_hash, change)
  select 'completed', m.tx_hash,
         jsonb_build_object('update_id', $2::text, 'completion_offset', $3::bigint, 'forgotten', ${FORGOTTEN}, 'last_error', m.last_error)
    from chosen m join done using (id)`;

/** `changed`: somebody else has decided about the row meanwhile. */
export async function complete(
  database: Database,
  hash: TxHash,
  update: { readonly id: string; readonly offset: Offset | null },
): Promise<'completed' | 'changed' | { readonly takenBy: string }> {
  return await database.transaction(async (client) => {
    await client.query(ALONE);
    const { rows } = await unhurried<{ by: string }>(client, TAKEN, [bytesOf(hash), update.id]);
    if (rows[0] !== undefined) return { takenBy: rows[0].by };
    const values = [bytesOf(hash), update.id, update.offset?.toString() ?? null];
    const done = await client.query(COMPLETE, values);
    return done.rowCount === 1 ? 'completed' : 'changed';
  });
}
