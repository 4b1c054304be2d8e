// Tokens of another admin over real HTTP and real gRPC: what its registry says is what the ledger takes, for either way
// to submit, and what is prepared is looked at as closely as with our own.
import { randomUUID } from 'node:crypto';
import test from 'ava';
import { party } from '../../src/core/ids.js';
import type { Token } from '../../src/core/token.js';
import type { Fault } from '../../src/sandbox/index.js';
import { agreedFactory } from '../../src/transfer/factory.js';
import { inspectPrepared } from '../../src/transfer/inspect.js';
import { PREPARE } from '../support/paced-sandbox.js';
import { externalBench } from './external-support.js';
import { heldIn, TIMEOUT, UNIT, valueIn } from './setup.js';

const REGISTRY = 'Registry/TransferFactory';

test('asked, prepared, looked at, signed, executed: the money moves at once', async (t) => {
  const on = await externalBench(t, { registry: true });
  const { sandbox, ledger, alice, bob } = on;
  const transfer = await on.registryTransfer('USDCx');
  t.like(transfer.factory, { kind: 'registry', transferKind: 'direct' });
  const prepared = await on.prepared(transfer);
  const seen = await inspectPrepared(prepared, on.expected(transfer));
  if (seen.kind !== 'ok') return t.fail(seen.reason);
  const outcome = await ledger.execute(on.signed(prepared, seen.hash), TIMEOUT);
  if (outcome.kind !== 'accepted') return t.fail(JSON.stringify(outcome));
  t.is(sandbox.balances(bob).USDCx?.amount, '5.0000000000');
  t.is(sandbox.balances(alice).USDCx?.amount, '95.0000000000');
  t.like(valueIn(await ledger.transferOf(outcome.updateId, [alice], TIMEOUT)), {
    commandId: transfer.commandId,
    sender: alice,
    receiver: bob,
    admin: sandbox.registrar,
    instrumentId: 'USDCx',
    amount: 5n * UNIT,
  });
});

test('for a hosted sender the same command, in one call', async (t) => {
  const on = await externalBench(t, { registry: true });
  const [hosted = ''] = on.sandbox.createParties([
    { hint: 'hosted', holdings: [{ token: 'USDCx', amount: '60' }] },
  ]);
  const at = valueIn(await on.ledger.ledgerEnd(TIMEOUT));
  const holdings = heldIn(await on.ledger.holdings([party(hosted)], at, TIMEOUT)).holdings.map(
    (one) => one.contractId,
  );
  const transfer = await on.registryTransfer('USDCx', { sender: party(hosted), holdings });
  t.like(await on.ledger.submit({ ...transfer, submissionId: randomUUID() }, TIMEOUT), { kind: 'accepted' });
  t.is(on.sandbox.balances(on.bob).USDCx?.amount, '5.0000000000');
});

const token = (steps: 1 | 2): Pick<Token, 'steps' | 'symbol'> => ({ steps, symbol: 'EURO' });

test('an offer parks where one step was counted on, and is what it says where two were', async (t) => {
  const on = await externalBench(t, { registry: true });
  const transfer = await on.registryTransfer('EURO');
  if (transfer.factory.kind !== 'registry') return t.fail();
  t.is(transfer.factory.transferKind, 'offer');
  t.like(agreedFactory(transfer.factory, token(1)), { kind: 'park', code: 'UNEXPECTED_OFFER' });
  t.like(agreedFactory(transfer.factory, token(2)), { kind: 'ok' });
  const prepared = await on.prepared(transfer);
  const seen = await inspectPrepared(prepared, on.expected(transfer));
  if (seen.kind !== 'ok') return t.fail(seen.reason);
  const outcome = await on.ledger.execute(on.signed(prepared, seen.hash), TIMEOUT);
  if (outcome.kind !== 'accepted') return t.fail(JSON.stringify(outcome));
  t.is(on.sandbox.balances(on.bob).EURO, undefined);
  t.like(on.sandbox.balances(on.alice).EURO, { amount: '100.0000000000', locked: 1 });
  // An offer is a transfer of these terms too: whether it counts is the operator's word.
  t.like(valueIn(await on.ledger.transferOf(outcome.updateId, [on.alice], TIMEOUT)), { amount: 5n * UNIT });
});

test('a registry that calls an offer direct, or says nothing of it, gets no signature for it', async (t) => {
  const on = await externalBench(t, { registry: true });
  const transfer = await on.registryTransfer('EURO');
  if (transfer.factory.kind !== 'registry') return t.fail();
  const prepared = await on.prepared(transfer);
  for (const transferKind of ['direct', null] as const) {
    const agreed = agreedFactory({ ...transfer.factory, transferKind }, token(1));
    if (agreed.kind === 'park') return t.fail(agreed.reason);
    const seen = await inspectPrepared(prepared, { ...on.expected(transfer), factory: agreed.factory });
    t.like(seen, { kind: 'tampered', reason: 'receiver: an offer, where a direct transfer was expected' });
  }
});

test('a transfer to oneself through a registry passes the inspection', async (t) => {
  const on = await externalBench(t, { registry: true });
  const transfer = await on.registryTransfer('USDCx', { receiver: on.alice });
  t.like(transfer.factory, { transferKind: 'self' });
  t.like(await inspectPrepared(await on.prepared(transfer), on.expected(transfer)), { kind: 'ok' });
});

type Tampering = Extract<Fault['do'], { kind: 'tamper' }>['what'];

const tamperings: Readonly<Record<Tampering, RegExp>> = {
  receiver: /^argument\.transfer\.receiver: mallory/,
  change: /^receiver: 55 for mallory/,
  amount: /^argument\.transfer\.amount/,
  instrument: /^argument\.transfer\.instrumentId\.id: USDCx2/,
  extraNode: /^receiver: 5 for mallory/,
  extraInput: /^extra input: 00/,
  extraRoot: /^root: there are 2/,
  hash: /^hash: /,
  noMaxRecordTime: /^max_record_time: absent/,
  lateMaxRecordTime: /^max_record_time: \d+, where/,
  commandId: /^command_id: 0x/,
  otherParty: /^act_as: mallory/,
  synchronizer: /^synchronizer: other-domain/,
  promise: /^promise: a Utility\.Registry\.App\.V0\.Model\.Transfer:TransferOffer that the sender signs$/,
};

test('what a participant tampered with gets no signature, and is named', async (t) => {
  const on = await externalBench(t, { registry: true });
  const transfer = await on.registryTransfer('USDCx');
  for (const [what, reason] of Object.entries(tamperings)) {
    on.sandbox.faults.add({ on: PREPARE, times: 1, do: { kind: 'tamper', what: what as Tampering } });
    const seen = await inspectPrepared(await on.prepared(transfer), on.expected(transfer));
    t.is(seen.kind, 'tampered', what);
    if (seen.kind === 'tampered') t.regex(seen.reason, reason, what);
  }
});

test('a registry that is away or wrong holds up its token; what it made up does not fail a row', async (t) => {
  const on = await externalBench(t, { registry: true });
  const terms = await on.registryTransfer('USDCx');
  const ask = (fault: Fault['do'], timeoutMs = 30_000) => {
    on.sandbox.faults.add({ on: REGISTRY, times: 1, do: fault });
    return on.ledger.registryFactory(on.sandbox.httpUrl, terms, { timeoutMs });
  };
  for (const [fault, errorId] of [
    [{ kind: 'httpStatus', status: 404 }, 'REGISTRY_REFUSED'],
    [{ kind: 'httpStatus', status: 503 }, 'REGISTRY_UNAVAILABLE'],
    [{ kind: 'wrongAnswer', what: 'noJson' }, 'REGISTRY_UNREADABLE'],
    [{ kind: 'wrongAnswer', what: 'noFactory' }, 'REGISTRY_UNREADABLE'],
    [{ kind: 'wrongAnswer', what: 'huge' }, 'REGISTRY_UNREADABLE'],
  ] as const) {
    t.like(await ask(fault), {
      kind: 'failed-read',
      refusal: { blame: 'token', errorId },
    });
  }
  for (const what of ['noContext', 'noDisclosure', 'otherFactory'] as const) {
    const factory = valueIn(await ask({ kind: 'wrongAnswer', what }));
    const read = await on.ledger.prepare({ ...terms, factory }, 10n ** 16n, TIMEOUT);
    if (read.kind === 'read') return t.fail(what);
    t.not(read.refusal.kind, 'for-good', `${what}: ${read.refusal.detail}`);
  }
  // The last one: what arrives late meets no other fault.
  t.like(await ask({ kind: 'hang' }, 100), { refusal: { errorId: 'REGISTRY_UNAVAILABLE' } });
});
