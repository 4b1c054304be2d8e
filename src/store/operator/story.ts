// One row's story: what became of each attempt, what people did, and what it waits for. For `show` and the page; read only.
import { type DbMillis, dbMillis, type TxHash } from '../../core/ids.js';
import type { RowState } from '../../protocol/row-state.js';
import type { Database } from '../pool.js';
import { ELSEWHERE, finite } from '../rows.js';
import type { Statement } from '../statements.js';
import { type FleetInstance, readFleet } from './fleet.js';
import { type Pause, readPauses } from './pauses.js';
import { bytesOf } from './replay.js';

export interface StoryEntry {
  /** `claim`: set aside before it was anybody's. */
  readonly kind: 'attempt' | 'look' | 'claim';
  /** How often the row had been tried, this one included. */
  readonly number: number;
  readonly holder: string | null;
  readonly beganAt: DbMillis | null;
  readonly endedAt: DbMillis;
  readonly outcome:
    | 'completed'
    | 'failed'
    | 'mined'
    | 'parked'
    | 'retry'
    | 'released'
    | 'undecided'
    | 'dead'
    | 'lost';
  readonly error: string | null;
  readonly updateId: string | null;
  readonly offset: string | null;
  readonly submissionId: string | null;
  /** In bytes of traffic, where the ledger said so. */
  readonly traffic: string | null;
}

/** An entry of the audit: about this row, or about the whole table since the row arrived. */
export interface Act {
  readonly at: DbMillis;
  readonly action: string;
  readonly by: string;
  readonly reason: string | null;
  /** About this row alone. */
  readonly ofRow: boolean;
}

export interface StoryRow {
  readonly state: RowState;
  readonly sender: string;
  readonly token: string;
  readonly recipient: string;
  readonly nonce: string;
  /** Big-endian hex, as the API has it. */
  readonly amount: string;
  readonly createdAt: DbMillis;
  readonly updatedAt: DbMillis;
  /** When it is due; null: parked. */
  readonly dueAt: DbMillis | null;
  readonly attempts: number;
  readonly lastError: string | null;
  /** What the wallet sees. */
  readonly message: string | null;
  readonly holder: string | null;
  readonly heldSince: DbMillis | null;
  readonly leaseUntil: DbMillis | null;
  /** A submission of it may still be accepted. */
  readonly undecided: boolean;
  /** It was sent on a participant that is no longer pinned. */
  readonly elsewhere: boolean;
  /** Until when the ledger may accept it; null: no bound, or nothing under way. */
  readonly sentUntil: DbMillis | null;
  readonly updateId: string | null;
  readonly offset: string | null;
}

/** The row that holds its lane. */
export interface Ahead {
  readonly txHash: string;
  readonly nonce: string;
}

export interface Story {
  readonly txHash: TxHash;
  readonly now: DbMillis;
  /** Null: deleted; then `remembered` says how it had ended. */
  readonly row: StoryRow | null;
  readonly remembered: { readonly status: string; readonly at: DbMillis } | null;
  /** Oldest first, the last two hundred. */
  readonly attempts: readonly StoryEntry[];
  readonly acts: readonly Act[];
  readonly ahead: Ahead | null;
  /** LANES=holdings: it waits on these, which have reserved what it needs, until then at most. */
  readonly waitsOn: { readonly hashes: readonly string[]; readonly until: DbMillis } | null;
  /** What of the pauses keeps it waiting. */
  readonly pauses: readonly Pause[];
  readonly halted: string | null;
  /** Instances that would claim it. */
  readonly ready: number;
}

interface StoryRowTuple {
  readonly id: string | null;
  readonly now: number;
  readonly state: RowState;
  readonly sender: string;
  readonly token: string;
  readonly recipient: string;
  readonly nonce: string;
  readonly amount: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly due_at: number | null;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly message: string | null;
  readonly holder: string | null;
  readonly held_since: number | null;
  readonly lease_until: number | null;
  readonly undecided: boolean;
  readonly elsewhere: boolean;
  readonly sent_until: number | null;
  readonly update_id: string | null;
  readonly completion_offset: string | null;
  readonly ahead_hash: string | null;
  readonly ahead_nonce: string | null;
  readonly waits_on: readonly string[] | null;
  readonly waits_until: number | null;
  readonly halted: string | null;
  readonly paused_token: string;
  readonly paused_sender: string;
  readonly ended_status: string | null;
  readonly ended_at: number | null;
}

const ms = (expression: string): string => `(extract(epoch from ${expression}) * 1000)::float8`;
const unlessInfinite = (column: string): string => `case when ${column} < 'infinity' then ${ms(column)} end`;

/** Index: tx_hash; mempool_lane_v2 for the head of its lane. */
const ROW: Statement<StoryRowTuple> = {
  text: `select m.id, ${ms('now()')} as now,
      case when m.status <> 'pending' then m.status when m.claim_token is not null then 'in-flight'
        when m.available_at = 'infinity' then 'parked' when m.sent_until is not null then 'undecided'
        when m.available_at > now() then 'backoff' else 'waiting' end as state,
      m.from_address as sender, m.contract_address as token, m.recipient_address as recipient, m.nonce::text as nonce,
      '0x' || encode(m.amount_data, 'hex') as amount, ${ms(finite('m.created_at'))} as created_at, ${ms(finite('m.updated_at'))} as updated_at,
      ${unlessInfinite('m.available_at')} as due_at, m.attempts, m.last_error, m.error_message as message,
      m.claimed_by as holder, ${ms('m.claimed_at')} as held_since, ${ms('m.lease_expires_at')} as lease_until,
      m.sent_until is not null as undecided, ${ELSEWHERE} as elsewhere, ${unlessInfinite('m.sent_until')} as sent_until, m.update_id,
      m.completion_offset::text as completion_offset, a.hash as ahead_hash, a.nonce as ahead_nonce, p.halted,
      w.hashes as waits_on, ${ms('m.waits_until')} as waits_until,
      mempool_address_v1(m.contract_address) as paused_token, mempool_address_v1(m.from_address) as paused_sender,
      e.status as ended_status, ${ms('e.ended_at')} as ended_at
    from (select $1::bytea as hash) q cross join mempool_submitter_v1 p
      left join mempool m on m.tx_hash = q.hash
      left join mempool_ended_v1 e on e.tx_hash = q.hash
      left join lateral (
        select '0x' || encode(h.tx_hash, 'hex') as hash, h.nonce::text as nonce from (
          select x.id, x.tx_hash, x.nonce from mempool x
           where x.status = 'pending' and x.available_at < 'infinity'
             and mempool_sender_v1(x.from_address) = mempool_sender_v1(m.from_address)
             and (p.lanes = 'sender' or (x.sent_until is null) = true)
           order by mempool_sender_v1(x.from_address), (x.sent_until is null), x.nonce, x.id limit 1) h
         where (p.lanes = 'sender' or (p.lanes = 'holdings' and m.sent_until is null))
           and m.status = 'pending' and m.available_at < 'infinity' and h.id <> m.id) a on true
      -- As mempool_beginners_v1 has it: it waits as long as each of them is undecided.
      left join lateral (
        select array_agg('0x' || encode(x.tx_hash, 'hex') order by x.id) as hashes from mempool x
         where p.lanes = 'holdings' and m.claim_token is null and m.sent_until is null and m.waits_until > now()
           and x.id = any (m.waits_on) and x.status = 'pending' and x.sent_until is not null
           and (x.sent_inputs is not null or x.available_at < 'infinity')
        having count(*) = cardinality(m.waits_on)) w on true`,
};

interface EntryTuple
  extends Omit<StoryEntry, 'beganAt' | 'endedAt' | 'updateId' | 'offset' | 'submissionId'> {
  readonly began_at: number | null;
  readonly ended_at: number;
  readonly update_id: string | null;
  readonly completion_offset: string | null;
  readonly submission_id: string | null;
}

/** mempool_attempts_row_v1. The hash too, since a table that is made anew counts its rows anew. */
const ATTEMPTS: Statement<EntryTuple> = {
  text: `select a.kind, a.number, a.holder, ${ms('a.began_at')} as began_at, ${ms('a.ended_at')} as ended_at, a.outcome,
      a.error, a.update_id, a.completion_offset::text as completion_offset, a.submission_id, a.traffic_bytes::text as traffic
    from mempool_attempts_v1 a where a.row_id = $1 and a.tx_hash = $2 order by a.ended_at desc limit 200`,
};

/** mempool_audit_hash_v1, and the few decisions about the whole table. */
const ACTS: Statement<{
  readonly at: number;
  readonly action: string;
  readonly by: string;
  readonly reason: string | null;
  readonly of_row: boolean;
}> = {
  text: `select ${ms('a.at')} as at, a.action, coalesce(a.by_person, a.by_application) as by, a.reason, a.tx_hash is not null as of_row
      from mempool_submitter_audit_v1 a
     where a.tx_hash = $1
        or (a.tx_hash is null and a.action in ('recheck', 'halt', 'repin', 'tolerance') and a.at >= to_timestamp($2::float8 / 1000))
     order by a.id desc limit 100`,
};

/** Null: there never was such a row, as far as anybody remembers. */
export async function readStory(database: Database, hash: TxHash): Promise<Story | null> {
  const [tuple] = await database.run(ROW, [bytesOf(hash)]);
  if (tuple === undefined || (tuple.id === null && tuple.ended_status === null)) return null;
  const since = tuple.id === null ? Number.MAX_SAFE_INTEGER / 1_000 : tuple.created_at;
  const [attempts, acts, fleet, pauses] = await Promise.all([
    tuple.id === null ? [] : database.run(ATTEMPTS, [tuple.id, bytesOf(hash)]),
    database.run(ACTS, [bytesOf(hash), since]),
    readFleet(database),
    readPauses(database),
  ]);
  const covers = ({ scope, address }: Pause): boolean =>
    scope === 'all' || address === (scope === 'token' ? tuple.paused_token : tuple.paused_sender);
  return {
    txHash: hash,
    now: dbMillis(tuple.now),
    row: tuple.id === null ? null : rowOf(tuple),
    remembered:
      tuple.ended_status === null || tuple.ended_at === null
        ? null
        : { status: tuple.ended_status, at: dbMillis(tuple.ended_at) },
    attempts: attempts.map(entryOf).reverse(),
    acts: acts
      .map(({ at, action, by, reason, of_row: ofRow }) => ({ at: dbMillis(at), action, by, reason, ofRow }))
      .reverse(),
    ahead:
      tuple.ahead_hash === null || tuple.ahead_nonce === null
        ? null
        : { txHash: tuple.ahead_hash, nonce: tuple.ahead_nonce },
    waitsOn:
      tuple.waits_on === null || tuple.waits_until === null
        ? null
        : { hashes: tuple.waits_on, until: dbMillis(tuple.waits_until) },
    pauses: pauses.filter(covers),
    halted: tuple.halted,
    ready: fleet.filter(claims).length,
  };
}

const claims = ({ life }: FleetInstance): boolean => life === 'ready' || life === 'unregistered';
const timeOf = (value: number | null): DbMillis | null => (value === null ? null : dbMillis(value));

const rowOf = (tuple: StoryRowTuple): StoryRow => ({
  state: tuple.state,
  sender: tuple.sender,
  token: tuple.token,
  recipient: tuple.recipient,
  nonce: tuple.nonce,
  amount: tuple.amount,
  createdAt: dbMillis(tuple.created_at),
  updatedAt: dbMillis(tuple.updated_at),
  dueAt: timeOf(tuple.due_at),
  attempts: tuple.attempts,
  lastError: tuple.last_error,
  message: tuple.message,
  holder: tuple.holder,
  heldSince: timeOf(tuple.held_since),
  leaseUntil: timeOf(tuple.lease_until),
  undecided: tuple.undecided,
  elsewhere: tuple.elsewhere,
  sentUntil: timeOf(tuple.sent_until),
  updateId: tuple.update_id,
  offset: tuple.completion_offset,
});

const entryOf = (tuple: EntryTuple): StoryEntry => ({
  kind: tuple.kind,
  number: tuple.number,
  holder: tuple.holder,
  beganAt: timeOf(tuple.began_at),
  endedAt: dbMillis(tuple.ended_at),
  outcome: tuple.outcome,
  error: tuple.error,
  updateId: tuple.update_id,
  offset: tuple.completion_offset,
  submissionId: tuple.submission_id,
  traffic: tuple.traffic,
});
