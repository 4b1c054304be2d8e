// Until when a signed transaction can be accepted: its ledger effective time and tolerance, its maximum record time.
import test from 'ava';
import { PACE, scaled } from '../support/pace.js';
import { at, type ExternalStage, externalStage } from './setup.js';
import { reasonOf } from './told.js';
import { nowMicros, type TransferSpec } from './transfer-commands.js';

const spec = (on: ExternalStage, commandId = 'c1', coin = 0): TransferSpec => ({
  commandId,
  sender: on.alice,
  receiver: on.bob,
  amount: '1',
  inputs: [at(on.coins, coin)],
});

test('max_record_time: nothing is accepted later, and the bound itself is in time', async (t) => {
  const on = await externalStage(t, {}, 12);
  const bounds = new Map<string, number>();
  const attempts = on.coins.map(async (_, coin) => {
    const commandId = `c${coin}`;
    const maxRecordTime = nowMicros() + scaled(6_000_000);
    bounds.set(commandId, maxRecordTime);
    const prepared = await on.external.prepare(spec(on, commandId, coin), { maxRecordTime });
    const ms = Math.max(0, (maxRecordTime - nowMicros()) / 1000 / PACE - 3_200 + coin * 360);
    on.sandbox.faults.add({
      on: 'submit',
      match: { commandId },
      do: { kind: 'sequenceLate', ms },
    });
    return on.external.execute(prepared, on.signer);
  });
  await Promise.allSettled(attempts);
  const outcomes = on.sandbox.audit.entries.map((entry) => {
    const bound = bounds.get(entry.commandId) ?? 0;
    t.is(entry.maxRecordTime, bound);
    if (entry.outcome.kind === 'accepted') t.true(entry.outcome.recordTime <= bound);
    return 'errorId' in entry.outcome ? entry.outcome.errorId : entry.outcome.kind;
  });
  t.deepEqual(new Set(outcomes), new Set(['accepted', 'NOT_SEQUENCED_TIMEOUT']));
});

test('max_record_time on protocol version 35 (3.5 on): whoever confirms looks at it, and the UUID is spent', async (t) => {
  const on = await externalStage(t, { apiVersion: '3.5.2', dedup: false });
  const prepared = await on.external.prepare(spec(on), { maxRecordTime: nowMicros() + 100_000 });
  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'sequenceLate', ms: 200 } });
  const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
  t.is(await reasonOf(on.external.execute(prepared, on.signer)), 'LOCAL_VERDICT_MAX_RECORD_TIME_EXCEEDED');
  t.is((await reader.completionOf('c1')).status?.code, 10);
  t.is(await reasonOf(on.external.execute(prepared, on.signer)), 'DUPLICATE_CONFIRMATION_REQUEST_UUID');
});

test('ledger effective time: executed later than the tolerance after it was prepared, it is not sequenced', async (t) => {
  const on = await externalStage(t, { timeScale: 0.005 });
  const prepared = await on.external.prepare(spec(on), { maxRecordTime: null });
  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'deliverLate', ms: 350 } });
  t.is(await reasonOf(on.external.execute(prepared, on.signer)), 'NOT_SEQUENCED_TIMEOUT');
  t.is(await reasonOf(on.external.execute(prepared, on.signer)), 'NOT_SEQUENCED_TIMEOUT', 'nor ever again');
  const before = nowMicros();
  const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
  await reader.until(({ checkpoints }) =>
    checkpoints.some((it) => (it.synchronizerTimes[0]?.recordTime?.seconds ?? 0) * 1e6 >= before - 1e6),
  );
  t.is(on.sandbox.audit.summary().accepted, 0);
});

test('the sandbox’s own clock decides: with the ledger ahead, a bound that this machine has not reached is past', async (t) => {
  const on = await externalStage(t);
  const prepared = await on.external.prepare(spec(on), { maxRecordTime: nowMicros() + scaled(3_000_000) });
  await on.sandbox.control({ kind: 'clockSkew', ms: 4000 });
  t.is(await reasonOf(on.external.execute(prepared, on.signer)), 'NOT_SEQUENCED_TIMEOUT');
});
