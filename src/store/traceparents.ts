// The trace in which the API inserted a row, where its table has a column `traceparent` (W3C Trace Context). Ours adds none: it is
// the API's to write. Read after a claim, and only while rows are traced.
import type { ClaimReply, Store } from '../ports/store.js';
import type { Database } from './pool.js';
import type { Statement } from './statements.js';

const COLUMN: Statement<{ readonly there: boolean }> = {
  text: `select exists (select from pg_attribute a where a.attrelid = to_regclass('mempool') and a.attname = 'traceparent'
      and not a.attisdropped) as there`,
};

const READ: Statement<{ readonly id: string; readonly traceparent: string }> = {
  text: `select m.id::text, m.traceparent::text from mempool m
    where m.id = any ($1::bigint[]) and m.traceparent is not null`,
};

/** The same store, which tells the traces of the rows that it claims before it returns them. */
export function withTraceparents(
  store: Store,
  database: Database,
  tell: (parents: ReadonlyMap<string, string>) => void,
): Store {
  let there: boolean | null = null;
  const told = async (reply: ClaimReply): Promise<ClaimReply> => {
    if (reply.kind !== 'claimed' || reply.rows.length === 0) return reply;
    try {
      there ??= (await database.run(COLUMN, []))[0]?.there ?? false;
      if (!there) return reply;
      const rows = await database.run(READ, [reply.rows.map(({ row }) => row.id)]);
      tell(new Map(rows.map(({ id, traceparent }) => [id, traceparent])));
    } catch {
      // The rows are claimed: they go on, each in a trace of its own.
      there = null;
    }
    return reply;
  };
  return {
    ...store,
    claim: async (request) => told(await store.claim(request)),
    claimUndecided: async (request) => told(await store.claimUndecided(request)),
  };
}
