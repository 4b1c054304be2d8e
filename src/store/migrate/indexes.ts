// Indexes are built concurrently. A build that fails half-way leaves an index that exists, is invalid, and is used by no plan;
// `if not exists` would take it for the real one (P30).
import type pg from 'pg';
import { CommandRefused } from '../../core/errors.js';
import { sleep } from '../../runtime/timers.js';
import { sqlState } from '../errors.js';
import { indexedTable, type SqlStep } from './sql-files.js';

/** In seconds. Claims made before may hold two rows of one sender for a lease, a call and a look; after that, fail. */
const TRIES = 300;

export async function ensureIndex(
  client: pg.Client,
  step: SqlStep,
  say: (line: string) => void,
): Promise<void> {
  const name = step.index ?? '';
  for (let tries = 1; ; tries++) {
    const state = await indexState(client, name);
    if (state === 'valid') return await refuseElsewhere(client, step);
    if (state === 'invalid') {
      say(`index ${name} was left invalid; dropping it`);
      await client.query(`drop index concurrently if exists ${name}`);
    }
    try {
      if (tries === 1) say(`building index ${name}`);
      await client.query(step.sql);
      return;
    } catch (error) {
      // Unique violation: two rows of a sender are in flight, claimed before lanes were turned on. They will end.
      const passing = ['23505', '40P01', '55P03'].includes(sqlState(error) ?? '');
      if (!passing || tries >= TRIES) throw error;
      if (tries === 1) say(`index ${name}: waiting for earlier claims to end`);
      await sleep(1_000);
    }
  }
}

/** Indexes of earlier versions. They are dropped once those that replace them are valid. */
export const RETIRED = ['mempool_lane_v1', 'mempool_claimed_lane_v1'] as const;

export async function dropIndex(client: pg.Client, name: string, say: (line: string) => void): Promise<void> {
  if ((await indexState(client, name)) === 'missing') return;
  say(`dropping index ${name}, which nothing uses any more`);
  await client.query(`drop index concurrently if exists ${name}`);
}

/** The table was replaced by a copy: the old one keeps the indexes with their names. */
async function refuseElsewhere(client: pg.Client, step: SqlStep): Promise<void> {
  const { rows } = await client.query<{ elsewhere: string }>(
    'select indrelid::regclass::text as elsewhere from pg_index where indexrelid = to_regclass($1) and indrelid <> to_regclass($2)',
    [step.index, indexedTable(step)],
  );
  if (rows[0] === undefined) return;
  throw new CommandRefused(
    `index ${step.index} is on table ${rows[0].elsewhere}, so ${indexedTable(step)} cannot have one of this name: rename it or drop it there, then run migrate again`,
  );
}

async function indexState(client: pg.Client, name: string): Promise<'valid' | 'invalid' | 'missing'> {
  const { rows } = await client.query<{ valid: boolean }>(
    'select indisvalid and indisready as valid from pg_index where indexrelid = to_regclass($1)',
    [name],
  );
  return rows[0] === undefined ? 'missing' : rows[0].valid ? 'valid' : 'invalid';
}
