// Entries of the audit table: what was decided about the whole table, or against a record. Written in the transaction
// that does it, so that there is neither without the other.
import type pg from 'pg';

export type AuditedAction =
  | 'recheck'
  | 'halt'
  | 'tolerance'
  | 'pins'
  | 'repin'
  | 'remark'
  | 'down'
  | 'completed'
  | 'force-new';

export async function audit(
  client: pg.ClientBase,
  action: AuditedAction,
  change: Readonly<Record<string, string | number | null>>,
): Promise<void> {
  await client.query('insert into mempool_submitter_audit_v1 (action, change) values ($1, $2)', [
    action,
    change,
  ]);
}

/** A record as it is forgotten, of row `m`, for the statements that write their entry themselves. */
export const FORGOTTEN = `jsonb_build_object('sent_from', m.sent_from, 'sent_until', m.sent_until,
    'submission_id', m.submission_id, 'submission_party', m.submission_party,
    'submission_hash', encode(m.submission_hash, 'hex'), 'hashing_scheme', m.hashing_scheme, 'sent_on', m.sent_on, 'sent_by', m.sent_by)`;
