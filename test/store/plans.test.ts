// What a write of one row reads: its cost must not grow with what is in flight, nor with what has ended while somebody kept
// an old snapshot open, whose entries no vacuum removes.
import test from 'ava';
import type pg from 'pg';
import { settlementOf } from '../../src/protocol/settlement.js';
import { createStore } from '../../src/store/store.js';
import { completed, insertUser, prepared } from './support.js';

const IN_FLIGHT = 300;
/** At most so many index entries of every other row: the row's own versions, and a probe of its lane. */
const FEW = 20;
const READ = `select coalesce(sum(pg_stat_get_xact_tuples_returned(indexrelid)), 0)::int as read
  from pg_index where indrelid = 'mempool'::regclass`;

test('a settle and a write-ahead read their own row, whatever is in flight, and whenever their plans were made', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'a0');
  const session = await db.pool.connect();
  t.teardown(async () => session.release());
  const store = createStore({
    ...db.database,
    run: async (statement, values) => (await session.query(statement.text, [...values])).rows,
  });
  // The plans of a session that began while nothing was in flight. A session keeps them.
  await session.query('set plan_cache_mode = force_generic_plan');
  await db.insert({ from: 'a0' });
  const first = await db.claimOne();
  if (first.kind !== 'fresh' || first.own === null) return t.fail();
  const { own } = first;
  t.is(await store.writeAhead(first, own, 1n), 'written');
  await store.settle([settlementOf(first, completed)]);

  await db.query(
    `insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
     select sha256(n::text::bytea), 'b' || n, '0x70C', 'bob', 1, '', '\\x01' from generate_series(1, $1::int) n`,
    [IN_FLIGHT],
  );
  const claimed = [];
  while (claimed.length < IN_FLIGHT) claimed.push(...(await db.claim()));
  const [one] = claimed;
  if (one === undefined) return t.fail();
  t.true((await readBy(session, () => store.writeAhead(one, own, 1n))) < FEW, 'write-ahead');
  t.true((await readBy(session, () => store.settle([settlementOf(one, completed)]))) < FEW, 'settle');
});

/** Index entries of mempool. */
async function readBy(session: pg.PoolClient, work: () => Promise<unknown>): Promise<number> {
  await session.query('begin');
  const before = (await session.query<{ read: number }>(READ)).rows[0]?.read ?? 0;
  await work();
  const after = (await session.query<{ read: number }>(READ)).rows[0]?.read ?? 0;
  await session.query('commit');
  return after - before;
}
