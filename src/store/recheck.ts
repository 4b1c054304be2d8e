// After a failover to a standby that may be behind, or after a restore (P20), what was written last may be lost: a record, a
// whole row, or its outcome. So nothing is sent for any row before the ledger was asked about it.
import type pg from 'pg';
import type { RecheckRequest, RecheckResult } from '../ports/store.js';
import { audit, BY_ITSELF, type Decided, RECHECKED, underPinLock } from './pins.js';
import { type Database, unhurried } from './pool.js';
import { unknownBound } from './record.js';
import { byValue, HOSTED, PARTY, USER_OF } from './users.js';

/** $1 generation. False: another instance was faster, or this is the pinned database after all. */
const DUE = 'select p.generation = $1 and mempool_moved_v1(p) as due from mempool_submitter_v1 p';

/**
 * Where the looks begin, of the pinned row `p` as it was found. A disk, a snapshot or a standby is set back as a whole, and its
 * pinned ledger end with it. A table of another oid was restored by itself, so the pinned ledger end may be newer than what
 * was forgotten; and a person who asks for it (`byHand`) knows of something that cannot be seen here. Both read from
 * the start of the ledger.
 */
const lookFrom = (byHand: string): string =>
  `case when ${byHand}::boolean or coalesce(p.table_oid <> 'mempool'::regclass::oid::bigint, false) then 0
    else coalesce(p.ledger_end, 0) end`;

/**
 * $1 one-step tokens by value, $2 the latest time known here, $3 whether a person asks. Every pending row loses its claim, and gets an unknown record,
 * whatever record it has: the lost part of the log may have held a later submission, with another id and a later bound, so
 * neither the end of the recorded one nor its bound may decide the row. Left as they are: a record of another participant,
 * about which this one can tell nothing, and a row without a record whose sender has no party, for which nothing can have
 * been sent. Each row is found through the index that has it.
 */
const DOUBT_ALL = `
  with held as materialized (
    select m.id from mempool m where m.status = 'pending' and m.claim_token is null and m.sent_until is null
    union all
    select m.id from mempool m where m.status = 'pending' and m.claim_token is null and m.sent_until is not null
    union all
    select m.id from mempool m where m.status = 'pending' and m.claim_token is not null
  ), judged as materialized (
    select m.id, coalesce(m.submission_party, ${PARTY}) as party, ${unknownBound('$2')} as bound,
           -- The user is gone: then it may have been the participant who acted for the party.
           coalesce(${HOSTED}, true) and not mempool_address_v1(m.contract_address) = any ($1::text[]) as boundless,
           (m.sent_until is null or m.sent_on = p.sent_on) and coalesce(m.submission_party, ${PARTY}) is not null as looks,
           ${lookFrom('$3')} as look_from, p.sent_on
      from held h join mempool m on m.id = h.id cross join mempool_submitter_v1 p
      left join lateral (${USER_OF('m.from_address')}) u on true
  ), changed as (
    update mempool m
       set claim_token = null, claimed_by = null, claimed_at = null, lease_expires_at = null,
           sent_from = case when j.looks then least(j.look_from, m.sent_from) else m.sent_from end,
           sent_until = case when not j.looks then m.sent_until
             when j.boundless then 'infinity' else greatest(m.sent_until, j.bound) end,
           submission_id = case when j.looks then null else m.submission_id end,
           submission_party = case when j.looks then j.party else m.submission_party end,
           submission_hash = case when j.looks then null else m.submission_hash end,
           hashing_scheme = case when j.looks then null else m.hashing_scheme end,
           sent_on = case when j.looks then j.sent_on else m.sent_on end,
           sent_inputs = case when j.looks then null else m.sent_inputs end
      from judged j where m.id = j.id and (j.looks or m.claim_token is not null)
    returning j.looks
  )
  select count(*) filter (where looks)::int as rows from changed`;

/**
 * $1 the latest time known here, $2 whether a person asks. The generation jumps: in the lost part of the log a changed pin may
 * have had the next number, and whoever checked that one must not pass for somebody who checked this one.
 */
const PIN_DATABASE = `
  update mempool_submitter_v1 p
     set database_id = d.database_id, timeline = d.timeline, database_oid = d.database_oid, table_oid = d.table_oid,
         pinned_at = now(),
         generation = p.generation + 1 + floor(random() * 1000000)::bigint,
         recheck_from = least(case when ${RECHECKED} then p.recheck_from end, ${lookFrom('$2')}),
         recheck_until = greatest(case when ${RECHECKED} then p.recheck_until end, ${unknownBound('$1')}),
         recheck_at = now()
    from mempool_database_v1() d, mempool_submitter_v1 before
   where before.one = p.one
  returning p.database_id, p.timeline, p.database_oid, p.table_oid, before.database_id as database_id_before,
    before.timeline as timeline_before, before.database_oid as database_oid_before, before.table_oid as table_oid_before,
    p.recheck_from`;

export async function recheck(database: Database, request: RecheckRequest): Promise<RecheckResult | null> {
  return await underPinLock(database, async (client) => {
    const { rows } = await client.query<{ due: boolean }>(DUE, [request.generation.toString()]);
    return rows[0]?.due === true ? await recheckAll(client, request, null) : null;
  });
}

/** Called under the pin lock, in its transaction. `byHand`: the person who asks; null: an instance that has noticed it. */
export async function recheckAll(
  client: pg.PoolClient,
  { notBefore, oneStepTokens }: Omit<RecheckRequest, 'generation'>,
  byHand: Decided | null,
): Promise<RecheckResult> {
  const values = [oneStepTokens.map(byValue), notBefore, byHand !== null];
  const doubted = await unhurried<{ rows: number }>(client, DOUBT_ALL, values);
  const result = { rows: doubted.rows[0]?.rows ?? 0 };
  const pinned = await client.query<Record<string, string | null>>(PIN_DATABASE, [
    notBefore,
    byHand !== null,
  ]);
  await audit(client, 'recheck', { ...pinned.rows[0], ...result }, byHand ?? BY_ITSELF);
  return result;
}
