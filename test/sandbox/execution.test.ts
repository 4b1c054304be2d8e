// What becomes of a signed transaction on the ledger: deduplication, the mediator's memory, contention, faults, a crash.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { type Fault, startSandbox } from '../../src/sandbox/index.js';
import { failing } from './client.js';
import { contentOf, ExternalClient } from './external.js';
import { at, connect, type ExternalStage, externalStage } from './setup.js';
import { reasonOf, toldByError } from './told.js';
import type { TransferSpec } from './transfer-commands.js';

const spec = (on: ExternalStage, commandId = 'c1', coin = 0): TransferSpec => ({
  commandId,
  sender: on.alice,
  receiver: on.bob,
  amount: '1',
  inputs: [at(on.coins, coin)],
});
const toldOf = async (attempt: Promise<unknown>) => toldByError(await failing(attempt));

test('deduplication: by the signed command id and the executing user; prepare knows nothing of it', async (t) => {
  const on = await externalStage(t);
  const [first, second, other] = [
    await on.external.prepare(spec(on)),
    await on.external.prepare(spec(on, 'c1', 1)),
    await on.external.prepare(spec(on, 'c1', 2)),
  ];
  const accepted = await on.external.execute(first, on.signer, { submissionId: 's1' });
  const again = await toldOf(on.external.execute(first, on.signer, { submissionId: 's2' }));
  t.is(
    again?.errorInfo?.reason,
    'DUPLICATE_COMMAND',
    'no interpretation comes before it, spent inputs or not',
  );
  t.is(again?.errorInfo?.metadata.get('completion_offset'), accepted.completionOffset);
  t.is(again?.requestId, 's2');
  t.is(await reasonOf(on.external.execute(second, on.signer)), 'DUPLICATE_COMMAND');
  await t.notThrowsAsync(on.external.prepare(spec(on, 'c1', 3)));
  await on.external.execute(other, on.signer, { userId: 'somebody-else' });
  t.like(on.sandbox.audit.summary(), { ledgerCalls: 4, commands: 2, accepted: 2, doubleCommits: 1 });
});

test('in flight: the same change ID is refused at once', async (t) => {
  const on = await externalStage(t, { latencyMs: 600 });
  const [first, second] = [await on.external.prepare(spec(on)), await on.external.prepare(spec(on, 'c1', 1))];
  const underWay = on.external.execute(first, on.signer);
  await on.sandbox.audit.until((log) => log.entries.length === 1);
  t.is(await reasonOf(on.external.execute(second, on.signer)), 'SUBMISSION_ALREADY_IN_FLIGHT');
  await underWay;
  t.is(on.sandbox.audit.summary().maxInFlightPerParty, 1);
});

test('the mediator takes a transaction UUID once, whatever became of it, once it was sequenced', async (t) => {
  const on = await externalStage(t, { dedup: false });
  const [accepted, rejected, undecided] = [
    await on.external.prepare(spec(on, 'c1', 0)),
    await on.external.prepare(spec(on, 'c2', 1)),
    await on.external.prepare(spec(on, 'c3', 2)),
  ];
  await on.external.execute(accepted, on.signer);
  const again = await toldOf(on.external.execute(accepted, on.signer));
  t.is(again?.code, 3);
  t.is(again?.errorInfo?.reason, 'DUPLICATE_CONFIRMATION_REQUEST_UUID');

  on.sandbox.faults.add({
    on: 'submit',
    times: 1,
    do: { kind: 'reject', with: { error: 'MEDIATOR_SAYS_TX_TIMED_OUT' } },
  });
  t.is(await reasonOf(on.external.execute(rejected, on.signer)), 'MEDIATOR_SAYS_TX_TIMED_OUT');
  t.is(await reasonOf(on.external.execute(rejected, on.signer)), 'DUPLICATE_CONFIRMATION_REQUEST_UUID');

  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'decideLate', ms: 3_000 } });
  const [one, two] = [
    on.external.execute(undecided, on.signer),
    reasonOf(on.external.execute(undecided, on.signer)),
  ];
  t.is(await two, 'DUPLICATE_CONFIRMATION_REQUEST_UUID');
  await one;
  t.like(on.sandbox.audit.summary(), { accepted: 2, doubleCommits: 0 });

  const unsequenced = await on.external.prepare(spec(on, 'c4', 3));
  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'refuse', with: { grpc: 'UNAVAILABLE' } } });
  t.is((await failing(on.external.execute(unsequenced, on.signer))).code, 14);
  await t.notThrowsAsync(on.external.execute(unsequenced, on.signer), 'it never saw that one');
});

test('two prepared on one holding: decided in the order of sequencing, not of preparation', async (t) => {
  const on = await externalStage(t);
  const [first, second, third] = [
    await on.external.prepare(spec(on, 'c1')),
    await on.external.prepare(spec(on, 'c2')),
    await on.external.prepare(spec(on, 'c3')),
  ];
  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'decideLate', ms: 3_000 } });
  const winner = on.external.execute(second, on.signer);
  await on.sandbox.audit.until((log) => log.entries[0]?.deliveredAt != null);
  t.is(await reasonOf(on.external.execute(first, on.signer)), 'LOCAL_VERDICT_LOCKED_CONTRACTS');
  await winner;
  t.is(await reasonOf(on.external.execute(third, on.signer)), 'LOCAL_VERDICT_INACTIVE_CONTRACTS');
  t.is(await reasonOf(on.external.prepare(spec(on, 'c4'))), 'CONTRACT_NOT_FOUND');
  t.like(on.sandbox.audit.summary(), { accepted: 1, conflicts: 2 });
  t.is(on.sandbox.balances(on.bob).DEMO?.amount, '1.0000000000');
});

test('every fault of a submission befalls an execution', async (t) => {
  const on = await externalStage(t, {}, 12);
  const faults: [Fault['do'], number | string][] = [
    [{ kind: 'refuse', with: { error: 'SERVER_OVERLOADED' } }, 'SERVER_OVERLOADED'],
    [{ kind: 'reject', with: { error: 'SEQUENCER_BACKPRESSURE' } }, 'SEQUENCER_BACKPRESSURE'],
    [{ kind: 'dropAnswer', how: { grpc: 'UNAVAILABLE' } }, 14],
    [{ kind: 'dropAnswer', how: 'never' }, 1],
    [{ kind: 'hang', deliverAfterMs: 20 }, 1],
    [{ kind: 'deliverLate', ms: 20 }, 0],
    [{ kind: 'deliverTwice' }, 0],
    [{ kind: 'decideLate', ms: 20 }, 0],
    [{ kind: 'foreignAcceptance', transfer: 'same' }, 'DUPLICATE_COMMAND'],
    [{ kind: 'phantomDuplicate' }, 'DUPLICATE_COMMAND'],
    [{ kind: 'slow', ms: 20 }, 0],
  ];
  for (const [index, [fault, expected]] of faults.entries()) {
    const commandId = `c${index}`;
    const match = { commandId, party: on.alice, receiver: on.bob, userId: 'mempool-submitter' };
    const prepared = await on.external.prepare(spec(on, commandId, index));
    on.sandbox.faults.add({ on: 'submit', match, times: 1, do: fault });
    const cancel = new AbortController();
    const sent = on.external.execute(prepared, on.signer, {}, cancel.signal);
    const ended = (log: typeof on.sandbox.audit) =>
      log.of(commandId).some((it) => it.outcome.kind === 'accepted');
    if (expected === 1) on.sandbox.audit.until(ended).then(() => cancel.abort(), t.fail);
    if (expected === 0) await t.notThrowsAsync(sent, fault.kind);
    else if (typeof expected === 'number') t.is((await failing(sent)).code, expected, fault.kind);
    else t.is(await reasonOf(sent), expected, fault.kind);
  }
  await on.sandbox.audit.until((log) => log.summary().pending === 0);
  const twice = on.sandbox.audit.of('c6').find((it) => it.delivery === 2);
  t.truthy(twice?.hash);
  t.is(twice && 'errorId' in twice.outcome && twice.outcome.errorId, 'DUPLICATE_COMMAND');
  t.is(on.sandbox.audit.summary().ledgerCalls, faults.length);
  t.is(on.sandbox.audit.summary().doubleCommits, 0);
});

test('a state file keeps keys, what was sequenced, and what was in flight', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const options = {
    stateFile: join(folder, 'state'),
    dedup: false,
    timeScale: 0.1,
    latencyMs: 0,
    toleranceMs: 600_000,
  };
  const on = await externalStage(t, options);
  const [first, second] = [
    await on.external.prepare(spec(on, 'c1')),
    await on.external.prepare(spec(on, 'c2', 1)),
  ];
  await on.external.execute(first, on.signer);
  on.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'sequenceLate', ms: 500 } });
  const lost = failing(on.external.execute(second, on.signer));
  await on.sandbox.audit.until((log) => log.summary().maxInFlightPerParty === 1 && log.entries.length === 2);
  await on.sandbox.control({ kind: 'disconnect' });
  t.is((await lost).code, 14);
  await on.sandbox.close();

  const sandbox = await startSandbox(options);
  t.teardown(() => sandbox.close());
  const client = connect(t, sandbox);
  const reader = client.completionStream([on.alice], 0);
  const completion = await reader.completionOf('c2');
  t.is(completion.status?.code, 0, 'it was under way');
  t.is(
    Buffer.from((await client.update(completion.updateId, on.alice)).externalTransactionHash).toString('hex'),
    Buffer.from(second.preparedTransactionHash).toString('hex'),
  );
  const external = new ExternalClient(client);
  t.is(await reasonOf(external.execute(first, on.signer)), 'DUPLICATE_CONFIRMATION_REQUEST_UUID');
  await t.notThrowsAsync(external.transfer(spec(on, 'c3', 2), on.signer));
  t.is(sandbox.balances(on.bob).DEMO?.amount, '3.0000000000');
});

test('restored, the ledger has forgotten a transaction; it can be executed again, and the log counts', async (t) => {
  const on = await externalStage(t);
  const prepared = await on.external.prepare(spec(on));
  const end = on.sandbox.ledgerEnd();
  await on.external.execute(prepared, on.signer);
  await on.sandbox.control({ kind: 'restore', offset: end });
  const client = new ExternalClient(connect(t, on.sandbox));
  await client.execute(prepared, on.signer);
  t.is(on.sandbox.audit.summary().doubleCommits, 1);
  t.is(at(on.sandbox.audit.entries, 1).transactionUuid, contentOf(prepared).metadata.transactionUuid);
});
