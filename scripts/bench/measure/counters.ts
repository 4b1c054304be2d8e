// What Postgres counts by itself, between two moments at which nobody works: backends tell their counts when they go.
import type pg from 'pg';
import type { Figures } from './stats.js';

interface Counters {
  readonly lsn: string;
  readonly updates: number;
  readonly hot: number;
  readonly deletes: number;
  /** Null where pg_stat_statements is not loaded. */
  readonly statements: number | null;
  readonly claims: number | null;
}

const TABLES = `select pg_current_wal_insert_lsn()::text as lsn, coalesce(sum(n_tup_upd), 0)::int as updates,
  coalesce(sum(n_tup_hot_upd), 0)::int as hot, coalesce(sum(n_tup_del), 0)::int as deletes from pg_stat_user_tables`;

/** Of the systems' role: what the benchmark itself asks is not counted. */
const STATEMENTS = `select coalesce(sum(calls), 0)::int as statements,
    coalesce(sum(calls) filter (where query ~ 'mempool_claim_v\\d+\\s*\\('), 0)::int as claims
  from pg_stat_statements where toplevel and dbid = (select oid from pg_database where datname = current_database())
    and userid = (select usesysid from pg_user where usename = current_database())`;

export async function readCounters(client: pg.Client): Promise<Counters> {
  await gone(client);
  const { rows: tables } = await client.query<Pick<Counters, 'lsn' | 'updates' | 'hot' | 'deletes'>>(TABLES);
  const [table] = tables;
  if (table === undefined) throw new Error('the server counts nothing');
  const { rows: loaded } = await client.query<{ libraries: string }>(
    "select current_setting('shared_preload_libraries') as libraries",
  );
  if (!loaded[0]?.libraries.includes('pg_stat_statements'))
    return { ...table, statements: null, claims: null };
  await client.query('create extension if not exists pg_stat_statements');
  const { rows } = await client.query<{ statements: number; claims: number }>(STATEMENTS);
  return { ...table, statements: rows[0]?.statements ?? 0, claims: rows[0]?.claims ?? 0 };
}

/** Waits until the last backend of the systems has ended. */
async function gone(client: pg.Client): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { rows } = await client.query(
      'select from pg_stat_activity where usename = current_database() and datname = current_database()',
    );
    if (rows.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A row, over all of what was done between the two. */
export async function countedSince(client: pg.Client, before: Counters, rows: number): Promise<Figures> {
  const after = await readCounters(client);
  const { rows: wal } = await client.query<{ bytes: number }>(
    'select pg_wal_lsn_diff($1::pg_lsn, $2::pg_lsn)::float8 as bytes',
    [after.lsn, before.lsn],
  );
  const updates = after.updates - before.updates;
  // The others' have other names.
  const claims = (after.claims ?? 0) - (before.claims ?? 0);
  return {
    walBytes: (wal[0]?.bytes ?? 0) / rows,
    deadTuples: (updates + after.deletes - before.deletes) / rows,
    ...(updates > 0 ? { hotShare: (after.hot - before.hot) / updates } : {}),
    ...(after.statements === null || before.statements === null
      ? {}
      : { statements: (after.statements - before.statements) / rows }),
    ...(claims > 0 ? { claims: claims / rows } : {}),
  };
}
