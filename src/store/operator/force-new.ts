// `replay --force-new`: a person decides, against a record, that a parked row is sent anew. This is the one command that may
// cause a second effect on the ledger; the record that it clears stays in the audit.
import { BY_ITSELF, type Decided } from '../pins.js';
import type { Database } from '../pool.js';
import { NO_RECORD, RECORD_FOR_AUDIT } from '../record.js';
import type { Statement } from '../statements.js';
import { ring } from '../store.js';
import {
  type ReplayedRow,
  type ReplaySelection,
  type ReplayTuple,
  replayedRow,
  SELECTED,
  SHOWN,
  selectedBy,
} from './replay.js';

const SELECTED_PARKED = `${SELECTED} and m.available_at = 'infinity'`;

/** Only what a person was shown is sent: a row that has changed since is not. */
const FINGERPRINT = `md5(row(m.sent_from, m.sent_until, m.submission_id, m.submission_party, m.submission_hash, m.hashing_scheme,
    m.sent_on, m.sent_by, m.last_error, m.attempts)::text)`;

/**
 * A row that has to be named by its hash: the ledger holds something under its command id, or what was sent can still be
 * accepted. (The bound is in the ledger's time, which may lie behind the database's.)
 */
const BY_HASH_ALONE = `(m.last_error ~ '^(FOREIGN_ACCEPTANCE|OFFER_MADE|LOST_DUPLICATE|SAME_NONCE)'
    or m.sent_until + (select p.clock_skew_max_ms from mempool_submitter_v1 p) * interval '1 ms' >= now())`;

interface PreviewTuple extends ReplayTuple {
  readonly id: string;
  readonly fingerprint: string;
  readonly by_hash_alone: boolean;
  readonly submission_id: string | null;
  readonly submission_party: string | null;
  readonly bound: string | null;
}

const FORCE_NEW_PREVIEW: Statement<PreviewTuple> = {
  text: `select m.id, ${SHOWN('m.available_at')}, ${FINGERPRINT} as fingerprint,
      coalesce($1::bytea is null and ${BY_HASH_ALONE}, false) as by_hash_alone, m.submission_id, m.submission_party,
      case when m.sent_until = 'infinity' then 'infinity'
        else to_char(m.sent_until at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end as bound
    from mempool m where ${SELECTED_PARKED} order by m.id`,
};

/** $3 who, $4 why. Only parked rows: nobody holds them, and only a person moves them. Due at once, in their lane's order. */
const FORCE_NEW: Statement<ReplayTuple> = {
  text: `with chosen as materialized (
      select m.* from mempool m join unnest($1::bigint[], $2::text[]) s(id, fingerprint) on s.id = m.id
       where m.status = 'pending' and m.claim_token is null and m.lease_expires_at is null and m.available_at = 'infinity'
         and ${FINGERPRINT} = s.fingerprint
       order by m.id for update of m skip locked
    ), moved as (
      update mempool m
         set available_at = now(), attempts = 0, updated_at = now(),
           ${NO_RECORD},
             same_nonce_ok = m.same_nonce_ok or coalesce(m.last_error like 'SAME_NONCE:%', false)
        from chosen c where m.id = c.id
      returning m.id
    ), noted as (
      insert into mempool_submitter_audit_v1 (action, tx_hash, by_person, reason, change)
      select 'force-new', m.tx_hash, $3, $4, jsonb_build_object('forgotten', ${RECORD_FOR_AUDIT}, 'attempts', m.attempts, 'last_error', m.last_error)
        from chosen m join moved using (id) order by m.id
    )
    select ${SHOWN('m.available_at')} from chosen m join moved using (id) order by m.id`,
};

/** A parked row as it was shown. */
export interface ShownParked {
  readonly row: ReplayedRow;
  readonly id: string;
  readonly fingerprint: string;
  /** The record that would be cleared; null: the row has none. */
  readonly record: ShownRecord | null;
}

export interface ShownRecord {
  /** The ledger refuses it after this record time, RFC 3339; `infinity`: no bound is known. */
  readonly sentUntil: string;
  readonly submissionParty: string | null;
  /** Null: a submission that we do not remember. */
  readonly submissionId: string | null;
}

export interface ForceNewPreview {
  readonly rows: readonly ShownParked[];
  /** Rows that match too, but are sent anew only with `--hash`. */
  readonly byHashAlone: readonly ReplayedRow[];
}

export async function previewForceNew(
  database: Database,
  selection: ReplaySelection,
): Promise<ForceNewPreview> {
  const tuples = await database.run(FORCE_NEW_PREVIEW, selectedBy(selection));
  return {
    rows: tuples
      .filter((tuple) => !tuple.by_hash_alone)
      .map((tuple) => ({
        row: replayedRow(tuple),
        id: tuple.id,
        fingerprint: tuple.fingerprint,
        record:
          tuple.bound === null
            ? null
            : {
                sentUntil: tuple.bound,
                submissionParty: tuple.submission_party,
                submissionId: tuple.submission_id,
              },
      })),
    byHashAlone: tuples.filter((tuple) => tuple.by_hash_alone).map(replayedRow),
  };
}

/** Sends anew those of the given rows that are still as they were shown, and returns them as they were. Rings the bell. */
export async function forceNew(
  database: Database,
  rows: readonly ShownParked[],
  { by, reason }: Decided = BY_ITSELF,
): Promise<readonly ReplayedRow[]> {
  const tuples = await database.run(FORCE_NEW, [
    rows.map(({ id }) => id),
    rows.map(({ fingerprint }) => fingerprint),
    by,
    reason,
  ]);
  if (tuples.length > 0) await ring(database, 'bell');
  return tuples.map(replayedRow);
}
