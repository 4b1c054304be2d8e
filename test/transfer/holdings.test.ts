// Which holdings a transfer spends, and what a balance that does not do is called.
import test from 'ava';
import fc from 'fast-check';
import type { Holding, UnreadableHolding } from '../../src/core/holding.js';
import { microsOf } from '../../src/core/ids.js';
import type { Refusal } from '../../src/protocol/outcome.js';
import {
  inputRules,
  leastLedgerTime,
  MAX_REGISTRY_INPUTS,
  notForLocks,
  selectHoldings,
  selectUnreserved,
  type WantedHoldings,
} from '../../src/transfer/holdings.js';
import { ISSUER } from './rows.js';

const UNIT = 10n ** 10n;
const NOW = microsOf(1_700_000_000_000);
const MINUTE = 60_000_000n;
const wanted: WantedHoldings = {
  owner: 'alice::1',
  admin: ISSUER,
  instrumentId: 'DEMO',
  amount: 10n * UNIT,
  now: NOW,
  takesExpiredLocks: false,
  maxInputs: Number.POSITIVE_INFINITY,
};
let count = 0;
const holding = (units: bigint, change: Partial<Holding> = {}): Holding => {
  count += 1;
  const { owner, admin, instrumentId } = wanted;
  return {
    contractId: `c${count}`,
    owner,
    admin,
    instrumentId,
    amount: units * UNIT,
    lock: null,
    place: { kind: 'here' },
    ...change,
  };
};
const choose = (
  holdings: readonly Holding[],
  change: Partial<WantedHoldings> = {},
  unreadable: readonly UnreadableHolding[] = [],
) => selectHoldings({ holdings, unreadable }, { ...wanted, ...change });
const unreserved = (holdings: readonly Holding[], reserved: readonly Holding[], units: bigint) =>
  selectUnreserved(
    { holdings, unreadable: [] },
    (id) => reserved.some(({ contractId }) => contractId === id),
    { ...wanted, amount: units * UNIT },
  );
const lockedUntil = (expiresAt: bigint | null) => ({ lock: { holders: ['bank::1'], expiresAt } });

test('largest first: as few inputs as do', (t) => {
  const [small, large, middle] = [holding(3n), holding(9n), holding(5n)];
  t.deepEqual(choose([small, large, middle]), {
    kind: 'selected',
    contractIds: [large.contractId, middle.contractId],
    total: 14n * UNIT,
    endedLocks: false,
  });
});

test("never another owner's, another admin's of the same id, another id", (t) => {
  const others = [
    holding(100n, { owner: 'bob::1' }),
    holding(100n, { admin: 'mallory::1' }),
    holding(100n, { instrumentId: 'PROMPT' }),
    holding(4n),
  ];
  t.deepEqual(choose(others), { kind: 'insufficient', detail: '10 needed, 4 can be spent, 4 owned in all' });
});

test('what is locked, elsewhere or on its way is money all the same: too little with all of it is too little', (t) => {
  const all = [
    holding(2n, lockedUntil(null)),
    holding(2n, { place: { kind: 'elsewhere', synchronizerId: 'other::1' } }),
    holding(2n, { place: { kind: 'moving', to: 'other::1' } }),
    holding(3n),
  ];
  t.deepEqual(choose(all), { kind: 'insufficient', detail: '10 needed, 3 can be spent, 9 owned in all' });
  const held = choose([...all, holding(1n, { contractId: 'c-more', ...lockedUntil(null) })]);
  if (held.kind !== 'held') return t.fail(held.kind);
  t.is(held.until, null);
  t.regex(held.detail, /^10 needed, 3 can be spent: 3 locked by bank::1 \(c\d+\), and 1 more; /);
  t.regex(
    held.detail,
    /2 active on other::1: reassign it to ours \(c\d+\); 2 in reassignment to other::1 \(c\d+\)$/,
  );
});

test('a holding whose lock has ended can be spent where the factory says so, and comes last', (t) => {
  const [free, ended, ends] = [
    holding(4n),
    holding(50n, lockedUntil(NOW)),
    holding(60n, lockedUntil(NOW + 1n)),
  ];
  const taking = { takesExpiredLocks: true };
  t.deepEqual(choose([ended, ends, free], taking), {
    kind: 'selected',
    contractIds: [free.contractId, ended.contractId],
    total: 54n * UNIT,
    endedLocks: true,
  });
  t.like(choose([ended, ends, free, holding(20n)], taking), { kind: 'selected', endedLocks: false });
  const held = choose([ended, free]);
  if (held.kind !== 'held') return t.fail(held.kind);
  t.is(held.until, null, 'nothing comes of waiting alone');
  const when = '2023-11-14T22:13:20.000Z';
  t.true(
    held.detail.endsWith(
      `50 was locked until ${when}, and the token's factory does not accept expired locks: bank::1 has to release ${ended.contractId}`,
    ),
  );
});

test('a row waits until the lock ends with which it is enough', (t) => {
  const holdings = [
    holding(1n),
    holding(4n, lockedUntil(NOW + 3n * MINUTE)),
    holding(5n, lockedUntil(NOW + MINUTE)),
    holding(70n, lockedUntil(NOW + 9n * MINUTE)),
    holding(70n, lockedUntil(null)),
  ];
  t.like(choose(holdings, { takesExpiredLocks: true }), { kind: 'held', until: NOW + 3n * MINUTE });
  t.like(choose(holdings), { kind: 'held', until: null });
  const away = holding(70n, { ...lockedUntil(NOW + MINUTE), place: { kind: 'moving', to: 'x' } });
  t.like(choose([away], { takesExpiredLocks: true }), { kind: 'held', until: null });
});

test('a holding that cannot be read may be money, where its instrument may be this one', (t) => {
  const odd = (signatories: string[] | null): UnreadableHolding => ({
    contractId: 'c-odd',
    template: 'Gems:Gem',
    signatories,
    why: 'its view cannot be computed (9)',
  });
  t.like(choose([holding(10n)], {}, [odd([ISSUER])]), { kind: 'selected' }, 'the rest is enough');
  t.deepEqual(choose([holding(4n)], {}, [odd([ISSUER])]), {
    kind: 'held',
    detail: '10 needed, 4 can be spent: Gems:Gem c-odd cannot be read: its view cannot be computed (9)',
    until: null,
  });
  t.like(choose([], {}, [odd(null)]), { kind: 'held' });
  t.like(
    choose([], {}, [odd(['mallory::1', 'alice::1'])]),
    { kind: 'insufficient' },
    'anybody could make one',
  );
});

test("money in too many pieces is not called insufficient; the token's rule says how many are too many", (t) => {
  const dust = Array.from({ length: 300 }, () => holding(1n));
  t.like(choose(dust, { amount: 250n * UNIT }), { kind: 'selected' });
  const { maxInputs } = inputRules({ instrumentAdmin: 'registrar::1' }, ISSUER);
  t.is(maxInputs, MAX_REGISTRY_INPUTS);
  t.like(choose(dust, { amount: 100n * UNIT, maxInputs }), { kind: 'selected' });
  t.like(choose(dust, { amount: 101n * UNIT, maxInputs }), { kind: 'fragmented', pieces: 101, limit: 100 });
});

test('what a factory takes: by who issues the token, or by what TOKENS_FILE says', (t) => {
  const own = { instrumentAdmin: ISSUER };
  t.deepEqual(inputRules(own, ISSUER), { takesExpiredLocks: false, maxInputs: Number.POSITIVE_INFINITY });
  const other = { instrumentAdmin: 'registrar::1' };
  t.deepEqual(inputRules(other, ISSUER), { takesExpiredLocks: true, maxInputs: 100 });
  t.deepEqual(inputRules({ ...other, takesExpiredLocks: false, maxInputs: 7 }, ISSUER), {
    takesExpiredLocks: false,
    maxInputs: 7,
  });
});

test("the ledger's clock may lie behind the database's by as much as is pinned", (t) => {
  t.is(leastLedgerTime(1_700_000_060_000.9, 60_000), NOW);
});

test('a rule that refuses holdings whose lock has ended is not the end of the row', (t) => {
  const refusal: Refusal = {
    kind: 'for-good',
    blame: 'sender',
    errorId: 'DAML_FAILURE',
    detail: 'must not be locked',
    retryAfterMs: null,
  };
  t.is(notForLocks(refusal, false), refusal);
  t.like(notForLocks(refusal, true), { kind: 'try-again', errorId: 'DAML_FAILURE' });
  t.regex(notForLocks(refusal, true).detail, /"takesExpiredLocks": false/);
  const busy: Refusal = { ...refusal, kind: 'not-the-row' };
  t.is(notForLocks(busy, true), busy);
});

test('whatever the holdings and their order: enough, no input too many, always the same choice', (t) => {
  const amounts = fc.array(fc.bigInt({ min: 1n, max: 50n }), { maxLength: 40 });
  fc.assert(
    fc.property(amounts, fc.bigInt({ min: 1n, max: 400n }), (list, units) => {
      const holdings = list.map((one) => holding(one));
      const amount = units * UNIT;
      const total = list.reduce((sum, one) => sum + one, 0n) * UNIT;
      const chosen = choose(holdings, { amount });
      t.deepEqual(choose([...holdings].reverse(), { amount }), chosen);
      if (chosen.kind !== 'selected') return total < amount;
      const picked = holdings.filter(({ contractId }) => chosen.contractIds.includes(contractId));
      const sum = picked.reduce((all, one) => all + one.amount, 0n);
      const spare = sum - amount;
      return sum === chosen.total && spare >= 0n && picked.every((one) => one.amount > spare);
    }),
  );
  t.pass();
});

test('what is reserved is not spent, and still counts: a transfer waits for it, unless everything is too little', (t) => {
  const [big, small, other] = [holding(30n), holding(10n), holding(50n, { instrumentId: 'OTHER' })];
  const all = [big, small, other];
  t.like(unreserved(all, [big], 10n), { kind: 'selected', contractIds: [small.contractId] });
  t.like(unreserved(all, [], 10n), { kind: 'selected', contractIds: [big.contractId] });
  t.deepEqual(unreserved(all, [big, other], 11n), {
    kind: 'reserved',
    contractIds: [big.contractId],
    detail: '11 needed, 10 not reserved, 30 reserved for earlier transfers',
  });
  t.is(unreserved(all, [big, small], 41n).kind, 'insufficient');
  t.is(unreserved([...all, holding(5n, lockedUntil(null))], [big], 44n).kind, 'held');
});
