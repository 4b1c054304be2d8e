// Who is working on this database: the instances that listen, and whoever holds a claim whose lease has not run out. Asked
// before a person takes away what they would be working with.
import type pg from 'pg';
import { Refusal } from '../../core/errors.js';

/** The LISTEN connection of each instance, by the name that subscriber.ts gives it. Visible to every role. */
const LISTENERS = `select distinct a.application_name as name from pg_stat_activity a
  where a.datname = current_database() and a.pid <> pg_backend_pid() and a.application_name like '% listen' order by 1`;

/** The index of claims. */
const LIVE_CLAIMS = `select coalesce(m.claimed_by, 'somebody') as holder, count(*)::int as rows from mempool m
  where m.status = 'pending' and m.claim_token is not null and m.lease_expires_at > now() group by 1 order by 1`;

/** Null: nobody holds a row. */
export async function liveClaims(
  client: pg.ClientBase,
): Promise<{ readonly rows: number; readonly holders: readonly string[] } | null> {
  const { rows: held } = await client.query<{ holder: string; rows: number }>(LIVE_CLAIMS);
  return held.length === 0
    ? null
    : {
        rows: held.reduce((sum, one) => sum + one.rows, 0),
        holders: held.map(({ holder }) => holder),
      };
}

export async function refuseWhileAtWork(client: pg.ClientBase): Promise<void> {
  const { rows: listeners } = await client.query<{ name: string }>(LISTENERS);
  if (listeners.length > 0) {
    const names = listeners.map(({ name }) => name.replace(/ listen$/, ''));
    throw new Refusal(
      `refused: ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} connected; stop every instance first`,
    );
  }
  const claims = await liveClaims(client);
  if (claims !== null) {
    throw new Refusal(
      `refused: ${claims.holders.join(', ')} ${claims.holders.length === 1 ? 'holds' : 'hold'} ${claims.rows} claimed rows; stop every instance, wait until their leases have run out, and try again`,
    );
  }
}
