// Who is at work on this database: instances that listen, and whoever holds a live lease.
import type pg from 'pg';
import { Refusal } from '../../core/errors.js';

/** The LISTEN connection of each instance (subscriber.ts names it so). Visible to every role. */
const LISTENERS = `select distinct a.application_name as name from pg_stat_activity a
  where a.datname = current_database() and a.pid <> pg_backend_pid() and a.application_name like '% listen' order by 1`;

/** The index of claims. A claim that has run out is nobody's any more. */
const HOLDERS = `select coalesce(m.claimed_by, 'somebody') as name, count(*)::int as rows from mempool m
  where m.status = 'pending' and m.claim_token is not null and m.lease_expires_at > now() group by 1 order by 1`;

/** What is taken away here, an instance would be working on. */
export async function refuseWhileAtWork(client: pg.ClientBase): Promise<void> {
  const { rows: listeners } = await client.query<{ name: string }>(LISTENERS);
  if (listeners.length > 0) {
    const names = listeners.map(({ name }) => name.replace(/ listen$/, ''));
    throw new Refusal(`refused: ${names.join(', ')} ${are(names)} connected; stop every instance first`);
  }
  const { rows: holders } = await client.query<{ name: string; rows: number }>(HOLDERS);
  if (holders.length > 0) {
    const rows = holders.reduce((sum, one) => sum + one.rows, 0);
    throw new Refusal(
      `refused: ${holders.map(({ name }) => name).join(', ')} ${holders.length === 1 ? 'holds' : 'hold'} ${rows} claimed rows; stop every instance, wait until their leases have run out, and come again`,
    );
  }
}

const are = (names: readonly string[]): string => (names.length === 1 ? 'is' : 'are');
