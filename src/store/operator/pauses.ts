// What is paused, by whom and why. `pause` and `resume` write it; every claim reads it (mempool_pauses_v1).
import { type DbMillis, dbMillis } from '../../core/ids.js';
import type { PausedPart } from '../../ports/store.js';
import type { Database } from '../pool.js';
import type { Statement } from '../statements.js';

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
  const tuples = await database.run(PAUSES, []);
  return tuples.map(({ scope, address, reason, by_person: by, since }) => ({
    scope,
    address,
    reason,
    by,
    since: dbMillis(since),
  }));
}
