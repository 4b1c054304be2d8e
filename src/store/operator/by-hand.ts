// `fail` and `park`: a person ends a row, or sets it aside. Only where nothing of it can be under way: one statement asks for
// everything that rule 6 asks for, and what it does not take is told apart afterwards, with what to do instead.
import type { TxHash } from '../../core/ids.js';
import { RECHECKED } from '../pins.js';
import type { Database } from '../pool.js';
import type { Statement } from '../statements.js';
import type { Person } from './pauses.js';
import { bytesOf } from './replay.js';

/** Why a row was left as it is. */
export type WhyNotTaken =
  | 'unknown'
  | 'completed'
  | 'failed'
  | 'mined'
  | 'claimed'
  | 'undecided'
  /** Its hash has ended before: the next claim answers it from what is remembered. */
  | 'ended-before'
  /** The ledger has something under its command id, or says so. */
  | 'on-the-ledger'
  | 'parked'
  | 'halted'
  /** The database is not the pinned one, or it failed over within the last week. */
  | 'database-in-doubt'
  /** Somebody else has changed it meanwhile. */
  | 'changed';

/** SQL, of row `m`: nobody holds it, and nothing of it may still commit. */
const FREE = `m.status = 'pending' and m.claim_token is null and m.lease_expires_at is null and m.sent_until is null`;

/** What only a person can compare with the ledger. */
const ON_THE_LEDGER = "coalesce(m.last_error, '') ~ '^(FOREIGN_ACCEPTANCE|OFFER_MADE|LOST_DUPLICATE)'";

/** SQL, of the pinned row `p`: what was sent for a fresh row may have been forgotten (P20). */
const IN_DOUBT = `(mempool_moved_v1(p) or coalesce(${RECHECKED}, false))`;

/** $1 hash, $2 what a wallet sees, $3 who. I5, rule 6; as durable as a claim (P19). */
export const FAIL: Statement<{ readonly id: string }> = {
  text: `with chosen as materialized (
      select m.* from mempool m cross join mempool_submitter_v1 p
       where m.tx_hash = $1 and ${FREE}
         and not ${ON_THE_LEDGER}
         and p.halted is null
         and not ${IN_DOUBT}
         and not exists (select from mempool_ended_v1 e where e.tx_hash = m.tx_hash)
         for update of m
    ), done as (
      update mempool m set status = 'failed', error_message = $2, last_error = 'FAILED_BY_HAND: ' || $2, updated_at = now()
        from chosen c, lateral (select mempool_synced_v1()) durable where m.id = c.id and ${FREE}
      returning m.id
    ), noted as (
      insert into mempool_submitter_audit_v1 (action, tx_hash, by_person, reason, change)
      select 'fail', c.tx_hash, $3, $2, jsonb_build_object('attempts', c.attempts, 'last_error', c.last_error)
        from chosen c join done using (id)
    )
    select d.id from done d`,
};

/** $1 hash, $2 why, $3 who. A row that is parked already keeps its reason. */
const PARK: Statement<{ readonly id: string }> = {
  text: `with chosen as materialized (
      select m.* from mempool m where m.tx_hash = $1 and ${FREE} and m.available_at < 'infinity' for update of m
    ), done as (
      update mempool m set available_at = 'infinity', last_error = 'PARKED_BY_HAND: ' || $2, updated_at = now()
        from chosen c where m.id = c.id and ${FREE}
      returning m.id
    ), noted as (
      insert into mempool_submitter_audit_v1 (action, tx_hash, by_person, reason, change)
      select 'park', c.tx_hash, $3, $2, jsonb_build_object('attempts', c.attempts, 'last_error', c.last_error)
        from chosen c join done using (id)
    )
    select d.id from done d`,
};

/** $2: to be failed; otherwise to be parked. */
const WHY_NOT: Statement<{ readonly why: WhyNotTaken }> = {
  text: `select case when m.status <> 'pending' then m.status
        when m.claim_token is not null or m.lease_expires_at is not null then 'claimed'
        when m.sent_until is not null then 'undecided'
        when not $2::boolean and m.available_at = 'infinity' then 'parked'
        when not $2::boolean then 'changed'
        when ${ON_THE_LEDGER} then 'on-the-ledger'
        when exists (select from mempool_ended_v1 e where e.tx_hash = m.tx_hash) then 'ended-before'
        when p.halted is not null then 'halted'
        when ${IN_DOUBT} then 'database-in-doubt' else 'changed' end as why
    from mempool m cross join mempool_submitter_v1 p where m.tx_hash = $1`,
};

export interface ByHand {
  readonly hash: TxHash;
  /** For `fail`, what the wallet's user reads. */
  readonly reason: string;
  readonly by: Person;
}

/** `failed`, for good, by a person's decision. Null: done. */
export const failByHand = (database: Database, { hash, reason, by }: ByHand): Promise<WhyNotTaken | null> =>
  carryOut(database, FAIL, [bytesOf(hash), reason, by], true);

/** Waits until a person replays it. Null: done. */
export const parkByHand = (database: Database, { hash, reason, by }: ByHand): Promise<WhyNotTaken | null> =>
  carryOut(database, PARK, [bytesOf(hash), reason, by], false);

async function carryOut(
  database: Database,
  statement: Statement<{ readonly id: string }>,
  values: readonly unknown[],
  toFail: boolean,
): Promise<WhyNotTaken | null> {
  const done = await database.run(statement, values);
  if (done.length === 1) return null;
  const [row] = await database.run(WHY_NOT, [values[0], toFail]);
  return row?.why ?? 'unknown';
}
