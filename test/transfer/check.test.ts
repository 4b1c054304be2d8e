// What a row says by itself: sent, failed or parked, and never anything rounded.
import test from 'ava';
import fc from 'fast-check';
import { formatDecimal, parseDecimal } from '../../src/core/decimal.js';
import { party, type TxHash } from '../../src/core/ids.js';
import { SealedKey } from '../../src/core/sealed-key.js';
import { amountOf, toDecimalUnits } from '../../src/transfer/amount.js';
import { checkParties, checkRow } from '../../src/transfer/check.js';
import { agreedFactory } from '../../src/transfer/factory.js';
import { walletMessage } from '../../src/transfer/messages.js';
import { bytesOf, demo, ISSUER, rowOf, tokensOf } from './rows.js';

const tokens = tokensOf(demo);
const check = (change: Parameters<typeof rowOf>[0] = {}, of = tokens) => checkRow(rowOf(change), of, ISSUER);

test('a good row gives the token and the amount in units of 10^-10', (t) => {
  t.deepEqual(check(), { kind: 'ok', token: demo, amount: 10n ** 10n });
  t.like(check({ contractAddress: demo.address.toLowerCase() }), { kind: 'ok' });
  t.like(check({ amountData: bytesOf(10n ** 8n) }), { kind: 'ok', amount: 1n });
  t.like(check({ amountData: bytesOf(7n) }, tokensOf({ ...demo, decimals: 6 })), {
    kind: 'ok',
    amount: 70_000n,
  });
});

const bad: ReadonlyArray<readonly [string, Parameters<typeof rowOf>[0], string]> = [
  ['a hash of 31 bytes', { txHash: `0x${'ab'.repeat(31)}` as TxHash }, 'BAD_TX_HASH'],
  ['a hash of 33 bytes', { txHash: `0x${'ab'.repeat(33)}` as TxHash }, 'BAD_TX_HASH'],
  ['a sender that is not an address', { fromAddress: '0x1234' }, 'BAD_ADDRESS'],
  ['a recipient with a NUL', { recipientAddress: `${'0x'}${'\u0000'.repeat(40)}` }, 'BAD_ADDRESS'],
  ['a contract that is not an address', { contractAddress: 'DEMO' }, 'BAD_ADDRESS'],
  ['33 bytes of amount', { amountData: new Uint8Array(33).fill(1) }, 'BAD_AMOUNT'],
  ['33 bytes of nothing', { amountData: new Uint8Array(33) }, 'BAD_AMOUNT'],
  ['no amount', { amountData: new Uint8Array() }, 'ZERO_AMOUNT'],
  ['zeros', { amountData: new Uint8Array(32) }, 'ZERO_AMOUNT'],
  ['an amount finer than ten places', { amountData: bytesOf(10n ** 18n + 1n) }, 'AMOUNT_TOO_FINE'],
  ['the largest uint256', { amountData: bytesOf(2n ** 256n - 2n ** 8n * 5n ** 8n) }, 'AMOUNT_TOO_FINE'],
  ['more than a Decimal holds', { amountData: bytesOf(10n ** 46n) }, 'AMOUNT_TOO_LARGE'],
];
for (const [title, change, code] of bad) {
  test(`fails: ${title}`, (t) => {
    const checked = check(change);
    t.like(checked, { kind: 'failed', code });
    if (checked.kind === 'failed') {
      t.is(checked.message, walletMessage(code));
      t.true(checked.detail.startsWith(`${code}: `));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a NUL is what Postgres would refuse
      t.notRegex(checked.detail, /\u0000/);
    }
  });
}

test('parks what only an operator can change, after what fails for ever', (t) => {
  const other = '0x00000000000000000000000000000000000000AA';
  t.like(check({ contractAddress: other }), { kind: 'park', code: 'UNKNOWN_TOKEN' });
  t.like(check({ contractAddress: other, amountData: new Uint8Array() }), { kind: 'failed' });
  const offer = { ...demo, steps: 2 as const };
  t.like(check({}, tokensOf(offer)), { kind: 'park', code: 'TWO_STEP_TOKEN' });
  t.like(check({}, tokensOf({ ...offer, offerIsDone: true })), { kind: 'ok' });
  const foreign = { ...demo, instrumentAdmin: 'circle::1220' };
  t.like(check({}, tokensOf(foreign)), { kind: 'park', code: 'REGISTRY_TOKEN' });
  t.like(check({}, tokensOf({ ...foreign, registryUrl: 'https://registry.example' })), { kind: 'ok' });
  t.like(check({ amountData: bytesOf(1n) }, tokensOf(foreign)), { kind: 'failed', code: 'AMOUNT_TOO_FINE' });
});

const registry = (transferKind: 'direct' | 'self' | 'offer' | null) =>
  ({ kind: 'registry', contractId: '00fa', context: new Map(), disclosed: [], transferKind }) as const;

test('an offer where the file says one step parks before anything is sent; the other way round is fine', (t) => {
  const two = { ...demo, steps: 2 as const, offerIsDone: true };
  const parked = agreedFactory(registry('offer'), demo);
  t.like(parked, { kind: 'park', code: 'UNEXPECTED_OFFER' });
  if (parked.kind === 'park') t.regex(parked.reason, /^UNEXPECTED_OFFER: .*"steps": 2/);
  for (const kind of ['direct', 'self'] as const) {
    t.like(agreedFactory(registry(kind), demo), { kind: 'ok', factory: { transferKind: kind } });
  }
  for (const kind of ['direct', 'self', 'offer', null] as const) {
    t.like(agreedFactory(registry(kind), two), { kind: 'ok', factory: { transferKind: kind } });
  }
  // Not told: the file's one step is what the transaction is held to.
  t.like(agreedFactory(registry(null), demo), { kind: 'ok', factory: { transferKind: 'direct' } });
});

test('the parties of a row, or why there are none', (t) => {
  const [alice, bob] = [party('alice::1'), party('bob::1')];
  const row = rowOf();
  t.deepEqual(checkParties(row, { kind: 'hosted', party: alice }, bob), {
    kind: 'ok',
    sender: alice,
    receiver: bob,
  });
  const key = new SealedKey('c2VhbGVk');
  t.like(checkParties(row, { kind: 'external', party: alice, key }, bob), { kind: 'ok', sender: alice });
  t.like(checkParties(row, { kind: 'hosted', party: alice }, null), { code: 'UNKNOWN_RECIPIENT' });
  t.like(checkParties(row, { kind: 'unknown' }, bob), { code: 'UNKNOWN_SENDER' });
  t.like(checkParties(row, { kind: 'keyless', party: alice }, bob), { code: 'NO_SIGNING_KEY' });
});

test('what a wallet reads is short, and of any error id something', (t) => {
  for (const id of [
    'DAML_FAILURE',
    'UNKNOWN_INFORMEES',
    'INSUFFICIENT_BALANCE',
    'NEVER_SEEN',
    'constructor',
    '',
  ]) {
    const message = walletMessage(id);
    t.true(message.length > 10 && message.length < 100, id);
    t.regex(message, /^[A-Z].*\.$/, id);
  }
});

const uint256 = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });

test('bytes and amounts are one to one', (t) => {
  fc.assert(fc.property(uint256, (amount) => amountOf(bytesOf(amount)) === amount));
  t.pass();
});

test('scaling is exact or refused: what is sent, scaled back, is what was asked for', (t) => {
  fc.assert(
    fc.property(uint256, fc.integer({ min: 0, max: 18 }), (amount, decimals) => {
      const scaled = toDecimalUnits(amount, decimals);
      const exact = amount * 10n ** 10n;
      if (scaled.kind === 'units') return scaled.units * 10n ** BigInt(decimals) === exact;
      if (scaled.kind === 'too-fine') return exact % 10n ** BigInt(decimals) !== 0n;
      return exact / 10n ** BigInt(decimals) >= 10n ** 38n;
    }),
  );
  t.pass();
});

test('a Decimal is written and read without loss', (t) => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), (units) => {
      const text = formatDecimal(units);
      return parseDecimal(text) === units && /^-?\d+(\.\d*[1-9])?$/.test(text);
    }),
  );
  t.is(formatDecimal(10n ** 10n), '1');
  t.is(formatDecimal(1n), '0.0000000001');
  t.is(parseDecimal('1.5000000000'), 15_000_000_000n);
  for (const none of [
    '',
    '.',
    '.5',
    '1e3',
    '0x1',
    'NaN',
    '1,5',
    ' 1',
    '0.00000000001',
    `1${'0'.repeat(28)}`,
  ]) {
    t.is(parseDecimal(none), null, none);
  }
});
