// What `status`, the status page and the metrics show of the queue. Cheap on a table of millions: every part is
// answered by a partial index, and lists are cut.
import { type DbMillis, dbMillis, type TxHash } from '../core/ids.js';
import type { Recheck } from '../ports/store.js';
import type { QueueState } from '../protocol/row-state.js';
import { RECHECKED } from './pins.js';
import type { Database } from './pool.js';
import type { Statement } from './statements.js';

export interface QueueCount {
  readonly rows: number;
  /** Age of the oldest, since its arrival; null where there is none. */
  readonly oldestMs: number | null;
}

export interface HolderCount {
  readonly holder: string;
  readonly rows: number;
}

export interface StatusRow {
  readonly txHash: TxHash;
  readonly sender: string;
  readonly nonce: bigint;
  readonly attempts: number;
  readonly reason: string;
  readonly undecided: boolean;
  readonly ageMs: number;
}

export interface QueueStatus {
  readonly now: DbMillis;
  readonly queue: Readonly<Record<QueueState, QueueCount>>;
  readonly holders: readonly HolderCount[];
  /** Latest first. */
  readonly failures: readonly StatusRow[];
  /** Oldest row first. */
  readonly parked: readonly StatusRow[];
  /** Why nobody may claim; null: nothing speaks against it. */
  readonly halted: string | null;
  /** A failover or restore of these last days: what is failed looks from there first. */
  readonly recheck: (Recheck & { readonly at: DbMillis }) | null;
  /** What external senders' transfers were last signed under: V2 or V3; null before the first. */
  readonly hashingScheme: number | null;
  /** Undecided rows that were sent on a participant which is pinned no more. */
  readonly recordedElsewhere: number;
}

interface StateTuple {
  readonly state: QueueState;
  readonly rows: number;
  readonly oldest_ms: number | null;
  readonly now: number;
}

/** mempool_fresh_v1, mempool_undecided_v1, and the index of claims; one pass each. */
const QUEUE: Statement<StateTuple> = {
  text: `with states as (
      select case when m.available_at = 'infinity' then 'parked'
               when m.available_at > now() then 'backoff' else 'waiting' end as state, m.created_at
        from mempool m where m.status = 'pending' and m.claim_token is null and m.sent_until is null
      union all
      select case when m.available_at = 'infinity' then 'parked' else 'undecided' end, m.created_at
        from mempool m where m.status = 'pending' and m.claim_token is null and m.sent_until is not null
      union all
      select 'in-flight', m.created_at
        from mempool m where m.status = 'pending' and m.claim_token is not null
    )
    select k.state, count(s.state)::int as rows,
           (extract(epoch from now() - min(s.created_at)) * 1000)::float8 as oldest_ms,
           floor(extract(epoch from now()) * 1000)::float8 as now
      from unnest(array['waiting', 'in-flight', 'undecided', 'backoff', 'parked']) k(state)
      left join states s on s.state = k.state group by k.state`,
};

/** The index of claims. */
const HOLDERS: Statement<HolderCount> = {
  text: `select coalesce(m.claimed_by, '') as holder, count(*)::int as rows from mempool m
    where m.status = 'pending' and m.claim_token is not null group by 1 order by 1`,
};

interface RowTuple {
  readonly tx_hash: string;
  readonly from_address: string;
  readonly nonce: string;
  readonly attempts: number;
  readonly reason: string | null;
  readonly undecided: boolean;
  readonly age_ms: number;
}

const SHOWN = `'0x' || encode(m.tx_hash, 'hex') as tx_hash, m.from_address, m.nonce, m.attempts,
  m.sent_until is not null as undecided, (extract(epoch from now() - m.updated_at) * 1000)::float8 as age_ms`;

/** mempool_reasons_v1, backwards. */
const FAILURES: Statement<RowTuple> = {
  text: `select ${SHOWN}, coalesce(m.last_error, m.error_message) as reason from mempool m
    where m.error_message is not null order by m.updated_at desc limit $1`,
};

/** The far ends of mempool_fresh_v1 and mempool_undecided_v1. */
const PARKED: Statement<RowTuple> = {
  text: `(select ${SHOWN}, m.last_error as reason, m.id from mempool m
      where m.status = 'pending' and m.claim_token is null and m.sent_until is null
        and m.available_at = 'infinity' order by m.available_at, m.id limit $1)
    union all
    (select ${SHOWN}, m.last_error as reason, m.id from mempool m
      where m.status = 'pending' and m.claim_token is null and m.sent_until is not null
        and m.available_at = 'infinity' order by m.available_at, m.id limit $1)
    order by id limit $1`,
};

interface PinTuple {
  readonly halted: string | null;
  readonly scheme_in_force: number | null;
  readonly from: string | null;
  readonly until: number | null;
  readonly at: number | null;
  readonly elsewhere: number;
}

/** mempool_undecided_v1, for the rows of another participant. */
const PIN: Statement<PinTuple> = {
  text: `select p.halted, p.scheme_in_force, case when ${RECHECKED} then p.recheck_from end as from,
      (extract(epoch from p.recheck_until) * 1000)::float8 as until, (extract(epoch from p.recheck_at) * 1000)::float8 as at,
      (select count(*)::int from mempool m where m.status = 'pending' and m.claim_token is null
          and m.sent_until is not null and m.sent_on <> p.sent_on) as elsewhere
    from mempool_submitter_v1 p`,
};

/** For `status` alone: nothing is decided by it. */
const SCHEME: Statement<Record<string, never>> = {
  text: 'update mempool_submitter_v1 set scheme_in_force = $1 where scheme_in_force is distinct from $1',
};

/** At each change of it; a few times in a process's life. */
export async function tellScheme(database: Database, scheme: number): Promise<void> {
  await database.run(SCHEME, [scheme]);
}

const LISTED = 50;

export async function readStatus(database: Database, listed = LISTED): Promise<QueueStatus> {
  const [states, holders, failures, parked, pins] = await Promise.all([
    database.run(QUEUE, []),
    database.run(HOLDERS, []),
    database.run(FAILURES, [listed]),
    database.run(PARKED, [listed]),
    database.run(PIN, []),
  ]);
  const [pin] = pins;
  const queueOf = (state: QueueState): QueueCount => {
    const tuple = states.find((one) => one.state === state);
    return { rows: tuple?.rows ?? 0, oldestMs: tuple?.oldest_ms ?? null };
  };
  return {
    now: dbMillis(states[0]?.now ?? 0),
    queue: {
      waiting: queueOf('waiting'),
      'in-flight': queueOf('in-flight'),
      undecided: queueOf('undecided'),
      backoff: queueOf('backoff'),
      parked: queueOf('parked'),
    },
    holders,
    failures: failures.map(shown),
    parked: parked.map(shown),
    halted: pin?.halted ?? null,
    recheck: recheckOf(pin),
    hashingScheme: pin?.scheme_in_force ?? null,
    recordedElsewhere: pin?.elsewhere ?? 0,
  };
}

function recheckOf(pin: PinTuple | undefined): QueueStatus['recheck'] {
  if (pin === undefined || pin.from === null || pin.until === null || pin.at === null) return null;
  return { from: BigInt(pin.from), until: dbMillis(pin.until), at: dbMillis(pin.at) };
}

const shown = (tuple: RowTuple): StatusRow => ({
  txHash: tuple.tx_hash as TxHash,
  sender: tuple.from_address,
  nonce: BigInt(tuple.nonce),
  attempts: tuple.attempts,
  reason: tuple.reason ?? '',
  undecided: tuple.undecided,
  ageMs: tuple.age_ms,
});
