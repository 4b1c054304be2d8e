// Of LANES=holdings: what a sender's transfers side by side rest on.
import type { Mutation } from './mutation.js';

const mutation = (
  file: string,
  test: string,
  name: string,
  find: string,
  put: string,
  match: string,
  what: string,
): Mutation => ({
  name,
  file,
  find,
  put,
  test,
  match,
  what,
});
const sql = (find: string, put: string, match: string, what: string): Mutation =>
  mutation('protocol.sql', 'test/store/holdings.test.ts', 'I6', find, put, match, what);

export const holdings: readonly Mutation[] = [
  sql(
    'if exists (select from mempool_reserved_v1(p_party) r where r.inputs is null or r.inputs && p_inputs) then',
    'if false then',
    'I6 a holding belongs to one undecided row*',
    'a holding that an undecided row spends is not reserved again',
  ),
  sql(
    'perform pg_advisory_xact_lock(hashtextextended(p_party, 1));',
    '',
    'I6 two that reserve at one moment*',
    'one row of a party reserves at a time',
  ),
  sql(
    'r where r.inputs is null or r.inputs && p_inputs',
    'r where r.inputs && p_inputs',
    'I6 P20 after a recheck*',
    'a row whose submission nobody remembers may spend any holding',
  ),
  sql(
    'if v_lowest <> p_id then',
    'if false then',
    'P10 LANES=holdings*',
    'the lowest row without a record begins first',
  ),
  sql(
    'r.id = p_id and r.claim_token = p_token',
    'r.id = p_id',
    'I1 I2 a reservation is fenced*',
    'a reservation is fenced by the token',
  ),
  sql(
    "if mempool_stale_v1(v_pin, p_generation) then answer := 'stale'; return; end if;",
    '',
    'I1 I2 a reservation is fenced*',
    'a reservation compares pins and timeline',
  ),
  sql(
    " and p_pin.lanes <> 'holdings' as writes",
    ' as writes',
    'I6 LANES=holdings: the rows of a sender*',
    'the claim writes no record without what is spent',
  ),
  sql(
    'h.waits_on is null or h.waits_until',
    'true or h.waits_until',
    'I6 a row that waits for holdings*is completed',
    'a row that waits for holdings is not claimed before',
  ),
  sql(
    'h.waits_until <= now() or exists (',
    'h.waits_until <= now() or false and exists (',
    'I6 a row that waits for holdings*is completed',
    'it is claimed once a row that it waits on has no record',
  ),
  sql(
    'h.waits_until <= now() or exists (',
    'exists (',
    'I6 a row that waits for holdings begins anyway*',
    'it waits for so long at most',
  ),
  sql(
    'where w.id = p_id and w.claim_token = p_token',
    'where w.id = p_id',
    'I6 a row that waits for holdings begins anyway*',
    'what a row waits on is fenced by the token',
  ),
  {
    ...sql(
      'sent_inputs = case when j.looks then null else m.sent_inputs end',
      'sent_inputs = m.sent_inputs',
      'I6 P20 after a recheck*',
      'a recheck forgets what is spent',
    ),
    name: 'P20',
    file: 'src/store/recheck.ts',
  },
  {
    ...sql(
      'create unique index concurrently if not exists mempool_beginning_v1',
      'create index concurrently if not exists mempool_beginning_v1',
      'P9 I6 is a constraint*',
      'one row of a sender on its way to its record is a constraint',
    ),
    name: 'P9',
    file: 'schema.sql',
  },
  {
    ...sql(
      'step.index && isUnique(step) && step.lanes',
      'step.index && false && step.lanes',
      'P30 LANES changed from sender to holdings*',
      'the index that forbids what new lanes allow goes with the pin',
    ),
    name: 'P30',
    file: 'src/store/migrate/change-pins.ts',
  },
  mutation(
    'src/path/reserve.ts',
    'test/history/side-by-side.test.ts',
    'I6',
    "if (reserved.laneWaits) path.wakeups.signal('lane');",
    '',
    'I6 transfers of one sender go side by side*(hosted)',
    'the next row begins as soon as this one has',
  ),
  mutation(
    'src/path/gather.ts',
    'test/history/side-by-side.test.ts',
    'P28',
    'return await waitForHoldings(path, submission, reservations, chosen);',
    "return stop(park('RESERVED'));",
    'I6 P28 a row that finds too little*(hosted)',
    'a row that finds too little that is free waits',
  ),
  mutation(
    'src/transfer/holdings.ts',
    'test/transfer/holdings.test.ts',
    'I6',
    "if (reserved.length === 0 || whole.kind === 'insufficient' || whole.kind === 'held') return whole;",
    "if (reserved.length === 0 || whole.kind !== 'insufficient') return whole;",
    'what is reserved is not spent*',
    'what is reserved is not spent',
  ),
];
