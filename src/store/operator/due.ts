// Which waiting rows a claim could take now, apart from those that only wait for an earlier row of their sender, or that are
// paused. Reads every waiting row through an index, so it is for `status` and pages, not for claims.
import type { Database } from '../pool.js';
import type { Statement } from '../statements.js';

export interface Due {
  /** A claim would take these now. */
  readonly claimable: number;
  /** How long the oldest of these has been due; null: there is none. */
  readonly oldestMs: number | null;
  /** Due, but people have paused them. */
  readonly paused: number;
}

/** SQL, of alias `m`: whether a person has paused this row. */
export const PAUSED = `exists (select from mempool_pauses_v1 p where p.scope = 'all'
      or p.scope = 'token' and p.address = mempool_address_v1(m.contract_address)
      or p.scope = 'sender' and p.address = mempool_address_v1(m.from_address))`;

interface DueTuple {
  readonly claimable: number;
  readonly oldest_ms: number | null;
  readonly paused: number;
}

/** mempool_lane_v2 where lanes are on: the heads of the lanes. Otherwise mempool_fresh_v1. */
const DUE: Statement<DueTuple> = {
  text: `with heads as (
      select h.* from (
        select distinct on (mempool_sender_v1(m.from_address)) m.claim_token, m.sent_until, m.available_at, m.from_address, m.contract_address
          from mempool m where m.status = 'pending' and m.available_at < 'infinity'
         order by mempool_sender_v1(m.from_address), (m.sent_until is null), m.nonce, m.id) h
       where (select p.lanes from mempool_submitter_v1 p) = 'sender'
      union all
      select m.claim_token, m.sent_until, m.available_at, m.from_address, m.contract_address from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is null and m.available_at <= now()
         and (select p.lanes from mempool_submitter_v1 p) <> 'sender'
    )
    select count(*) filter (where not d.paused)::int as claimable, count(*) filter (where d.paused)::int as paused,
        (extract(epoch from now() - min(d.available_at) filter (where not d.paused)) * 1000)::float8 as oldest_ms
      from (select m.available_at, ${PAUSED} as paused from heads m
             where m.claim_token is null and m.sent_until is null and m.available_at <= now()) d`,
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
