// The demo's own queries: it plays the judge who counts.
import { sleep } from '../../runtime/timers.js';
import type { Database } from '../../store/pool.js';
import type { Statement } from '../../store/statements.js';

export interface Counts {
  readonly completed: number;
  readonly failed: number;
  /** Neither ended nor parked. */
  readonly pending: number;
  readonly parked: number;
  readonly inFlight: number;
}

const COUNTS: Statement<Counts> = {
  text: `select count(*) filter (where status in ('completed', 'mined'))::int as completed,
      count(*) filter (where status = 'failed')::int as failed,
      count(*) filter (where status = 'pending' and available_at < 'infinity')::int as pending,
      count(*) filter (where status = 'pending' and available_at = 'infinity')::int as parked,
      count(*) filter (where status = 'pending' and lease_expires_at is not null)::int as "inFlight"
    from mempool`,
};

export interface Ended {
  readonly hash: string;
  readonly status: string;
  readonly parked: boolean;
  /** Ms since the epoch. */
  readonly endedAt: number;
  readonly holder: string | null;
  readonly reason: string | null;
}

const ENDED: Statement<Ended> = {
  text: `select '0x' || encode(tx_hash, 'hex') as hash, status, available_at = 'infinity' as parked, claimed_by as holder, last_error as reason,
      (extract(epoch from updated_at) * 1000)::float8 as "endedAt" from mempool`,
};

/** Counted by the server (track_functions), whoever called. A backend adds its own count when it exits. */
const CLAIMS: Statement<{ readonly calls: number }> = {
  text: `select coalesce(sum(calls), 0)::int as calls from pg_stat_user_functions where funcname = 'mempool_claim_v1'`,
};

const CONNECTED: Statement<{ readonly backends: number }> = {
  text: "select count(*)::int as backends from pg_stat_activity where application_name like 'demo-%'",
};

export async function readCounts(database: Database): Promise<Counts> {
  const [counts] = await database.run(COUNTS, []);
  if (counts === undefined)
    throw new Error("the database does not count function calls: set track_functions = 'pl'");
  return counts;
}

export const readEnded = (database: Database): Promise<Ended[]> => database.run(ENDED, []);

/** Call once the submitters have stopped: waits until the last of their backends has added its count. */
export async function readClaimStatements(database: Database): Promise<number> {
  for (let tries = 0; tries < 40; tries++) {
    const [connected] = await database.run(CONNECTED, []);
    if (connected?.backends === 0) break;
    await sleep(50);
  }
  const [claims] = await database.run(CLAIMS, []);
  return claims?.calls ?? 0;
}
