// What the page shows of rows, pins and failovers. Read only; each part is answered by an index, and lists are cut.
import { type TxHash, txHashOf } from '../../core/ids.js';
import type { RowState } from '../../protocol/row-state.js';
import type { Database } from '../pool.js';
import { ELSEWHERE, finite } from '../rows.js';
import type { Statement } from '../statements.js';
import { bytesOf } from './replay.js';

/** A row as a person wants to see it. Times in ms on the database's clock. */
export interface ShownRow {
  readonly txHash: TxHash;
  readonly state: RowState;
  readonly sender: string;
  readonly recipient: string;
  /** Contract address. */
  readonly token: string;
  readonly amountData: Uint8Array;
  readonly nonce: bigint;
  readonly attempts: number;
  /** A submission of it may still commit. */
  readonly undecided: boolean;
  /** It was sent on a participant that is no longer pinned. */
  readonly elsewhere: boolean;
  /** `CODE: detail`, or the wallet's message where nothing else is known; empty: nothing is. */
  readonly reason: string;
  /** The reason that a wallet sees. */
  readonly message: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

interface ShownTuple {
  readonly tx_hash: Buffer;
  readonly state: RowState;
  readonly from_address: string;
  readonly recipient_address: string;
  readonly contract_address: string;
  readonly amount_data: Buffer;
  readonly nonce: string;
  readonly attempts: number;
  readonly undecided: boolean;
  readonly elsewhere: boolean;
  readonly reason: string | null;
  readonly error_message: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

const ms = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;

/** SQL, of alias `m`. */
const SHOWN = `m.id, m.tx_hash, m.from_address, m.recipient_address, m.contract_address, m.amount_data, m.nonce, m.attempts,
    m.status = 'pending' and m.sent_until is not null as undecided,
    m.status = 'pending' and ${ELSEWHERE} as elsewhere, coalesce(m.last_error, m.error_message) as reason, m.error_message,
    ${ms(finite('m.created_at'))} as created_at, ${ms(finite('m.updated_at'))} as updated_at,
    case when m.status <> 'pending' then m.status
      when m.claim_token is not null then 'in-flight'
      when m.available_at = 'infinity' then 'parked'
      when m.sent_until is not null then 'undecided'
      when m.available_at > now() then 'backoff' else 'waiting' end as state`;

/** The far ends of mempool_fresh_v1 and mempool_undecided_v1. */
const PARKED: Statement<ShownTuple> = {
  text: `(select ${SHOWN} from mempool m where m.status = 'pending' and m.claim_token is null and m.sent_until is null
        and m.available_at = 'infinity' order by m.available_at, m.id limit $1)
    union all
    (select ${SHOWN} from mempool m where m.status = 'pending' and m.claim_token is null and m.sent_until is not null
        and m.available_at = 'infinity' order by m.available_at, m.id limit $1)
    order by id limit $1`,
};

/** mempool_reasons_v1, backwards. */
const FAILED: Statement<ShownTuple> = {
  text: `select ${SHOWN} from mempool m where m.error_message is not null order by m.updated_at desc limit $1`,
};

/** The unique index on hashes. */
const ROW: Statement<ShownTuple> = { text: `select ${SHOWN} from mempool m where m.tx_hash = $1` };

export interface RowLists {
  /** Oldest first. */
  readonly parked: readonly ShownRow[];
  /** Latest first. */
  readonly failed: readonly ShownRow[];
}

export async function readLists(database: Database, most: number): Promise<RowLists> {
  const [parked, failed] = await Promise.all([database.run(PARKED, [most]), database.run(FAILED, [most])]);
  return { parked: parked.map(shown), failed: failed.map(shown) };
}

/** Null: there is none. */
export async function findRow(database: Database, hash: TxHash): Promise<ShownRow | null> {
  const [row] = await database.run(ROW, [bytesOf(hash)]);
  return row === undefined ? null : shown(row);
}

export interface ShownPins {
  readonly participant: string | null;
  readonly user: string | null;
  readonly synchronizer: string | null;
  readonly lanes: string;
  readonly sameNonce: string;
  readonly toleranceMs: number;
  readonly clockSkewMaxMs: number;
  readonly protocol: number;
  /** `V2`, `V3`; null before the first external sender's transfer. */
  readonly hashingScheme: string | null;
  readonly ledgerEnd: string | null;
  readonly timeline: string | null;
  readonly pinnedAt: number;
  /** Why claims are halted; null: they are not. */
  readonly halted: string | null;
  /** Undecided rows that were sent on a participant that is no longer pinned. */
  readonly recordedElsewhere: number;
}

/** mempool_undecided_v1, for the rows of another participant. */
const PINS: Statement<ShownPins> = {
  text: `select p.participant_id as participant, p.user_id as "user", p.synchronizer_id as synchronizer, p.lanes,
      p.same_nonce as "sameNonce", p.tolerance_ms as "toleranceMs", p.clock_skew_max_ms as "clockSkewMaxMs", p.protocol,
      'V' || p.scheme_in_force as "hashingScheme", p.ledger_end::text as "ledgerEnd", p.timeline,
      ${ms('p.pinned_at')} as "pinnedAt", p.halted,
      (select count(*)::int from mempool m where m.status = 'pending' and m.claim_token is null
          and m.sent_until is not null and m.sent_on <> p.sent_on) as "recordedElsewhere"
    from mempool_submitter_v1 p`,
};

/** Null where `migrate` has pinned nothing. */
export async function readPins(database: Database): Promise<ShownPins | null> {
  const [pins] = await database.run(PINS, []);
  return pins ?? null;
}

export interface Failover {
  readonly at: number;
  readonly action: string;
  readonly by: string;
  readonly change: Readonly<Record<string, unknown>>;
}

/** Primary key, backwards; people's entries about single rows may be many, so no further than this. */
const FAILOVERS: Statement<Failover> = {
  text: `select ${ms('a.at')} as at, a.action, a.by_application as by, a.change
    from (select * from mempool_submitter_audit_v1 order by id desc limit 1000) a
    where a.action in ('recheck', 'halt', 'repin', 'remark') order by a.id desc limit $1`,
};

/** What made every row be looked at anew, or stopped them all: latest first. */
export const readFailovers = (database: Database, most: number): Promise<readonly Failover[]> =>
  database.run(FAILOVERS, [most]);

const shown = (tuple: ShownTuple): ShownRow => ({
  txHash: txHashOf(tuple.tx_hash),
  state: tuple.state,
  sender: tuple.from_address,
  recipient: tuple.recipient_address,
  token: tuple.contract_address,
  amountData: new Uint8Array(tuple.amount_data),
  nonce: BigInt(tuple.nonce),
  attempts: tuple.attempts,
  undecided: tuple.undecided,
  elsewhere: tuple.elsewhere,
  reason: tuple.reason ?? '',
  message: tuple.error_message,
  createdAt: tuple.created_at,
  updatedAt: tuple.updated_at,
});
