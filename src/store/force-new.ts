// `replay --force-new`: a person decides, against a record, that a parked row is to be sent anew. The one command that
// may cause a second effect: what it forgets stays in the audit.
import { FORGOTTEN } from './audit.js';
import type { Database } from './pool.js';
import {
  type ReplayedRow,
  type ReplaySelection,
  type ReplayTuple,
  replayedRow,
  SELECTED,
  SHOWN,
  STATE,
  selectedBy,
} from './replay.js';
import { ring } from './ring.js';
import type { Statement } from './statements.js';

const PARKED = `${SELECTED} and m.available_at = 'infinity'`;

const PREVIEW: Statement<ReplayTuple> = {
  text: `select ${SHOWN}, ${STATE('m.available_at')} from mempool m where ${PARKED} order by m.id`,
};

/** Parked rows alone: nobody holds them, and nothing but a person moves them. Due at once, in their lane's order. */
const FORCE_NEW: Statement<ReplayTuple> = {
  text: `with chosen as materialized (
      select m.* from mempool m where ${PARKED} order by m.id for update skip locked
    ), moved as (
      update mempool m
         set available_at = now(), attempts = 0, updated_at = now(), sent_from = null, sent_until = null, submission_id = null,
             submission_party = null, submission_hash = null, hashing_scheme = null, sent_on = null
        from chosen c where m.id = c.id
      returning m.id
    ), noted as (
      insert into mempool_submitter_audit_v1 (action, tx_hash, change)
      select 'force-new', m.tx_hash, jsonb_build_object('forgotten', ${FORGOTTEN}, 'attempts', m.attempts, 'last_error', m.last_error)
        from chosen m join moved using (id) order by m.id
    )
    select ${SHOWN}, ${STATE('m.available_at')} from chosen m join moved using (id) order by m.id`,
};

/** What was (or with `dryRun` would be) sent anew, as it was before. Rings the bell. */
export async function forceNew(
  database: Database,
  selection: ReplaySelection,
  options: { readonly dryRun: boolean },
): Promise<readonly ReplayedRow[]> {
  const tuples = await database.run(options.dryRun ? PREVIEW : FORCE_NEW, selectedBy(selection));
  if (!options.dryRun && tuples.length > 0) await ring(database, 'bell');
  return tuples.map(replayedRow);
}
