// Every statement that runs while rows are on their way, each with the index that serves it. What keeps a guarantee by
// several queries is a function of protocol.sql; the rest is here.

import type { PausedPart } from '../ports/store.js';

export interface Statement<Row> {
  readonly text: string;
  /** For the type alone: what a row of the result looks like. */
  readonly row?: Row;
}

/** The API's columns of a row. */
export interface RowTuple {
  readonly id: string;
  readonly tx_hash: Buffer;
  readonly from_address: string;
  readonly contract_address: string;
  readonly recipient_address: string;
  readonly nonce: string;
  readonly amount_data: Buffer;
  readonly created_at: number;
}

export interface ClaimTuple extends RowTuple {
  /**
   * `parked`: another hash has used its nonce (SAME_NONCE=park); only its id and hash are returned. `paused`: nothing is
   * claimed while everything is paused.
   */
  readonly answer: 'row' | 'parked' | 'paused' | 'none' | 'stale';
  readonly db_now: number;
  /** In ms: no waiting row of this kind is older, as far as this claim has seen. */
  readonly low_water: number;
  readonly claim_token: string;
  readonly attempts: number;
  readonly sender_kind: 'hosted' | 'external' | 'keyless' | 'unknown';
  readonly sender_party: string | null;
  /** As `users` has it, encrypted; only for a sender who signs with it. */
  readonly sender_key: string | null;
  readonly recipient_party: string | null;
  readonly nonce_shared: boolean;
  readonly sent_from: string | null;
  readonly sent_until: number | null;
  readonly submission_id: string | null;
  readonly submission_party: string | null;
  readonly submission_hash: Buffer | null;
  readonly hashing_scheme: number | null;
  readonly sent_on: number | null;
  readonly sent_by: string | null;
}

/** I1, I6. Indexes: mempool_fresh_v1 or mempool_undecided_v1, then mempool_lane_v2 and mempool_claimed_lane_v2; users_address_v1. */
export const CLAIM: Statement<ClaimTuple> = {
  text: 'select * from mempool_claim_v1($1, $2, $3, $4, $5, $6, $7, $8, $9)',
};

/** I4. Primary key. One row after the other, in the order given; `place` counts from 1. */
export const WRITE_AHEAD: Statement<{
  readonly place: number;
  readonly answer: 'written' | 'fenced' | 'stale';
}> = {
  text: `select w.place::int as place, mempool_write_ahead_v1(w.generation, w.id, w.token, w.sent_from, w.sent_until,
      w.submission_id, w.party, w.hash, w.scheme, w.sent_on) as answer
    from unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::bigint[], $5::timestamptz[], $6::text[], $7::text[],
      $8::bytea[], $9::int[], $10::int[]) with ordinality
      w(generation, id, token, sent_from, sent_until, submission_id, party, hash, scheme, sent_on, place)`,
};

/** I6. mempool_spending_v1. */
export const RESERVED: Statement<{ readonly id: string; readonly inputs: string[] | null }> = {
  text: 'select * from mempool_reserved_v1($1)',
};

/** I4, I6. Primary key, mempool_spending_v1; for `lane_waits` mempool_lane_v2. */
export const RESERVE: Statement<{
  readonly answer: 'written' | 'fenced' | 'stale' | 'reserved' | 'earlier';
  readonly lane_waits: boolean;
}> = {
  text: 'select * from mempool_reserve_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
};

/** I2. Primary key. */
export const AWAIT: Statement<never> = {
  text: 'select mempool_await_v1($1, $2, $3, $4)',
};

/** I2, I9. Primary key; rows are locked in order of id, so that settlers do not deadlock. */
export const SETTLE: Statement<{
  readonly id: string;
  readonly lane_waits: boolean;
  /** Why nothing was written: what the verdict was concluded from has changed. */
  readonly refused: string | null;
}> = {
  text: 'select * from mempool_settle_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)',
};

export interface SettledTuple {
  readonly id: string;
  readonly status: string;
  readonly claim_token: string | null;
  readonly released_token: string | null;
}

/** For rows that a settle did not return: were they ours after all, or fenced (P16)? Primary key. */
export const READ_BACK: Statement<SettledTuple> = {
  text: 'select id, status, claim_token, released_token from mempool where id = any ($1::bigint[])',
};

/** I1. mempool_claimed_lane_v2 or mempool_claimed_v1: rows in flight only. */
export const RENEW: Statement<{ readonly token: string }> = {
  text: 'select mempool_renew_v1($1, $2, $3) as token',
};

/** Which of these tokens still hold their row. The same indexes. */
export const STILL_HELD: Statement<{ readonly token: string }> = {
  text: "select claim_token as token from mempool where status = 'pending' and claim_token = any ($1::uuid[])",
};

/** I3. The same indexes. */
export const RESCUE: Statement<{ readonly id: string }> = {
  text: 'select mempool_rescue_v1($1) as id',
};

/**
 * Marks only move forward, and a new one is accepted only from a stream that showed one of the old ones ($5, $6; null: none
 * yet); the newest mark of each of eight parties is kept. A statement of its own, never part of claim or settle, and it
 * writes nothing where nothing moves. Nothing moves after a failover until the recheck, which looks from the ledger end that
 * was pinned before (P20), nor after a repin ($7): another participant's offsets would shut the new one out.
 */
export const ADVANCE_MARKS: Statement<never> = {
  text: `update mempool_submitter_v1 p
    set ledger_end = greatest(p.ledger_end, $1::bigint),
        mark_offset = case when n.moves then $2::bigint else p.mark_offset end,
        mark_update_id = case when n.moves then $3::text else p.mark_update_id end,
        mark_party = case when n.moves then $4::text else p.mark_party end,
        other_marks = case when not n.moves then p.other_marks else (
          select coalesce(jsonb_agg(k.mark order by (k.mark->>'offset')::bigint desc), '[]') from (
            select o.mark from (
              select jsonb_build_object('offset', p.mark_offset::text, 'update_id', p.mark_update_id, 'party', p.mark_party) as mark
               where p.mark_offset is not null
              union all select jsonb_array_elements(p.other_marks)) o
             where o.mark->>'party' <> $4::text order by (o.mark->>'offset')::bigint desc limit 7) k) end
    from (select q.one, coalesce($2::bigint > coalesce(q.mark_offset, -1)
            and ((q.mark_offset is not distinct from $5::bigint and q.mark_update_id is not distinct from $6::text)
              or exists (select from jsonb_array_elements(q.other_marks) o
                where (o->>'offset')::bigint = $5::bigint and o->>'update_id' = $6::text)), false) as moves
          from mempool_submitter_v1 q for update) n
    where p.one = n.one and p.generation = $7::bigint and (n.moves or p.ledger_end is null or p.ledger_end < $1::bigint)
      and not mempool_moved_v1(p)`,
};

/** A table of a few rows. */
export const PAUSED_PARTS: Statement<PausedPart> = {
  text: 'select p.scope, p.address, p.reason from mempool_pauses_v1 p order by p.since',
};

/** The channel of every listener; the doorbell of triggers.sql notifies it. */
export const CHANNEL = 'mempool_wakeup_v1';

/** The listener's own notification, which it must hear within two seconds. */
export const CANARY: Statement<never> = {
  text: "select pg_notify('mempool_wakeup_v1', $1)",
};

/** $1 '' is the bell, 'h' a handoff. One session rings at a time, like the doorbell; bell and handoff have separate locks ($2). */
export const RING: Statement<never> = {
  text: "select pg_notify('mempool_wakeup_v1', $1) where pg_try_advisory_xact_lock(1835363696, $2)",
};
