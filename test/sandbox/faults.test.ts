// Faults of single calls: what the caller sees, and what becomes of the ledger meanwhile.
import test from 'ava';
import { failing } from './client.js';
import { at, hangUp, type Stage, stage } from './setup.js';
import { reasonOf, toldBy, toldByError } from './told.js';
import { nowMicros, type TransferSpec } from './transfer-commands.js';

const spec = (on: Stage, commandId = 'c1', coin = 0): TransferSpec => ({
  commandId,
  sender: on.alice,
  receiver: on.bob,
  amount: '1',
  inputs: [at(on.coins, coin)],
});

test('refuse: any error of Canton before anything happens, so often and for those only', async (t) => {
  const on = await stage(t);
  on.sandbox.faults.add({
    on: 'submit',
    match: { commandId: 'c1', party: on.alice, receiver: on.bob },
    times: 2,
    do: {
      kind: 'refuse',
      with: { error: 'PARTICIPANT_BACKPRESSURE', retryAfterMs: 2500, metadata: { why: 'test' } },
    },
  });
  await on.client.transfer(spec(on, 'other', 1));
  const error = await failing(on.client.transfer(spec(on)));
  t.is(error.code, 10);
  t.is(toldByError(error)?.retryMs, 2500);
  t.is(toldByError(error)?.errorInfo?.metadata.get('why'), 'test');
  t.is(await reasonOf(on.client.transfer(spec(on))), 'PARTICIPANT_BACKPRESSURE');
  await t.notThrowsAsync(on.client.transfer(spec(on)));
  t.is(on.sandbox.faults.list().length, 0);
});

test('refuse, redacted and bare: PERMISSION_DENIED of Canton has details, a proxy’s has none', async (t) => {
  const on = await stage(t);
  on.sandbox.faults.add({
    on: 'submit',
    times: 1,
    do: { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } },
  });
  const canton = await failing(on.client.transfer(spec(on)));
  on.sandbox.faults.add({
    on: 'submit',
    times: 1,
    do: { kind: 'refuse', with: { grpc: 'PERMISSION_DENIED', message: '403' } },
  });
  const proxy = await failing(on.client.transfer(spec(on)));
  t.deepEqual([canton.code, proxy.code], [7, 7]);
  t.is(toldByError(canton)?.requestId, 's-c1');
  t.is(toldByError(canton)?.errorInfo, undefined);
  t.is(toldByError(proxy), undefined);
});

test('reject: a completion says so, and nothing moved', async (t) => {
  const on = await stage(t);
  const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
  on.sandbox.faults.add({
    on: 'submit',
    times: 1,
    do: { kind: 'reject', with: { error: 'SEQUENCER_NOT_ENOUGH_TRAFFIC_CREDIT' } },
  });
  t.is(await reasonOf(on.client.transfer(spec(on))), 'SEQUENCER_NOT_ENOUGH_TRAFFIC_CREDIT');
  const { status } = await reader.completionOf('c1');
  t.is(status && toldBy(status).errorInfo?.reason, 'SEQUENCER_NOT_ENOUGH_TRAFFIC_CREDIT');
  t.is(on.sandbox.balances(on.bob).DEMO, undefined);
});

test('drop the answer: committed, and the caller hears nothing, or something else, or loses its connection', async (t) => {
  const on = await stage(t);
  const hows = [
    'never',
    'disconnect',
    { grpc: 'UNAVAILABLE' },
    { error: 'ABORTED_DUE_TO_SHUTDOWN' },
  ] as const;
  const codes: number[] = [];
  for (const [index, how] of hows.entries()) {
    on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'dropAnswer', how } });
    const call = spec(on, `c${index}`, index);
    const error =
      how === 'never'
        ? hangUp(on, call, (log) => log.summary().accepted === 1)
        : failing(on.client.transfer(call));
    codes.push((await error).code);
  }
  t.deepEqual(codes, [1, 14, 14, 14]);
  t.is(on.sandbox.audit.summary().accepted, 4);
  for (const entry of on.sandbox.audit.entries) t.like(entry.outcome, { kind: 'accepted', answered: false });
});

test('hang: never answered; delivered never, or later', async (t) => {
  const on = await stage(t);
  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'hang' } });
  t.is((await hangUp(on, spec(on), (log) => log.entries[0]?.outcome.kind === 'dropped')).code, 1);
  t.like(on.sandbox.audit.entries[0], { deliveredAt: null, outcome: { kind: 'dropped', answered: false } });
  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'hang', deliverAfterMs: 200 } });
  t.is((await hangUp(on, spec(on), (log) => log.entries.length === 2)).code, 1);
  await on.sandbox.audit.until((log) => log.entries[1]?.outcome.kind === 'accepted');
  const { at: arrived, deliveredAt } = at(on.sandbox.audit.entries, 1);
  t.true((deliveredAt ?? 0) - arrived >= 199);
});

test('deliver twice: the participant gets it again, and its caller knows nothing of it', async (t) => {
  const on = await stage(t, { latencyMs: 30 });
  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'deliverTwice' } });
  await on.client.transfer(spec(on));
  await on.sandbox.control({ kind: 'latency', ms: 0 });
  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'deliverTwice', afterMs: 50 } });
  await on.client.transfer(spec(on, 'c2', 1));
  await on.sandbox.audit.until((log) => log.entries.length === 4 && log.summary().pending === 0);
  const seconds = on.sandbox.audit.entries.filter((entry) => entry.delivery === 2);
  t.deepEqual(
    seconds.map(({ outcome }) => 'errorId' in outcome && outcome.errorId),
    ['SUBMISSION_ALREADY_IN_FLIGHT', 'CONTRACT_NOT_FOUND'],
  );
  t.like(on.sandbox.audit.summary(), { ledgerCalls: 2, accepted: 2, doubleCommits: 0 });
});

test('foreign acceptance: our command id, somebody else’s submission, of the same or of another transfer', async (t) => {
  const on = await stage(t);
  const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
  for (const [index, transfer] of (['same', 'other'] as const).entries()) {
    const commandId = `c${index}`;
    on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'foreignAcceptance', transfer } });
    const inputs = (await on.client.holdings(on.alice)).slice(0, 1);
    t.is(await reasonOf(on.client.transfer({ ...spec(on, commandId), inputs })), 'DUPLICATE_COMMAND');
    const completion = await reader.completionOf(commandId);
    t.is(completion.status?.code, 0);
    t.not(completion.submissionId, `s-${commandId}`);
    const { events } = await on.client.update(completion.updateId, on.alice);
    const event = events
      .map((it) => it.created)
      .find((it) => it?.templateId?.entityName === 'TokenTransferEvent');
    const receiver = event?.createArguments?.fields.find((it) => it.label === 'toParty')?.value?.optional
      ?.value?.party;
    t.is(receiver, transfer === 'same' ? on.bob : on.alice);
  }
});

test('phantom duplicate: DUPLICATE_COMMAND of an acceptance that is nowhere', async (t) => {
  const on = await stage(t);
  const begin = await on.client.ledgerEnd();
  on.sandbox.faults.add({
    on: 'submit',
    times: 1,
    do: { kind: 'phantomDuplicate', completionOffset: 'absent' },
  });
  const told = toldByError(await failing(on.client.transfer(spec(on))));
  t.is(told?.errorInfo?.reason, 'DUPLICATE_COMMAND');
  t.false(told?.errorInfo?.metadata.has('completion_offset'));
  const reader = on.client.completionStream([on.alice], 0);
  await reader.until((it) => it.checkpoints.some((checkpoint) => Number(checkpoint.offset) > begin));
  t.true(reader.completions.every((it) => it.status?.code !== 0));
});

test('reads: slow, refused, hung, and a stream that breaks', async (t) => {
  const on = await stage(t);
  on.sandbox.faults.add({ on: 'StateService/GetLedgerEnd', times: 1, do: { kind: 'slow', ms: 150 } });
  const started = performance.now();
  await on.client.ledgerEnd();
  t.true(performance.now() - started >= 149);
  on.sandbox.faults.add({
    on: 'PartyManagementService/GetParticipantId',
    times: 1,
    do: { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } },
  });
  t.is((await failing(on.client.participantId())).code, 7);
  on.sandbox.faults.add({
    on: 'StateService/GetActiveContracts',
    times: 1,
    do: { kind: 'breakStream', afterMessages: 2, with: { grpc: 'UNAVAILABLE' } },
  });
  t.is((await failing(on.client.holdings(on.alice))).code, 14);
  t.is((await on.client.holdings(on.alice)).length, 4);
  for (const [how, code] of [
    [{}, 14],
    [{ with: { grpc: 'INTERNAL' } }, 13],
    [{ with: 'end' }, 0],
  ] as const) {
    on.sandbox.faults.add({
      on: 'CommandCompletionService/CompletionStream',
      times: 1,
      do: { kind: 'cutStreams', afterMs: 100, ...how },
    });
    const opened = performance.now();
    t.is(await on.client.completionStream([on.alice], 0).ended, code);
    t.true(performance.now() - opened >= 99);
  }
  on.sandbox.faults.add({
    on: 'CommandCompletionService/CompletionStream',
    match: { party: on.alice },
    do: { kind: 'hang' },
  });
  await on.client.transfer(spec(on));
  const hung = on.client.completionStream([on.alice], 0);
  await t.throwsAsync(hung.until((it) => it.items.length > 0, 200));
  on.sandbox.faults.clear();
  t.is(on.sandbox.audit.summary().reads['PartyManagementService/GetParticipantId'], 1);
});

test('a fault with a probability follows the seed', async (t) => {
  const run = async () => {
    const on = await stage(t, { seed: 7 }, 20);
    on.sandbox.faults.add({
      on: 'submit',
      match: { probability: 0.5 },
      do: { kind: 'refuse', with: { error: 'SERVER_OVERLOADED' } },
    });
    for (const [index] of on.coins.entries())
      await on.client.transfer(spec(on, `c${index}`, index)).catch(() => {});
    return on.sandbox.audit.entries.map((entry) => entry.outcome.kind);
  };
  const [first, second] = [await run(), await run()];
  t.deepEqual(first, second);
  t.is(new Set(first).size, 2);
});

test('a fault with an unknown error id, kind or field is refused', async (t) => {
  const on = await stage(t);
  const bad: unknown[] = [
    { on: 'submit', do: { kind: 'refuse', with: { error: 'NO_SUCH_ERROR' } } },
    { on: 'submit', do: { kind: 'explode' } },
    { on: 'submit', time: 1, do: { kind: 'hang' } },
    { on: 'everything at once', do: { kind: 'hang' } },
  ];
  for (const fault of bad) t.throws(() => on.sandbox.faults.add(fault as never));
  t.is(on.sandbox.faults.list().length, 0);
});

test('the answer comes late, the record time does not', async (t) => {
  const on = await stage(t, { latencyMs: 200 });
  await on.client.transfer(spec(on));
  const { outcome } = at(on.sandbox.audit.entries, 0);
  t.true(outcome.kind === 'accepted' && nowMicros() - outcome.recordTime >= 124_000);
});
