// Which hashing scheme is asked for, what is made of the answer, and for how long.
import test from 'ava';
import { createLedger } from '../../src/ledger/ledger.js';
import { schemeMemory } from '../../src/ledger/scheme.js';
import { inspectPrepared } from '../../src/transfer/inspect.js';
import { PREPARE } from '../support/paced-sandbox.js';
import { type ExternalBench, externalBench } from './external-support.js';
import { connected, optionsFor, TIMEOUT, valueIn } from './setup.js';

const HOUR = 3_600_000;

test('V3 is asked for first, V2 for an hour after it was answered, V3 again then or on another connection', (t) => {
  let now = 0;
  const heard: number[] = [];
  const schemes = schemeMemory(
    (scheme) => heard.push(scheme),
    () => now,
  );
  t.is(schemes.ask(), 3);
  t.is(schemes.inForce(), null);
  schemes.answered(2);
  t.is(schemes.ask(), 2);
  now = HOUR - 1;
  schemes.answered(2);
  t.is(schemes.ask(), 2);
  now = HOUR;
  t.is(schemes.ask(), 3, 'not put off by what was answered meanwhile');
  schemes.answered(2);
  t.is(schemes.ask(), 2);
  schemes.forget();
  t.is(schemes.ask(), 3);
  schemes.answered(3);
  schemes.answered(3);
  t.is(schemes.inForce(), 3);
  schemes.answered(4);
  t.is(schemes.inForce(), 3);
  t.deepEqual(heard, [2, 3], 'each change once');
});

const reads = ({ sandbox }: ExternalBench): number => sandbox.audit.reads.get(PREPARE) ?? 0;
const V35 = { apiVersion: '3.5.7' } as const;

const counted = (on: ExternalBench): (() => number) => {
  const before = reads(on);
  return () => reads(on) - before;
};

test('where V3 is refused, V2 is asked for at once, and then alone', async (t) => {
  const on = await externalBench(t, V35);
  const transfer = await on.transfer();
  const calls = counted(on);
  const cause = 'Hashing scheme version V3 is not supported on this synchronizer';
  const refuse = { kind: 'refuse', with: { error: 'FAILED_TO_PREPARE_TRANSACTION', cause } } as const;
  on.sandbox.faults.add({ on: PREPARE, times: 1, do: refuse });
  t.like(await on.prepared(transfer), { scheme: 2, askedScheme: 2 });
  t.is(calls(), 2);
  t.like(await on.prepared(transfer), { scheme: 2 });
  t.is(calls(), 3);
  // Whatever an honest one refuses is still its own refusal, told once.
  on.sandbox.faults.add({ on: PREPARE, times: 1, do: refuse });
  const refused = await on.ledger.prepare(transfer, 1n, TIMEOUT);
  t.is(refused.kind, 'failed-read');
  t.is(calls(), 4);
});

test('where V3 was taken before, a refusal is the transfer’s and stays what it is', async (t) => {
  const on = await externalBench(t, V35);
  const transfer = await on.transfer();
  t.like(await on.prepared(transfer), { scheme: 3 });
  on.sandbox.faults.add({
    on: PREPARE,
    // With an estimate and without; V2 would be taken.
    times: 2,
    do: { kind: 'refuse', with: { error: 'FAILED_TO_PREPARE_TRANSACTION', cause: 'something else' } },
  });
  const refused = await on.ledger.prepare(transfer, 1n, TIMEOUT);
  if (refused.kind === 'read') return t.fail();
  t.is(refused.refusal.errorId, 'FAILED_TO_PREPARE_TRANSACTION');
  t.like(await on.prepared(transfer), { scheme: 3 });
});

test('a participant that does not know the field answers in V2, and is asked once', async (t) => {
  const on = await externalBench(t, { apiVersion: '3.4.8' });
  const heard: number[] = [];
  const ledger = createLedger({ ...optionsFor(on.sandbox), onScheme: (scheme) => heard.push(scheme) });
  t.teardown(() => ledger.close());
  await connected(ledger);
  const transfer = await on.transfer();
  const calls = counted(on);
  const expected = on.expected(transfer);
  const first = valueIn(await ledger.prepare(transfer, expected.askedMaxRecordTime, TIMEOUT));
  t.like(first, { scheme: 2, askedScheme: 3 });
  t.like(inspectPrepared(first, expected), { kind: 'ok' });
  t.like(valueIn(await ledger.prepare(transfer, expected.askedMaxRecordTime, TIMEOUT)), { askedScheme: 2 });
  t.is(calls(), 2);
  t.deepEqual(heard, [2]);
});

test('on another connection V3 is asked for again: the participant may be another version', async (t) => {
  const on = await externalBench(t, { apiVersion: '3.4.8' });
  const transfer = await on.transfer();
  t.like(await on.prepared(transfer), { askedScheme: 3 });
  t.like(await on.prepared(transfer), { askedScheme: 2 });
  const back = new Promise<void>((resolve) => {
    on.ledger.onReady((ready) => {
      if (ready) resolve();
    });
  });
  await on.sandbox.control({ kind: 'disconnect' });
  await back;
  t.like(await on.prepared(transfer), { askedScheme: 3 });
});

test('what V2 cannot hash is prepared, looked at, signed and executed under V3', async (t) => {
  const on = await externalBench(t, V35);
  const transfer = await on.transfer();
  on.sandbox.faults.add({ on: PREPARE, do: { kind: 'contractKeys' } });
  const prepared = await on.prepared(transfer);
  const seen = inspectPrepared(prepared, on.expected(transfer));
  if (seen.kind !== 'ok') return t.fail(seen.reason);
  t.like(await on.ledger.execute(on.signed(prepared, seen.hash), TIMEOUT), { kind: 'accepted' });
});

for (const [scheme, outcome] of [
  [2, 'accepted'],
  [3, 'refused'],
] as const) {
  test(`V${scheme}: executed with a later bound than was signed, by a participant that lies: ${outcome}`, async (t) => {
    const on = await externalBench(t, scheme === 2 ? { apiVersion: '3.4.8' } : V35);
    const transfer = await on.transfer();
    const prepared = await on.prepared(transfer);
    t.is(prepared.scheme, scheme);
    on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'extendBound' } });
    t.like(await on.ledger.execute(on.signed(prepared), TIMEOUT), { kind: outcome });
  });
}
