// One order of record times: verdicts, contention, checkpoints.
import test from 'ava';
import { failing, recordTimeOf } from './client.js';
import { at, delivered, type Stage, stage } from './setup.js';
import { reasonOf, toldByError } from './told.js';
import type { TransferSpec } from './transfer-commands.js';

const spec = (on: Stage, commandId: string, coin: number): TransferSpec => ({
  commandId,
  sender: on.alice,
  receiver: on.bob,
  amount: '1',
  inputs: [at(on.coins, coin)],
});

test('completions come in record-time order, whatever each of them takes', async (t) => {
  const { sandbox, client, alice, bob, coins } = await stage(t, { timeScale: 0.01 }, 40);
  await sandbox.control({ kind: 'latency' });
  sandbox.faults.add({ on: 'submit', match: { probability: 0.2 }, do: { kind: 'decideLate', ms: 60 } });
  sandbox.faults.add({ on: 'submit', match: { probability: 0.2 }, do: { kind: 'sequenceLate', ms: 5_000 } });
  const reader = client.completionStream([alice], await client.ledgerEnd());
  const calls = coins.map((coin, index) =>
    client
      .transfer({ commandId: `c${index}`, sender: alice, receiver: bob, amount: '1', inputs: [coin] })
      .catch(() => {}),
  );
  await Promise.all(calls);
  await reader.until((it) => it.completions.length === coins.length && it.checkpoints.length > 0);
  let last = { offset: 0, recordTime: 0 };
  for (const item of reader.items) {
    const is = 'completion' in item ? item.completion : item.checkpoint;
    const next = { offset: Number(is.offset), recordTime: recordTimeOf(is) };
    t.true(next.recordTime > last.recordTime, 'strictly later than everything before');
    t.true('completion' in item ? next.offset > last.offset : next.offset >= last.offset);
    last = next;
  }
  t.true(
    reader.completions.some((it) => it.status?.code !== 0) &&
      reader.completions.some((it) => it.status?.code === 0),
  );
});

test('what is undecided holds back later verdicts and every checkpoint', async (t) => {
  const on = await stage(t);
  const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
  await reader.until((it) => it.checkpoints.length > 0);
  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'decideLate', ms: 250 } });
  const slow = on.client.transfer(spec(on, 'slow', 0));
  await delivered(on, 0);
  const fast = on.client.transfer(spec(on, 'fast', 1));
  await Promise.all([slow, fast]);
  await reader.until(
    (it) => it.completions.length === 2 && 'checkpoint' in at(it.items, it.items.length - 1),
  );
  t.deepEqual(
    reader.completions.map((it) => it.commandId),
    ['slow', 'fast'],
  );
  const slowTime = recordTimeOf(at(reader.completions, 0));
  const position = reader.items.findIndex((item) => 'completion' in item);
  for (const item of reader.items.slice(0, position)) {
    t.true('checkpoint' in item && recordTimeOf(item.checkpoint) < slowTime);
  }
});

test('an input that an earlier undecided submission locks: LOCKED; one spent meanwhile: INACTIVE', async (t) => {
  const on = await stage(t, { timeScale: 0.05 });
  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'decideLate', ms: 2000 } });
  const first = on.client.transfer(spec(on, 'first', 0));
  await delivered(on, 0);
  const second = reasonOf(on.client.transfer(spec(on, 'second', 0)));
  await first;
  t.is(await second, 'LOCAL_VERDICT_LOCKED_CONTRACTS');

  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'sequenceLate', ms: 1_500 } });
  const third = failing(on.client.transfer(spec(on, 'third', 1)));
  await delivered(on, 2);
  t.like(await on.sandbox.control({ kind: 'spend', party: on.alice, keep: true }), { spent: 4 });
  const told = toldByError(await third);
  t.is(told?.errorInfo?.reason, 'LOCAL_VERDICT_INACTIVE_CONTRACTS');
  t.deepEqual(told?.resources, [['CONTRACT_ID', at(on.coins, 1)]]);
  t.is(on.sandbox.balances(on.alice).DEMO?.amount, '39.0000000000');
  t.is(on.sandbox.audit.summary().conflicts, 2);
});

test('a verdict that does not come in time is the mediator’s time-out', async (t) => {
  const on = await stage(t);
  on.sandbox.faults.add({ on: 'submit', do: { kind: 'decideLate', ms: 3_600_000 } });
  t.is(await reasonOf(on.client.transfer(spec(on, 'c1', 0))), 'MEDIATOR_SAYS_TX_TIMED_OUT');
});

test('a clock far ahead of the synchronizer: the ledger time is out of bound', async (t) => {
  const on = await stage(t, { participantClockSkewMs: 3000 });
  t.is(await reasonOf(on.client.transfer(spec(on, 'c1', 0))), 'LOCAL_VERDICT_LEDGER_TIME_OUT_OF_BOUND');
});

test('a duplicate is answered although something earlier is undecided, and time does not go backwards', async (t) => {
  const on = await stage(t, { timeScale: 0.1 });
  const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
  await on.client.transfer(spec(on, 'c1', 0));
  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'decideLate', ms: 3_000 } });
  const slow = on.client.transfer(spec(on, 'slow', 1));
  await delivered(on, 1);
  t.is(await reasonOf(on.client.transfer(spec(on, 'c1', 2))), 'DUPLICATE_COMMAND');
  await slow;
  await reader.until((it) => it.completions.length === 3);
  const times = reader.completions.map(recordTimeOf);
  t.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  t.deepEqual(
    reader.completions.map((it) => it.commandId),
    ['c1', 'c1', 'slow'],
  );
});

test('a quiet synchronizer: no checkpoints, or checkpoints on which no time passes', async (t) => {
  const on = await stage(t, { quiet: 'stale' });
  const reader = on.client.completionStream([on.alice], 0);
  await on.client.transfer(spec(on, 'c1', 0));
  const after = () => reader.items.slice(reader.items.findIndex((item) => 'completion' in item) + 1);
  await reader.until(() => reader.completions.length === 1 && after().length >= 2);
  const times = after().flatMap((item) => ('checkpoint' in item ? [recordTimeOf(item.checkpoint)] : []));
  t.deepEqual(
    times,
    times.map(() => recordTimeOf(at(reader.completions, 0))),
  );
  await on.sandbox.control({ kind: 'quiet', mode: 'silent' });
  const silent = on.client.completionStream([on.alice], 0);
  await silent.completionOf('c1');
  await t.throwsAsync(silent.until((it) => it.checkpoints.length > 0, 500));
  await on.sandbox.control({ kind: 'quiet', mode: 'off' });
  await silent.until((it) => it.checkpoints.length > 0);
});

test('a busy machine makes nothing late: the synchronizer runs elsewhere', async (t) => {
  const on = await stage(t, { latencyMs: 100 });
  const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
  const calls = [0, 1].map((coin) => on.client.transfer(spec(on, `c${coin}`, coin)));
  await delivered(on, 1);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
  await t.notThrowsAsync(Promise.all(calls));
  await reader.until((it) => it.completions.length === 2);
  const recordTimes = reader.completions.map(recordTimeOf);
  const arrivals = on.sandbox.audit.entries.map((entry) => (entry.deliveredAt ?? 0) * 1000);
  t.true(recordTimes.every((time, index) => time - at(arrivals, index) < 300_000));
});
