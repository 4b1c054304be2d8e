// Which waiting rows a claim could take now, apart from those that only wait for an earlier row of their sender, or that are
// paused. Reads every waiting row through an index, so it is for `status` and pages, not for claims.
import type { Database } from '../pool.js';
import { finite } from '../rows.js';
import type { Statement } from '../statements.js';

export interface Due {
  /** A claim would take these now. */
  readonly claimable: number;
  /** How long the oldest of these has been due; null: there is none. */
  readonly oldestMs: number | null;
  /** Due, but people have paused them. */
  readonly paused: number;
}

/** SQL, of alias `m`: nobody has it, nothing of it is undecided, and it does not wait. */
const FREE = 'm.claim_token is null and m.sent_until is null and m.available_at <= now()';

/** SQL, of alias `m`: whether a person has paused this row. Addresses are only read where that depends on them. */
const PAUSED = `case when (select p.everything from pauses p) then true
      when (select p.tokens = '{}' and p.senders = '{}' from pauses p) then false
      else mempool_address_v1(m.contract_address) = any ((select p.tokens from pauses p)::text[])
        or mempool_address_v1(m.from_address) = any ((select p.senders from pauses p)::text[]) end`;

interface DueTuple {
  readonly claimable: number;
  readonly oldest_ms: number | null;
  readonly paused: number;
}

/**
 * What is paused is read once, and what is sorted is kept narrow: of 100,000 rows of as many senders it takes a fifth of the
 * time that asking for each head's pause would.
 */
const DUE: Statement<DueTuple> = {
  text: `with pauses as materialized (
      select coalesce(bool_or(p.scope = 'all'), false) as everything,
          coalesce(array_agg(p.address) filter (where p.scope = 'token'), '{}') as tokens,
          coalesce(array_agg(p.address) filter (where p.scope = 'sender'), '{}') as senders
        from mempool_pauses_v1 p
    ), heads as (
      select h.available_at, h.paused from (
        select distinct on (mempool_sender_v1(m.from_address)) m.available_at, ${FREE} as free, ${PAUSED} as paused
          from mempool m where m.status = 'pending' and m.available_at < 'infinity'
         order by mempool_sender_v1(m.from_address), (m.sent_until is null), m.nonce, m.id) h
       where h.free and (select p.lanes from mempool_submitter_v1 p) = 'sender'
      union all
      select m.available_at, ${PAUSED} from mempool m
       where m.status = 'pending' and ${FREE} and (select p.lanes from mempool_submitter_v1 p) <> 'sender'
    )
    select count(*) filter (where not h.paused)::int as claimable, count(*) filter (where h.paused)::int as paused,
        (extract(epoch from now() - min(${finite('h.available_at')}) filter (where not h.paused)) * 1000)::float8 as oldest_ms
      from heads h`,
};

export async function readDue(database: Pick<Database, 'run'>): Promise<Due> {
  const [tuple] = await database.run(DUE, []);
  return {
    claimable: tuple?.claimable ?? 0,
    oldestMs: tuple?.oldest_ms ?? null,
    paused: tuple?.paused ?? 0,
  };
}

export interface LostOften {
  readonly txHash: string;
  readonly times: number;
}

/** mempool_attempts_lost_v1: a few entries for each instance that was killed. */
const LOST_OFTEN: Statement<{ readonly tx_hash: string; readonly times: number }> = {
  text: `select '0x' || encode(m.tx_hash, 'hex') as tx_hash, l.times from (
      select a.row_id, count(*)::int as times from mempool_attempts_v1 a
       where a.outcome = 'lost' and a.ended_at > now() - interval '1 day' group by a.row_id having count(*) >= 3) l
    join mempool m on m.id = l.row_id and m.status = 'pending' order by l.times desc, m.id limit 20`,
};

/** Pending rows that three instances or more have lost within a day: they may be what has killed them. */
export async function readLostOften(database: Database): Promise<readonly LostOften[]> {
  const tuples = await database.run(LOST_OFTEN, []);
  return tuples.map(({ tx_hash: txHash, times }) => ({ txHash, times }));
}
