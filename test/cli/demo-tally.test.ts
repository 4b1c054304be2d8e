import test from 'ava';
import type { DemoRow } from '../../src/cli/demo/scenario.js';
import {
  balancesByRows,
  brokenGuarantees,
  type Evidence,
  percentiles,
  summarize,
} from '../../src/cli/demo/tally.js';
import type { Token } from '../../src/core/token.js';

const usdd: Token = {
  address: '0x3',
  name: 'Demo Dollar',
  symbol: 'USDD',
  decimals: 6,
  instrumentAdmin: 'issuer',
  instrumentId: 'USDD',
  steps: 1,
  offerIsDone: false,
};
const row = (hash: string, from = 0, to = 1, amount = 1_500_000n): DemoRow => ({
  hash,
  from,
  to,
  amount,
  token: usdd,
  row: {} as DemoRow['row'],
});

/** Two rows, each submitted and accepted once. */
const fine = (): Evidence => ({
  rows: [row('0xa'), row('0xb')],
  instances: 2,
  ended: [
    { hash: '0xa', status: 'completed', parked: false, endedAt: 1_500, holder: 'demo-2/77-ab', reason: null },
    { hash: '0xb', status: 'completed', parked: false, endedAt: 2_700, holder: 'demo-1/76-cd', reason: null },
  ],
  audit: [
    { commandId: '0xa', at: 1_004.25, outcome: { kind: 'accepted' } },
    { commandId: '0xb', at: 1_999.5, outcome: { kind: 'accepted' } },
  ],
  ledgerCalls: 2,
  doubleCommits: 0,
  claimStatements: 5,
  committedAt: new Map([
    ['0xa', 1_000],
    ['0xb', 2_000],
  ]),
  oddBalances: [],
});
const broken = (evidence: Evidence): string[] => brokenGuarantees(evidence, summarize(evidence));

test('the summary has exactly these fields, in this order', (t) => {
  t.is(
    JSON.stringify(summarize(fine())),
    '{"rows":2,"completed":2,"failed":0,"pending":0,"parked":0,"ledgerCalls":2,"callsPerRow":1,"doubleCommits":0,"instances":2,' +
      '"insertToCallMs":{"p50":0,"p99":4.3},"insertToDoneMs":{"p50":500,"p99":700},"claimStatements":5,' +
      '"perInstance":[{"instance":"demo-1","rows":1},{"instance":"demo-2","rows":1}]}',
  );
  t.deepEqual(broken(fine()), []);
});

test('whatever is broken is said', (t) => {
  const evidence = fine();
  const [first, second] = evidence.ended;
  const other = (change: Partial<NonNullable<typeof second>>): Evidence => ({
    ...evidence,
    ended: [first, { ...second, ...change }] as Evidence['ended'],
  });
  const cases: [Evidence, RegExp][] = [
    [{ ...evidence, doubleCommits: 1 }, /1 double commits/],
    [{ ...evidence, ledgerCalls: 3 }, /3 ledger calls for 2 rows/],
    [{ ...evidence, oddBalances: ['alice holds 1 USDD, and 2 by the rows'] }, /alice holds/],
    [{ ...evidence, audit: evidence.audit.slice(1) }, /0xa is completed, but was not accepted/],
    [other({ status: 'pending' }), /1 rows are unfinished \(0 of them parked\)/],
    [other({ status: 'pending', parked: true }), /1 rows are unfinished \(1 of them parked\)/],
    [other({ status: 'failed' }), /0xb is failed, but was accepted/],
  ];
  for (const [odd, said] of cases) t.regex(broken(odd).join('\n'), said);
});

test('a second call of a row does not make its first one later', (t) => {
  const evidence = fine();
  const again = { commandId: '0xa', at: 9_000, outcome: { kind: 'refused' } };
  t.is(summarize({ ...evidence, audit: [...evidence.audit, again] }).insertToCallMs.p99, 4.3);
});

test('balances follow the rows, to the last place', (t) => {
  const [alice, bob] = balancesByRows(2, [usdd], [row('0xa'), row('0xb', 1, 0, 1n)], 10n);
  t.is(alice?.get('USDD'), 85_000_010_000n);
  t.is(bob?.get('USDD'), 114_999_990_000n);
});

test('percentiles are by nearest rank', (t) => {
  t.deepEqual(percentiles([]), { p50: 0, p99: 0 });
  t.deepEqual(percentiles([3]), { p50: 3, p99: 3 });
  t.deepEqual(percentiles(Array.from({ length: 200 }, (_, i) => 200 - i)), { p50: 100, p99: 198 });
});
