// External parties over real gRPC: prepared, looked at, signed, executed, and what each answer comes to.
import { createHash } from 'node:crypto';
import test from 'ava';
import type { CompletionEvent } from '../../src/protocol/outcome.js';
import type { Fault } from '../../src/sandbox/index.js';
import { inspectPrepared } from '../../src/transfer/inspect.js';
import { PREPARE } from '../support/paced-sandbox.js';
import { type ExternalBench, externalBench } from './external-support.js';
import { connected, TIMEOUT, UNIT, valueIn } from './setup.js';

const EXECUTE = 'InteractiveSubmissionService/ExecuteSubmissionAndWait';
const BY_HASH = 'CommandCompletionService/GetCompletionByHash';
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Everything but the execution, and the hash that was looked at. */
async function ready(on: ExternalBench, change: Parameters<ExternalBench['transfer']>[0] = {}) {
  const transfer = await on.transfer(change);
  const prepared = await on.prepared(transfer);
  const seen = await inspectPrepared(prepared, on.expected(transfer));
  if (seen.kind !== 'ok') throw new Error(seen.reason);
  return { transfer, prepared, hash: seen.hash, signed: on.signed(prepared, seen.hash) };
}

for (const apiVersion of ['3.4.8', '3.5.7', '3.6.0']) {
  test(`on ${apiVersion}: prepared, looked at, signed, executed, and the money moves as it says`, async (t) => {
    const on = await externalBench(t, { apiVersion });
    const { sandbox, ledger, alice, bob } = on;
    const beginExclusive = valueIn(await ledger.ledgerEnd(TIMEOUT));
    const { transfer, prepared, hash, signed } = await ready(on, { amount: 5n * UNIT + 1n });
    // Asked for V3 everywhere; 3.4 does not know the field, and answers in V2.
    t.is(prepared.scheme, apiVersion === '3.4.8' ? 2 : 3);
    t.is(sandbox.audit.entries.length, 0, 'nothing happens by preparing');
    const outcome = await ledger.execute(signed, TIMEOUT);
    if (outcome.kind !== 'accepted') return t.fail(JSON.stringify(outcome));
    t.is(sandbox.balances(bob).DEMO?.amount, '5.0000000001');
    t.is(sandbox.balances(alice).DEMO?.amount, '94.9999999999');

    const [entry] = sandbox.audit.of(transfer.commandId);
    t.like(entry, {
      method: EXECUTE,
      submissionId: signed.submissionId,
      userId: 'mempool-submitter',
      actAs: [alice],
      hash: hex(hash),
      maxRecordTime: Number(on.expected(transfer).askedMaxRecordTime),
    });
    t.like(valueIn(await ledger.transferOf(outcome.updateId, [alice], TIMEOUT)), {
      commandId: transfer.commandId,
      sender: alice,
      receiver: bob,
      admin: sandbox.issuer,
      instrumentId: 'DEMO',
      amount: 5n * UNIT + 1n,
    });

    let found: CompletionEvent | undefined;
    for await (const event of ledger.completions(
      { parties: [alice], beginExclusive },
      new AbortController().signal,
    )) {
      if (event.kind !== 'accepted') continue;
      found = event;
      break;
    }
    t.like(found, { commandId: transfer.commandId, submissionId: signed.submissionId });
    const told = found?.kind === 'accepted' ? found.transactionHash : null;
    t.is(told && hex(told), apiVersion === '3.4.8' ? null : hex(hash));

    const byHash = valueIn(await ledger.acceptedByHash(hash, TIMEOUT));
    if (apiVersion === '3.6.0') t.deepEqual(byHash, found as typeof byHash);
    else t.is(byHash, null, 'who cannot be asked has proven nothing');
  });
}

type Tampering = Extract<Fault['do'], { kind: 'tamper' }>['what'];

const tamperings: Readonly<Record<Tampering, RegExp>> = {
  receiver: /^argument\.transfer\.receiver: mallory/,
  change: /^receiver: 55 for mallory/,
  amount: /^argument\.transfer\.amount: 5\.0000000001/,
  instrument: /^argument\.transfer\.instrumentId\.id: DEMO2/,
  extraNode: /^receiver: 5 for mallory/,
  extraInput: /^extra input: 00/,
  extraRoot: /^root: there are 2/,
  hash: /^hash: /,
  noMaxRecordTime: /^max_record_time: absent/,
  lateMaxRecordTime: /^max_record_time: \d+, where \d+ was asked for/,
  commandId: /^command_id: 0x/,
  otherParty: /^act_as: mallory/,
  synchronizer: /^synchronizer: other-domain/,
  promise: /^extra node: a Utility\.Registry/,
};

test('what a participant tampered with gets no signature, and is named', async (t) => {
  const on = await externalBench(t);
  const transfer = await on.transfer();
  for (const [what, reason] of Object.entries(tamperings)) {
    const tamper = { kind: 'tamper', what: what as Tampering } as const;
    on.sandbox.faults.add({ on: PREPARE, times: 1, do: tamper });
    const seen = await inspectPrepared(await on.prepared(transfer), on.expected(transfer));
    t.is(seen.kind, 'tampered', what);
    if (seen.kind === 'tampered') t.regex(seen.reason, reason, what);
  }
  const seen = await inspectPrepared(await on.prepared(transfer), on.expected(transfer));
  t.is(seen.kind, 'ok', 'the honest one');
  t.is(on.sandbox.audit.entries.length, 0);
});

test('the same transaction executed again is a duplicate, and names the acceptance', async (t) => {
  const on = await externalBench(t);
  const { signed } = await ready(on);
  const first = await on.ledger.execute(signed, TIMEOUT);
  t.is(on.sandbox.audit.entries[0]?.maxRetries, '0', 'a service mesh on the way must not do so by itself');
  if (first.kind !== 'accepted') return t.fail(JSON.stringify(first));
  const again = await on.ledger.execute({ ...signed, submissionId: 'another' }, TIMEOUT);
  t.like(again, { kind: 'duplicate', completionOffset: first.offset });
});

test('a preparation that fails is a failed read: certain, and with the verdict that it has', async (t) => {
  const on = await externalBench(t);
  const refusalOf = async (change: object) => {
    const read = await on.ledger.prepare(await on.transfer(change), 10n ** 16n, TIMEOUT);
    return read.kind === 'failed-read' ? read.refusal : read.kind;
  };
  t.like(await refusalOf({ receiver: 'nobody::1220ab' }), {
    kind: 'suspect',
    blame: 'receiver',
    errorId: 'UNKNOWN_INFORMEES',
  });
  t.like(await refusalOf({ holdings: [`00${'aa'.repeat(32)}`] }), {
    kind: 'try-again',
    errorId: 'CONTRACT_NOT_FOUND',
  });
  t.like(await refusalOf({ amount: 0n }), { kind: 'for-good', errorId: 'DAML_FAILURE' });
  t.like(await refusalOf({ executeBefore: 1n }), { kind: 'unconfirmed', errorId: 'DAML_FAILURE' });
  on.sandbox.faults.add({ on: PREPARE, times: 1, do: { kind: 'refuse', with: { grpc: 'UNAVAILABLE' } } });
  t.like(await refusalOf({}), { kind: 'not-the-row', blame: 'all' });
  on.sandbox.faults.add({ on: PREPARE, times: 1, do: { kind: 'slow', ms: 2_000 } });
  t.like(await on.ledger.prepare(await on.transfer(), 1n, { timeoutMs: 100 }), {
    kind: 'failed-read',
    pruned: false,
    refusal: { errorId: 'GRPC_DEADLINE_EXCEEDED' },
  });
  t.is(on.sandbox.audit.entries.length, 0);
});

test('a certain refusal of an execution: a signature by another key', async (t) => {
  const on = await externalBench(t);
  const { signed } = await ready(on);
  const der = createHash('sha256').update('no signature').digest();
  const outcome = await on.ledger.execute({ ...signed, signature: { ...signed.signature, der } }, TIMEOUT);
  t.like(outcome, {
    kind: 'refused',
    refusal: { kind: 'suspect', errorId: 'FAILED_TO_EXECUTE_TRANSACTION' },
  });
});

test('a participant without the call leaves it unknown: a gateway may have said so as well', async (t) => {
  const old = await externalBench(t, { apiVersion: '3.4.3' });
  const outcome = await old.ledger.execute((await ready(old)).signed, TIMEOUT);
  if (outcome.kind !== 'unknown') return t.fail(JSON.stringify(outcome));
  t.regex(outcome.detail, /^GRPC_UNIMPLEMENTED/);
  t.is(old.sandbox.audit.summary().accepted, 0);
});

test('no answer within the deadline is unknown, the transfer may stand, and it left once', async (t) => {
  const on = await externalBench(t, { apiVersion: '3.6.0' });
  const { transfer, hash, signed } = await ready(on);
  on.sandbox.faults.add({ on: 'submit', do: { kind: 'dropAnswer', how: 'never' } });
  const outcome = await on.ledger.execute(signed, { timeoutMs: 300 });
  t.like(outcome, { kind: 'unknown' });
  await on.sandbox.audit.until((log) => log.of(transfer.commandId)[0]?.outcome.kind === 'accepted');
  t.is(on.sandbox.audit.of(transfer.commandId).length, 1);
  t.like(valueIn(await on.ledger.acceptedByHash(hash, TIMEOUT)), { submissionId: signed.submissionId });
});

test('without a connection nothing is executed', async (t) => {
  const on = await externalBench(t);
  const { signed } = await ready(on);
  const lost = connected(on.ledger, false);
  await on.sandbox.control({ kind: 'down' });
  await lost;
  t.like(await on.ledger.execute(signed, TIMEOUT), { kind: 'not-sent' });
  t.is(on.sandbox.audit.entries.length, 0);
});

test('by hash only an acceptance counts: nothing found, no right to ask, no answer prove nothing', async (t) => {
  const on = await externalBench(t, { apiVersion: '3.6.0' });
  const { ledger, sandbox } = on;
  const unheard = createHash('sha256').update('unheard of').digest();
  t.is(valueIn(await ledger.acceptedByHash(unheard, TIMEOUT)), null);
  // A rejection is there, but is not an acceptance.
  const { signed, hash } = await ready(on);
  sandbox.faults.add({
    on: 'submit',
    times: 1,
    do: { kind: 'reject', with: { error: 'LOCAL_VERDICT_TIMEOUT' } },
  });
  t.like(await ledger.execute(signed, TIMEOUT), { kind: 'refused' });
  t.is(valueIn(await ledger.acceptedByHash(hash, TIMEOUT)), null);
  for (const fault of [
    { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } },
    { kind: 'refuse', with: { grpc: 'NOT_FOUND' } },
  ] as const) {
    sandbox.faults.add({ on: BY_HASH, times: 1, do: fault });
    t.is((await ledger.acceptedByHash(hash, TIMEOUT)).kind, 'failed-read', JSON.stringify(fault));
  }
  sandbox.faults.add({ on: BY_HASH, times: 1, do: { kind: 'refuse', with: { grpc: 'UNIMPLEMENTED' } } });
  t.is(valueIn(await ledger.acceptedByHash(hash, TIMEOUT)), null);
  // The last one: what arrives late meets no other fault.
  sandbox.faults.add({ on: BY_HASH, do: { kind: 'slow', ms: 60_000 } });
  t.is((await ledger.acceptedByHash(hash, { timeoutMs: 200 })).kind, 'failed-read');
});
