// What is paused, by whom and why. `pause` and `resume` write it; every claim reads it (mempool_pauses_v1).
import { type DbMillis, dbMillis } from '../../core/ids.js';
import type { PausedPart } from '../../ports/store.js';
import type { Database } from '../pool.js';
import type { Statement } from '../statements.js';
import { ring } from '../store.js';

export interface Pause extends PausedPart {
  readonly by: string | null;
  readonly since: DbMillis;
}

interface PauseTuple extends PausedPart {
  readonly by_person: string | null;
  readonly since: number;
}

/** A table of a few rows. */
const PAUSES: Statement<PauseTuple> = {
  text: `select p.scope, p.address, p.reason, p.by_person, (extract(epoch from p.since) * 1000)::float8 as since
    from mempool_pauses_v1 p order by p.since, p.scope, p.address`,
};

/** Oldest first; empty: nothing is paused. */
export async function readPauses(database: Database): Promise<readonly Pause[]> {
  return (await database.run(PAUSES, [])).map(pauseOf);
}

const pauseOf = ({ scope, address, reason, by_person: by, since }: PauseTuple): Pause => ({
  scope,
  address,
  reason,
  by,
  since: dbMillis(since),
});

/** What to pause or resume. `address`: as people write it. */
export type PauseScope =
  | { readonly scope: 'all' }
  | { readonly scope: 'token' | 'sender'; readonly address: string };

/** Who does it, for the audit: `user@host`, or what the page knows. */
export type Person = string;

/** Paused again, it keeps its beginning and gets the new reason. */
const PAUSE: Statement<{ readonly new: boolean }> = {
  text: `with paused as (
      insert into mempool_pauses_v1 as p (scope, address, reason, by_person)
      values ($1, mempool_address_v1($2), $3, $4)
      on conflict (scope, address) do update set reason = excluded.reason, by_person = excluded.by_person
      returning p.scope, p.address, p.since = now() as new
    ), noted as (
      insert into mempool_submitter_audit_v1 (action, by_person, reason, change)
      select 'pause', $4, $3, jsonb_build_object('scope', p.scope, 'address', p.address) from paused p
    )
    select p.new from paused p`,
};

/**
 * No instance claims such rows any more, from the next claim on: what is in flight ends, and nothing of it leaves half a
 * second later. False: it was paused already, and has the new reason.
 */
export async function pauseRows(
  database: Database,
  what: PauseScope,
  reason: string,
  by: Person,
): Promise<boolean> {
  const [row] = await database.run(PAUSE, [what.scope, addressOf(what), reason, by]);
  return row?.new ?? false;
}

const RESUME: Statement<PauseTuple> = {
  text: `with resumed as (
      delete from mempool_pauses_v1 p where p.scope = $1 and p.address = mempool_address_v1($2) returning p.*
    ), noted as (
      insert into mempool_submitter_audit_v1 (action, by_person, reason, change)
      select 'resume', $4, $3, jsonb_build_object('scope', p.scope, 'address', p.address, 'was', p.reason, 'since', p.since) from resumed p
    )
    select p.scope, p.address, p.reason, p.by_person, (extract(epoch from p.since) * 1000)::float8 as since from resumed p`,
};

/** Rings the bell. Null: that is not paused. */
export async function resumeRows(
  database: Database,
  what: PauseScope,
  reason: string | null,
  by: Person,
): Promise<Pause | null> {
  const [row] = await database.run(RESUME, [what.scope, addressOf(what), reason, by]);
  if (row === undefined) return null;
  await ring(database, 'bell');
  return pauseOf(row);
}

const addressOf = (what: PauseScope): string => (what.scope === 'all' ? '' : what.address);
