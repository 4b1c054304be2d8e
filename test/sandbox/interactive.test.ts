// External parties: prepared by the participant, signed outside, executed.
import { PreparedTransaction } from '@canton-network/core-ledger-proto';
import { hashPreparedTransaction } from '@canton-network/core-tx-visualizer';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import test, { type ExecutionContext } from 'ava';
import { SignatureFormat } from '#proto/com/daml/ledger/api/v2/crypto.js';
import {
  GetPreferredPackagesRequest,
  type GetPreferredPackagesResponse,
  PackageVettingRequirement,
  PartySignatures,
  type PrepareSubmissionResponse,
} from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import type { ExternalParty } from '../../src/sandbox/index.js';
import { scaled } from '../support/pace.js';
import { call, failing } from './client.js';
import { ackRequest, contentOf, type ExecuteOptions, signatures, V2 } from './external.js';
import { at, type ExternalStage, externalStage } from './setup.js';
import { reasonOf, toldBy, toldByError } from './told.js';
import { nowMicros, type TransferSpec } from './transfer-commands.js';

const spec = (on: ExternalStage, commandId = 'c1', coin = 0): TransferSpec => ({
  commandId,
  sender: on.alice,
  receiver: on.bob,
  amount: '3.5',
  inputs: [at(on.coins, coin)],
});
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('prepared, signed, executed: the money moves, and every service tells the same story', async (t) => {
  const on = await externalStage(t);
  const { sandbox, external, alice, bob } = on;
  const reader = on.client.completionStream([alice], await on.client.ledgerEnd());
  const bound = nowMicros() + 20_000_000;
  const prepared = await external.prepare(
    { ...spec(on), amount: '12.5', inputs: on.coins.slice(0, 2) },
    { maxRecordTime: bound },
  );
  t.is(sandbox.balances(bob).DEMO, undefined, 'nothing happens by preparing');
  t.is(prepared.hashingSchemeVersion, V2);
  const official = PreparedTransaction.fromBinary(prepared.preparedTransaction);
  t.is(await hashPreparedTransaction(official, 'hex'), hex(prepared.preparedTransactionHash));

  const { transaction, metadata } = contentOf(prepared);
  t.like(metadata, {
    submitterInfo: { actAs: [alice], commandId: 'c1' },
    synchronizerId: sandbox.synchronizerId,
    maxRecordTime: BigInt(bound),
  });
  t.is(metadata.minLedgerEffectiveTime, metadata.preparationTime, 'the choice calls getTime');
  t.is(metadata.maxLedgerEffectiveTime, metadata.preparationTime);
  t.is(metadata.inputContracts.length, 3);
  t.deepEqual(transaction.roots, ['0']);
  t.deepEqual(
    transaction.nodes.map(({ versionedNode: it }) => it.oneofKind === 'v1' && it.v1.nodeType.oneofKind),
    ['exercise', 'fetch', 'exercise', 'fetch', 'exercise', 'create', 'create', 'create'],
  );
  t.is(transaction.nodeSeeds.length, 6, 'of what is created and exercised');

  const answer = await external.execute(prepared, on.signer, { submissionId: 's1' });
  t.deepEqual(sandbox.balances(alice).DEMO, { amount: '27.5000000000', holdings: 3, locked: 0 });
  t.deepEqual(sandbox.balances(bob).DEMO, { amount: '12.5000000000', holdings: 1, locked: 0 });
  t.like(await reader.completionOf('c1'), {
    updateId: answer.updateId,
    offset: answer.completionOffset,
    submissionId: 's1',
    userId: 'mempool-submitter',
    actAs: [alice],
  });
  const update = await on.client.update(answer.updateId, alice);
  t.is(hex(update.externalTransactionHash), hex(prepared.preparedTransactionHash));
  t.deepEqual(
    update.events.map((event) => event.event),
    ['archived', 'archived', 'created', 'created'],
  );
  for (const coin of await on.client.holdings(bob)) t.regex(coin, /^00[0-9a-f]{64}ca11122000000000$/);

  t.like(sandbox.audit.summary(), { ledgerCalls: 1, accepted: 1, doubleCommits: 0, pending: 0 });
  t.is(sandbox.audit.summary().reads['InteractiveSubmissionService/PrepareSubmission'], 1);
  t.like(sandbox.audit.entries[0], {
    method: 'InteractiveSubmissionService/ExecuteSubmissionAndWait',
    commandId: 'c1',
    submissionId: 's1',
    actAs: [alice],
    hash: hex(prepared.preparedTransactionHash),
    transactionUuid: metadata.transactionUuid,
    maxRecordTime: bound,
    transfer: { sender: alice, receiver: bob, amount: '12.5000000000', instrumentId: 'DEMO' },
    outcome: { kind: 'accepted', answered: true },
  });
});

test('parties: named by the fingerprint of their key, given or made here', async (t) => {
  const { sandbox, signer } = await externalStage(t);
  t.is(signer.party, `alice::${signer.fingerprint}`);
  const compressed = secp256k1.getPublicKey(Buffer.from(signer.privateKey ?? '', 'hex'), true);
  const forms = [
    signer.publicKey,
    Buffer.from(signer.publicKey, 'hex').toString('base64'),
    hex(compressed),
    `0x${hex(secp256k1.Point.fromBytes(compressed).toBytes(false))}`,
  ];
  const made = sandbox.createExternalParties(
    forms.map((publicKey, index) => ({ hint: `p${index}`, publicKey })),
  );
  for (const [index, it] of made.entries()) {
    t.like(it, {
      party: `p${index}::${signer.fingerprint}`,
      fingerprint: signer.fingerprint,
      privateKey: null,
    });
  }
  t.throws(() => sandbox.createExternalParties([{ hint: 'x', publicKey: '04abcd' }]), {
    message: /publicKey/,
  });
  t.throws(() => sandbox.createExternalParties([{ party: signer.party }]), { message: /hint/ });
  const answer = await fetch(`${sandbox.httpUrl}/parties`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ hint: 'carol', external: true }, { hint: 'dave' }]),
  });
  const { parties, external } = (await answer.json()) as { parties: string[]; external: ExternalParty[] };
  t.is(parties.length, 2);
  t.deepEqual(
    external.map(({ party }) => party),
    parties.slice(0, 1),
  );
  t.regex(external[0]?.privateKey ?? '', /^[0-9a-f]{64}$/);
});

test('nobody may submit for an external party, and a hosted one has no key to sign with', async (t) => {
  const on = await externalStage(t);
  const error = await failing(on.client.transfer(spec(on)));
  t.is(error.code, 5);
  t.is(toldByError(error)?.errorInfo?.reason, 'NO_SYNCHRONIZER_ON_WHICH_ALL_SUBMITTERS_CAN_SUBMIT');
  const [hosted = ''] = on.sandbox.createParties([
    { hint: 'hosted', holdings: [{ token: 'DEMO', amount: '5' }] },
  ]);
  const [coin = ''] = await on.client.holdings(hosted);
  const prepared = await on.external.prepare({ ...spec(on), sender: hosted, inputs: [coin] });
  const signer = { ...on.signer, party: hosted };
  t.is(await reasonOf(on.external.execute(prepared, signer)), 'FAILED_TO_EXECUTE_TRANSACTION');
  t.is(on.sandbox.audit.summary().accepted, 0);
});

test('prepare refuses what submit refuses, and what it cannot prepare', async (t) => {
  const on = await externalStage(t);
  const [command = never()] = (await on.client.transferCommands(spec(on))).commands;
  const refusals: [string, string, Parameters<typeof on.external.prepare>[1], Partial<TransferSpec>][] = [
    ['no command', 'MISSING_FIELD', { request: { commands: [] } }, {}],
    ['two commands', 'FAILED_TO_PREPARE_TRANSACTION', { request: { commands: [command, command] } }, {}],
    ['no act_as', 'MISSING_FIELD', { request: { actAs: [] } }, {}],
    ['two act_as', 'FAILED_TO_PREPARE_TRANSACTION', { request: { actAs: [on.alice, on.bob] } }, {}],
    ['no command id', 'MISSING_FIELD', {}, { commandId: '' }],
    ['no user', 'MISSING_FIELD', { request: { userId: '' } }, {}],
    [
      'another synchronizer',
      'INVALID_PRESCRIBED_SYNCHRONIZER_ID',
      { request: { synchronizerId: 'x::1220' } },
      {},
    ],
    ['a spent input', 'CONTRACT_NOT_FOUND', {}, { inputs: [`00${'ab'.repeat(32)}`] }],
    ['too much', 'DAML_FAILURE', {}, { amount: '11' }],
    ['eleven decimals', 'COMMAND_PREPROCESSING_FAILED', {}, { amount: '0.00000000001' }],
    ['an unknown receiver', 'UNKNOWN_INFORMEES', {}, { receiver: 'nobody::1220' }],
    ['not the sender', 'DAML_AUTHORIZATION_ERROR', { request: { actAs: [on.bob] } }, {}],
  ];
  for (const [what, reason, options, change] of refusals) {
    t.is(await reasonOf(on.external.prepare({ ...spec(on), ...change }, options)), reason, what);
  }
  t.is(on.sandbox.audit.entries.length, 0);
});

test('execute takes nothing that is not signed as it stands, by the party’s own key', async (t) => {
  const on = await externalStage(t);
  const stranger = at(on.sandbox.createExternalParties([{ hint: 'stranger' }]), 0);
  const prepared = await on.external.prepare(spec(on));
  const { preparedTransactionHash: hash, preparedTransaction: bytes } = prepared;
  const { transaction, metadata } = contentOf(prepared);
  const signed = (...of: Parameters<typeof signatures>): ExecuteOptions => ({
    partySignatures: signatures(...of),
  });
  const altered = (change: Partial<typeof metadata>): ExecuteOptions => ({
    preparedTransaction: PreparedTransaction.toBinary({ transaction, metadata: { ...metadata, ...change } }),
  });
  const RAW = SignatureFormat.SIGNATURE_FORMAT_RAW;
  await refusing(t, on, prepared, [
    ['no signature', { partySignatures: new PartySignatures() }],
    ['of another hash', signed(on.signer, Buffer.alloc(32))],
    ['of another content', signed(on.signer, hash, { signature: Buffer.from('3006020101020101', 'hex') })],
    ['no DER', signed(on.signer, hash, { signature: Buffer.alloc(64, 1) })],
    ['raw format', signed(on.signer, hash, { format: RAW })],
    ['another algorithm', signed(on.signer, hash, { signingAlgorithmSpec: 1 })],
    ['another fingerprint', signed(on.signer, hash, { signedBy: `1220${'00'.repeat(32)}` })],
    ['another party’s', signed(stranger, hash)],
    ['another key', signed({ ...stranger, party: on.alice }, hash)],
    ['hashed as V3', { hashingSchemeVersion: 3 }],
    ['no bytes', { preparedTransaction: new Uint8Array() }],
    ['no protobuf', { preparedTransaction: Buffer.from('ffff', 'hex') }],
    ['cut off', { preparedTransaction: bytes.slice(0, 100) }],
    ['another command id', altered({ submitterInfo: { actAs: [on.alice], commandId: 'c2' } })],
    ['another uuid', altered({ transactionUuid: 'f'.repeat(36) })],
  ]);
  const fields: [string, ExecuteOptions][] = [
    ['INVALID_FIELD', { submissionId: 'ü' }],
    ['MISSING_FIELD', { userId: '' }],
    ['MISSING_FIELD', { hashingSchemeVersion: 0 }],
    ['NEGATIVE_OFFSET', { deduplicationOffset: '-1' }],
  ];
  for (const [reason, options] of fields)
    t.is(await reasonOf(on.external.execute(prepared, on.signer, options)), reason);
  t.like(on.sandbox.audit.summary(), { accepted: 0, pending: 0, ledgerCalls: 19 });
  for (const { outcome } of on.sandbox.audit.entries) t.like(outcome, { kind: 'refused', answered: true });
  await t.notThrowsAsync(on.external.execute(prepared, on.signer), 'and what is right goes through');
});

test('execute takes no transaction that does not hang together, however well it is signed', async (t) => {
  const on = await externalStage(t);
  const prepared = await on.external.prepare(spec(on));
  const { transaction, metadata } = contentOf(prepared);
  const { nodes, roots } = transaction;
  const [, ...others] = metadata.inputContracts;
  const resigned = async (change: Partial<ReturnType<typeof contentOf>>): Promise<ExecuteOptions> => {
    const content = { transaction, metadata, ...change };
    const hash = Buffer.from(await hashPreparedTransaction(content, 'hex'), 'hex');
    return {
      preparedTransaction: PreparedTransaction.toBinary(content),
      partySignatures: signatures(on.signer, hash),
    };
  };
  const blob = { ...at(metadata.inputContracts, 0), eventBlob: at(metadata.inputContracts, 1).eventBlob };
  const stray = { ...at(nodes, 5), nodeId: '9' };
  const inputs = (inputContracts: typeof others) => resigned({ metadata: { ...metadata, inputContracts } });
  const tree = (change: Partial<typeof transaction>) =>
    resigned({ transaction: { ...transaction, ...change } });
  await refusing(t, on, prepared, [
    ['a missing input contract', await inputs(others)],
    ['the blob of another', await inputs([blob, ...others])],
    ['two roots', await tree({ roots: [...roots, '1'] })],
    ['no root', await tree({ roots: [] })],
    ['a node that hangs nowhere', await tree({ nodes: [...nodes, stray] })],
    ['a child as the root', await tree({ roots: ['3'] })],
  ]);
  await t.notThrowsAsync(on.external.execute(prepared, on.signer));
});

async function refusing(
  t: ExecutionContext,
  on: ExternalStage,
  prepared: PrepareSubmissionResponse,
  attempts: readonly (readonly [what: string, ExecuteOptions])[],
): Promise<void> {
  for (const [what, options] of attempts) {
    const error = await failing(on.external.execute(prepared, on.signer, options));
    t.is(error.code, 3, what);
    t.is(toldByError(error)?.errorInfo?.reason, 'FAILED_TO_EXECUTE_TRANSACTION', what);
  }
}

test('ExecuteSubmission answers that it has registered; the completion says the rest', async (t) => {
  const on = await externalStage(t, { latencyMs: 800 });
  const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
  const prepared = await on.external.prepare(spec(on));
  const request = ackRequest(prepared, on.signer);
  const acknowledged = () =>
    call((callback) => on.external.interactive.ExecuteSubmission(request, on.client.metadata, callback));
  await acknowledged();
  t.is(on.sandbox.audit.entries[0]?.outcome.kind, 'pending');
  t.is((await reader.completionOf('c1')).status?.code, 0);
  await acknowledged();
  await reader.until((it) => it.completions.length === 2);
  const { status } = at(reader.completions, 1);
  t.is(
    status && toldBy(status).errorInfo?.reason,
    'DUPLICATE_COMMAND',
    'after registration all is a completion',
  );
});

test('faults of a prepare: refused for its sender, slow, hung', async (t) => {
  const on = await externalStage(t);
  const method = 'InteractiveSubmissionService/PrepareSubmission';
  const match = { commandId: 'c1', party: on.alice, receiver: on.bob };
  on.sandbox.faults.add({
    on: method,
    match,
    times: 1,
    do: { kind: 'refuse', with: { error: 'PARTICIPANT_BACKPRESSURE' } },
  });
  await on.external.prepare(spec(on, 'c2', 1));
  t.is(await reasonOf(on.external.prepare(spec(on))), 'PARTICIPANT_BACKPRESSURE');
  on.sandbox.faults.add({ on: method, times: 1, do: { kind: 'slow', ms: 60 } });
  const started = performance.now();
  await on.external.prepare(spec(on));
  t.true(performance.now() - started >= 59);
  on.sandbox.faults.add({ on: method, times: 1, do: { kind: 'hang' } });
  const error = await failing(on.external.prepare(spec(on), {}, scaled(3_000)));
  t.is(error.code, 4);
  t.is(on.sandbox.audit.summary().reads[method], 4);
});

test('preferred packages: those that are here, by name', async (t) => {
  const on = await externalStage(t);
  const preferred = (packageName: string) => {
    const requirement = new PackageVettingRequirement({ parties: [on.alice], packageName });
    const request = new GetPreferredPackagesRequest({ packageVettingRequirements: [requirement] });
    return call<GetPreferredPackagesResponse>((callback) =>
      on.external.interactive.GetPreferredPackages(request, on.client.metadata, callback),
    );
  };
  const { packageReferences, synchronizerId } = await preferred('cip56-token');
  t.like(packageReferences[0], { packageName: 'cip56-token', packageVersion: '1.0.0' });
  t.is(synchronizerId, on.sandbox.synchronizerId);
  t.is(await reasonOf(preferred('no-such-package')), 'NO_PREFERRED_PACKAGES_FOUND');
});

function never(): never {
  throw new Error('unreachable');
}
