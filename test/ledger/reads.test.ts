// Reads over real gRPC: the ledger's state, updates, who the participant is; every failure is a value.
import test from 'ava';
import { party } from '../../src/core/ids.js';
import { PACE } from '../support/pace.js';
import { bench, connected, DEMO, heldIn, TIMEOUT, UNIT, valueIn } from './setup.js';

test('holdings are read exactly, locked ones included, at the offset that was asked for', async (t) => {
  const { sandbox, ledger, alice } = await bench(t);
  const before = valueIn(await ledger.ledgerEnd(TIMEOUT));
  sandbox.createParties([
    {
      party: alice,
      holdings: [
        { token: DEMO, amount: '0.0000000001' },
        { token: 'USDD', amount: '7', locked: true },
      ],
    },
  ]);
  const now = valueIn(await ledger.ledgerEnd(TIMEOUT));
  const read = async (at: bigint) =>
    heldIn(await ledger.holdings([alice], at, TIMEOUT)).holdings.map(({ instrumentId, amount, lock }) => [
      instrumentId,
      amount,
      lock !== null,
    ]);
  t.deepEqual((await read(before)).sort(), [
    [DEMO, 40n * UNIT, false],
    [DEMO, 60n * UNIT, false],
  ]);
  const after = await read(now);
  t.is(after.length, 4);
  t.deepEqual(
    after.filter(([, amount]) => amount === 1n || amount === 7n * UNIT),
    [
      [DEMO, 1n, false],
      ['USDD', 7n * UNIT, true],
    ],
  );
  const [one] = heldIn(await ledger.holdings([alice], now, TIMEOUT)).holdings;
  t.like(one, { owner: alice, admin: sandbox.issuer });
});

test("the issuer's one factory is found; another admin's is not ours to find", async (t) => {
  const { sandbox, ledger } = await bench(t);
  const at = valueIn(await ledger.ledgerEnd(TIMEOUT));
  t.is(valueIn(await ledger.transferFactories(sandbox.issuer, at, TIMEOUT)).length, 1);
  t.deepEqual(valueIn(await ledger.transferFactories('someone::1220', at, TIMEOUT)), []);
});

test('an update is a transfer, none that the party sees, or not there', async (t) => {
  const { ledger, alice, bob, transfer } = await bench(t);
  const sent = await transfer();
  const outcome = await ledger.submit(sent, TIMEOUT);
  if (outcome.kind !== 'accepted') return t.fail(outcome.kind);
  const { updateId, offset } = outcome;
  t.like(valueIn(await ledger.transferOf(updateId, [bob], TIMEOUT)), { sender: alice, receiver: bob });
  t.is(valueIn(await ledger.updateOffset(updateId, alice, TIMEOUT)), offset);
  t.is(valueIn(await ledger.transferOf('1220ffff', [alice], TIMEOUT)), 'absent');
  t.is(valueIn(await ledger.updateOffset('1220ffff', alice, TIMEOUT)), null);
});

test("a proxy's NOT_FOUND is a failed read, not an absent update", async (t) => {
  const { sandbox, ledger, alice } = await bench(t);
  sandbox.faults.add({
    on: 'UpdateService/GetUpdateById',
    do: { kind: 'refuse', with: { grpc: 'NOT_FOUND' } },
  });
  t.like(await ledger.transferOf('1220ffff', [alice], TIMEOUT), { kind: 'failed-read' });
});

test('the participant’s id, its version, its checkpoint delay and what it has pruned are read', async (t) => {
  const { sandbox, ledger } = await bench(t);
  t.is(valueIn(await ledger.participantId(TIMEOUT)), sandbox.participantId);
  const { version, checkpointDelayMs } = valueIn(await ledger.version(TIMEOUT));
  t.is(version, '3.4.8');
  // The interval of checkpoints, and the idle one, scaled.
  t.true(Math.abs((checkpointDelayMs ?? 0) - 75_000 * 0.02 * PACE) < 1, `${checkpointDelayMs}`);
  t.is(valueIn(await ledger.prunedUpTo(TIMEOUT)), 0n);
  await sandbox.control({ kind: 'prune', offset: 2 });
  t.is(valueIn(await ledger.prunedUpTo(TIMEOUT)), 2n);
});

test('a read that fails says why, and judges no row', async (t) => {
  const { sandbox, ledger, alice } = await bench(t);
  sandbox.faults.add({
    on: 'StateService/GetActiveContracts',
    do: { kind: 'refuse', with: { error: 'INVALID_FIELD' } },
  });
  t.like(await ledger.holdings([alice], 1n, TIMEOUT), {
    kind: 'failed-read',
    pruned: false,
    refusal: { kind: 'suspect', errorId: 'INVALID_FIELD' },
  });
  sandbox.faults.add({ on: 'StateService/GetLedgerEnd', do: { kind: 'hang' } });
  t.like(await ledger.ledgerEnd({ timeoutMs: 50 }), {
    kind: 'failed-read',
    refusal: { kind: 'suspect', errorId: 'GRPC_DEADLINE_EXCEEDED' },
  });
  const abort = new AbortController();
  const read = ledger.ledgerEnd({ ...TIMEOUT, signal: abort.signal });
  abort.abort();
  t.like(await read, { kind: 'failed-read', refusal: { kind: 'try-again' } });
});

test('a snapshot that breaks off is a failed read, not a smaller balance', async (t) => {
  const { sandbox, ledger, alice } = await bench(t);
  const at = valueIn(await ledger.ledgerEnd(TIMEOUT));
  sandbox.faults.add({
    on: 'StateService/GetActiveContracts',
    do: { kind: 'breakStream', afterMessages: 1, with: { grpc: 'UNAVAILABLE' } },
  });
  t.like(await ledger.holdings([alice], at, TIMEOUT), {
    kind: 'failed-read',
    refusal: { kind: 'not-the-row' },
  });
});

test('a party with more holdings than can be read in time is not held against others', async (t) => {
  const { sandbox, ledger, alice } = await bench(t);
  sandbox.createParties([{ party: alice, holdings: [{ token: DEMO, amount: '1', count: 2_000 }] }]);
  const at = valueIn(await ledger.ledgerEnd(TIMEOUT));
  const timeUp = (afterMessages: number) =>
    sandbox.faults.add({
      on: 'StateService/GetActiveContracts',
      times: 1,
      do: { kind: 'breakStream', afterMessages, with: { grpc: 'DEADLINE_EXCEEDED' } },
    });
  // An error overtakes messages that have not been read yet: a window of them, far fewer than half of these.
  timeUp(2_000);
  t.like(await ledger.holdings([alice], at, TIMEOUT), {
    kind: 'failed-read',
    refusal: { kind: 'try-again', blame: 'sender', errorId: 'HOLDINGS_UNREAD' },
  });
  timeUp(1);
  t.like(await ledger.holdings([alice], at, TIMEOUT), { refusal: { kind: 'suspect', blame: 'sender' } });
});

test('what is locked, elsewhere, on its way or unreadable is told as such; a synchronizer by its id', async (t) => {
  const { sandbox, ledger, alice } = await bench(t);
  const read = async () => {
    const end = valueIn(await ledger.ledgerEnd(TIMEOUT));
    return heldIn(await ledger.holdings([alice], end, TIMEOUT));
  };
  t.deepEqual(valueIn(await ledger.synchronizersOf(alice, TIMEOUT)), [sandbox.synchronizerId]);
  const places = async () => (await read()).holdings.map(({ place }) => place.kind);
  for (const [to, kind] of [
    ['unassigned', 'moving'],
    ['assigned', 'moving'],
    ['away', 'elsewhere'],
    ['here', 'here'],
  ] as const) {
    await sandbox.control({ kind: 'reassign', party: alice, to });
    t.deepEqual(await places(), [kind, kind]);
  }
  t.is(valueIn(await ledger.synchronizersOf(alice, TIMEOUT)).length, 2);
  const [first] = (await read()).holdings;
  sandbox.faults.add({
    on: 'StateService/GetActiveContracts',
    do: { kind: 'viewFails', contractIds: [first?.contractId ?? ''] },
  });
  const { holdings, unreadable } = await read();
  t.is(holdings.length, 1);
  t.like(unreadable[0], { contractId: first?.contractId, signatories: [sandbox.issuer] });
});

test('with the participant away a read fails for everybody', async (t) => {
  const { sandbox, ledger } = await bench(t);
  const lost = connected(ledger, false);
  await sandbox.control({ kind: 'down' });
  await lost;
  t.like(await ledger.ledgerEnd(TIMEOUT), {
    kind: 'failed-read',
    refusal: { kind: 'not-the-row', blame: 'all', errorId: 'GRPC_UNAVAILABLE' },
  });
});

test('a party that holds nothing, or that nobody knows, has no holdings', async (t) => {
  const { ledger, bob } = await bench(t);
  const at = valueIn(await ledger.ledgerEnd(TIMEOUT));
  const nothing = { holdings: [], unreadable: [] };
  t.deepEqual(heldIn(await ledger.holdings([bob], at, TIMEOUT)), nothing);
  t.deepEqual(heldIn(await ledger.holdings([party('nobody::1220ab')], at, TIMEOUT)), nothing);
});
