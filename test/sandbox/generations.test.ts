// What participants of 3.4, 3.5 and 3.6 have, and have not.
import { Metadata } from '@grpc/grpc-js';
import test from 'ava';
import {
  GetCompletionByHashRequest,
  type GetCompletionByHashResponse,
} from '#proto/com/daml/ledger/api/v2/command_completion_service.js';
import { preparedHash } from '../../src/transfer/prepared-hash.js';
import { call, failing, LedgerClient } from './client.js';
import { contentOf, V2 } from './external.js';
import { at, type ExternalStage, externalStage, stage } from './setup.js';
import { reasonOf, toldByError } from './told.js';
import type { TransferSpec } from './transfer-commands.js';

const spec = (on: ExternalStage, commandId = 'c1', coin = 0): TransferSpec => ({
  commandId,
  sender: on.alice,
  receiver: on.bob,
  amount: '1',
  inputs: [at(on.coins, coin)],
});
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

const byHash = (on: ExternalStage, hash: Uint8Array): Promise<GetCompletionByHashResponse> =>
  call((callback) =>
    on.client.completions.GetCompletionByHash(
      new GetCompletionByHashRequest({ transactionHash: hash }),
      on.client.metadata,
      callback,
    ),
  );

test('before 3.4.4 there is no ExecuteSubmissionAndWait', async (t) => {
  const on = await externalStage(t, { apiVersion: '3.4.3' });
  t.is((await failing(on.external.transfer(spec(on), on.signer))).code, 12);
  t.is(on.sandbox.audit.entries.length, 0);
});

for (const [apiVersion, has] of [
  ['3.4.8', { completionHash: false, transactionHash: false, byHash: false, cost: false, v3: false }],
  ['3.5.1', { completionHash: true, transactionHash: false, byHash: false, cost: true, v3: true }],
  ['3.6.0-SNAPSHOT', { completionHash: true, transactionHash: true, byHash: true, cost: true, v3: true }],
] as const) {
  test(`${apiVersion}: its calls and its fields`, async (t) => {
    const on = await externalStage(t, { apiVersion });
    const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
    const prepared = await on.external.prepare(spec(on), { hashingSchemeVersion: V2 });
    t.is(prepared.hasCostEstimation, has.cost);
    const { synchronizerId } = contentOf(prepared).metadata;
    t.is(synchronizerId, `${on.sandbox.synchronizerId}${has.cost ? '::35-0' : ''}`);
    const third = await on.external.prepare(spec(on), { hashingSchemeVersion: 3 });
    t.is(third.hashingSchemeVersion, has.v3 ? 3 : V2, 'before 3.5 the field is not known');
    t.is(hex(third.preparedTransactionHash), hex(preparedHash(third.preparedTransaction, has.v3 ? 3 : 2)));
    if (has.v3) {
      const fourth = on.external.prepare(spec(on), { hashingSchemeVersion: 4 });
      t.is(await reasonOf(fourth), 'FAILED_TO_PREPARE_TRANSACTION');
    }

    const { updateId } = await on.external.execute(prepared, on.signer);
    const completion = await reader.completionOf('c1');
    const hash = hex(prepared.preparedTransactionHash);
    t.is(hex(completion.transactionHash), has.completionHash ? hash : '');
    const update = await on.client.update(updateId, on.alice);
    t.is(hex(update.externalTransactionHash), hash);
    t.is(hex(update.transactionHash), has.transactionHash ? hash : '');

    if (!has.byHash) {
      t.is((await failing(byHash(on, prepared.preparedTransactionHash))).code, 12);
      return;
    }
    const nothing = await failing(byHash(on, Buffer.alloc(32, 1)));
    t.is(nothing.code, 5);
    t.is(toldByError(nothing)?.errorInfo?.reason, 'COMPLETION_NOT_FOUND');
    await failing(on.external.execute(prepared, on.signer, { submissionId: 'again' }));
    const found = await byHash(on, prepared.preparedTransactionHash);
    t.is(found.acceptedCompletion?.updateId, updateId);
    t.deepEqual(
      found.lastRejectedCompletions.map(({ submissionId }) => submissionId),
      ['again'],
    );
  });
}

test('GetParticipantId: before 3.6 for administrators, from 3.6 on for any token', async (t) => {
  const asked = async (apiVersion: string, administrator: boolean) => {
    const on = await stage(t, { apiVersion, administrator, token: 'secret' });
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer secret');
    const client = new LedgerClient(on.sandbox, metadata);
    t.teardown(() => client.close());
    return client.participantId().then(
      () => 0,
      (error: { code: number }) => error.code,
    );
  };
  t.is(await asked('3.4.8', false), 7);
  t.is(await asked('3.4.8', true), 0);
  t.is(await asked('3.6.0', false), 0);
  const open = await stage(t, { administrator: false });
  await t.notThrowsAsync(open.client.participantId(), 'no tokens, no rights');
});
