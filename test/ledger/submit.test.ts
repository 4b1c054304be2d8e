// Submissions over real gRPC: what each kind of answer comes to, and that a request leaves once.
import test from 'ava';
import type { CompletionEvent } from '../../src/protocol/outcome.js';
import { LONG } from '../support/long.js';
import { bench, connected, heldIn, TIMEOUT, UNIT, valueIn } from './setup.js';

const ROUNDS = LONG ? 60 : 15;

test('an accepted transfer moves exactly what it says', async (t) => {
  const { sandbox, ledger, alice, bob, transfer } = await bench(t);
  const sent = await transfer({ amount: 5n * UNIT + 1n });
  const outcome = await ledger.submit(sent, TIMEOUT);
  if (outcome.kind !== 'accepted') return t.fail(JSON.stringify(outcome));
  t.is(outcome.offset, valueIn(await ledger.ledgerEnd(TIMEOUT)));
  t.is(sandbox.balances(bob).DEMO?.amount, '5.0000000001');
  t.is(sandbox.balances(alice).DEMO?.amount, '94.9999999999');

  const [entry] = sandbox.audit.of(sent.commandId);
  t.is(entry?.method, 'CommandService/SubmitAndWait');
  t.like(entry, { submissionId: sent.submissionId, userId: 'mempool-submitter', actAs: [alice] });
  t.like(entry?.transfer, {
    requestedAt: Number(sent.requestedAt),
    executeBefore: Number(sent.executeBefore),
    inputs: sent.holdings,
  });
  t.deepEqual(valueIn(await ledger.transferOf(outcome.updateId, [alice], TIMEOUT)), {
    updateId: outcome.updateId,
    commandId: sent.commandId,
    sender: alice,
    receiver: bob,
    admin: sandbox.issuer,
    instrumentId: 'DEMO',
    amount: 5n * UNIT + 1n,
    result: 'completed',
  });
});

test('a service mesh on the way is told not to send it again', async (t) => {
  const { sandbox, ledger, transfer } = await bench(t);
  await ledger.submit(await transfer(), TIMEOUT);
  t.deepEqual(
    sandbox.audit.entries.map(({ maxRetries }) => maxRetries),
    ['0'],
  );
});

test('the same command again is a duplicate, and names the acceptance', async (t) => {
  const { ledger, alice, transfer } = await bench(t);
  const sent = await transfer();
  const first = await ledger.submit(sent, TIMEOUT);
  if (first.kind !== 'accepted') return t.fail(first.kind);
  // Inputs that are still there: interpretation comes before deduplication.
  const at = valueIn(await ledger.ledgerEnd(TIMEOUT));
  const left = heldIn(await ledger.holdings([alice], at, TIMEOUT)).holdings.map(
    ({ contractId }) => contractId,
  );
  const again = await ledger.submit({ ...sent, submissionId: 'another', holdings: left }, TIMEOUT);
  t.like(again, { kind: 'duplicate', completionOffset: first.offset });
});

const refusals: ReadonlyArray<readonly [string, object, object]> = [
  [
    'unknown receiver',
    { receiver: 'nobody::1220ab' },
    { kind: 'suspect', blame: 'receiver', errorId: 'UNKNOWN_INFORMEES' },
  ],
  [
    'an input that is gone',
    { holdings: [`00${'aa'.repeat(32)}`] },
    { kind: 'try-again', errorId: 'CONTRACT_NOT_FOUND' },
  ],
  ['no amount', { amount: 0n }, { kind: 'for-good', errorId: 'DAML_FAILURE' }],
  ['more than its inputs', { amount: 61n * UNIT }, { kind: 'try-again', errorId: 'DAML_FAILURE' }],
  ['executeBefore in the past', { executeBefore: 1n }, { kind: 'unconfirmed', errorId: 'DAML_FAILURE' }],
];
for (const [title, change, expected] of refusals) {
  test(`a certain refusal: ${title}`, async (t) => {
    const { ledger, transfer } = await bench(t);
    const outcome = await ledger.submit(await transfer(change), TIMEOUT);
    t.is(outcome.kind, 'refused');
    if (outcome.kind === 'refused') t.like(outcome.refusal, expected);
  });
}

test('a rejection by completion is as certain as one at once', async (t) => {
  const { sandbox, ledger, transfer } = await bench(t);
  sandbox.faults.add({
    on: 'submit',
    do: { kind: 'reject', with: { error: 'LOCAL_VERDICT_LOCKED_CONTRACTS', retryAfterMs: 1500 } },
  });
  const outcome = await ledger.submit(await transfer(), TIMEOUT);
  t.like(outcome, { kind: 'refused', refusal: { kind: 'try-again', retryAfterMs: 1500 } });
});

test("rights: redacted with Canton's RequestInfo it is certain, from a proxy it is unknown", async (t) => {
  const { sandbox, ledger, transfer } = await bench(t);
  sandbox.faults.add({
    on: 'submit',
    times: 1,
    do: { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } },
  });
  const redacted = await ledger.submit(await transfer(), TIMEOUT);
  t.like(redacted, { kind: 'refused', refusal: { kind: 'not-the-row', errorId: 'GRPC_PERMISSION_DENIED' } });
  sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'refuse', with: { grpc: 'PERMISSION_DENIED' } } });
  t.is((await ledger.submit(await transfer(), TIMEOUT)).kind, 'unknown');
});

test('no answer within the deadline is unknown, and the transfer may stand', async (t) => {
  const { sandbox, ledger, transfer } = await bench(t);
  sandbox.faults.add({ on: 'submit', do: { kind: 'dropAnswer', how: 'never' } });
  const sent = await transfer();
  const outcome = await ledger.submit(sent, { timeoutMs: 300 });
  t.like(outcome, { kind: 'unknown' });
  if (outcome.kind === 'unknown') t.regex(outcome.detail, /^GRPC_DEADLINE_EXCEEDED/);
  await sandbox.audit.until((log) => log.of(sent.commandId)[0]?.outcome.kind === 'accepted');
  t.is(sandbox.audit.of(sent.commandId).length, 1);
});

test('an abort after the request left is unknown, one before it is not sent', async (t) => {
  const { sandbox, ledger, transfer } = await bench(t);
  sandbox.faults.add({ on: 'submit', do: { kind: 'hang' } });
  const abort = new AbortController();
  const sent = await transfer();
  const outcome = ledger.submit(sent, { ...TIMEOUT, signal: abort.signal });
  await sandbox.audit.until((log) => log.of(sent.commandId).length === 1);
  abort.abort();
  t.like(await outcome, { kind: 'unknown' });

  const late = await transfer();
  t.is((await ledger.submit(late, { ...TIMEOUT, signal: abort.signal })).kind, 'not-sent');
  t.is((await ledger.submit(late, { timeoutMs: 0 })).kind, 'not-sent');
  t.is(sandbox.audit.of(late.commandId).length, 0);
});

test('a connection cut in the tick of the call is unknown, never "not sent"', async (t) => {
  const { sandbox, ledger, transfer } = await bench(t);
  const sent = await transfer();
  // The channel does not know yet that its connection is gone.
  void sandbox.control({ kind: 'disconnect' });
  t.true(ledger.ready());
  const outcome = await ledger.submit(sent, TIMEOUT);
  t.is(outcome.kind, 'unknown');
  t.true(sandbox.audit.of(sent.commandId).length <= 1);
});

test('without a connection nothing is sent; the channel comes back by itself, whoever calls', async (t) => {
  const { sandbox, ledger, transfer } = await bench(t);
  const sent = await transfer();
  const lost = connected(ledger, false);
  await sandbox.control({ kind: 'down' });
  await lost;
  t.like(await ledger.submit(sent, TIMEOUT), { kind: 'not-sent' });
  t.is(sandbox.audit.entries.length, 0);
  const back = connected(ledger);
  await sandbox.control({ kind: 'up' });
  await back;
  t.like(await ledger.submit(sent, TIMEOUT), { kind: 'accepted' });
});

test('while the participant restarts again and again, each submission leaves at most once', async (t) => {
  const { sandbox, ledger, alice, transfer } = await bench(t, { latencyMs: 5 });
  const template = await transfer();
  const kinds = new Set<string>();
  const ids: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const commandId = `0x${round.toString(16).padStart(64, '0')}` as typeof template.commandId;
    ids.push(commandId);
    // Under the feet of the call that follows, before it, or not at all.
    const restart = round % 3 === 0 ? undefined : sandbox.control({ kind: 'restart' });
    if (round % 3 === 1) await restart;
    const outcome = await ledger.submit(
      { ...template, commandId, holdings: [`00${'aa'.repeat(32)}`] },
      { timeoutMs: 2_000 },
    );
    kinds.add(outcome.kind);
    if (outcome.kind === 'not-sent') t.is(sandbox.audit.of(commandId).length, 0, commandId);
    await restart;
    await connected(ledger);
  }
  for (const id of ids) t.true(sandbox.audit.of(id).length <= 1, id);
  t.true(kinds.has('unknown') && kinds.has('refused'), [...kinds].join());
  t.is(sandbox.balances(alice).DEMO?.amount, '100.0000000000');
});

test('a dropped answer is found on the completion stream', async (t) => {
  const { sandbox, ledger, alice, transfer } = await bench(t);
  const sent = await transfer();
  const beginExclusive = valueIn(await ledger.ledgerEnd(TIMEOUT));
  sandbox.faults.add({ on: 'submit', do: { kind: 'dropAnswer', how: 'disconnect' } });
  t.like(await ledger.submit(sent, TIMEOUT), { kind: 'unknown' });
  await connected(ledger);
  let found: CompletionEvent | undefined;
  const stop = new AbortController();
  for await (const event of ledger.completions({ parties: [alice], beginExclusive }, stop.signal)) {
    if (event.kind !== 'accepted') continue;
    found = event;
    break;
  }
  t.like(found, { commandId: sent.commandId, submissionId: sent.submissionId, parties: [alice] });
});
