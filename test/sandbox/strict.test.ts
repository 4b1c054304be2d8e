// What a participant cannot read it does not route: ids are looked at before topology, and rights before either.
import { credentials, Metadata } from '@grpc/grpc-js';
import test from 'ava';
import {
  ListUserRightsRequest,
  type ListUserRightsResponse,
  UserManagementServiceClient,
} from '#proto/com/daml/ledger/api/v2/admin/user_management_service.js';
import { call, failing, LedgerClient } from './client.js';
import { at, externalStage, type Stage, stage } from './setup.js';
import { toldByError } from './told.js';

const spec = (on: Stage) => ({
  commandId: 'c1',
  sender: on.alice,
  receiver: on.bob,
  amount: '1',
  inputs: [at(on.coins, 0)],
});
const told = async (attempt: Promise<unknown>) => toldByError(await failing(attempt))?.errorInfo?.reason;

test('ids that cannot be read: INVALID_FIELD, before anything is routed', async (t) => {
  const on = await stage(t);
  for (const [field, value] of [
    ['a physical id', `${on.sandbox.synchronizerId}::35-0`],
    ['no namespace', 'global-domain'],
  ] as const) {
    const wrong = await on.client.transferCommands(spec(on));
    wrong.synchronizerId = value;
    t.is(await told(on.client.submit(wrong)), 'INVALID_FIELD', field);
  }
  const mistyped = await on.client.transferCommands(spec(on));
  mistyped.synchronizerId = on.sandbox.synchronizerId.replace(/.$/, 'g');
  t.is(await told(on.client.submit(mistyped)), 'INVALID_PRESCRIBED_SYNCHRONIZER_ID');
  for (const [field, factory] of [
    ['contract id', 'no-contract'],
    ['half a byte', `00${'ab'.repeat(32)}c`],
  ]) {
    t.is(await told(on.client.transfer({ ...spec(on), factory: factory ?? '' })), 'INVALID_FIELD', field);
  }
  t.is(await told(on.client.transfer({ ...spec(on), receiver: 'é::1220' })), 'INVALID_ARGUMENT');
  t.is(await told(on.client.active('é', '#cip56-token:CIP56.Token:CIP56Holding')), 'INVALID_ARGUMENT');
  t.is(await told(on.client.active(on.alice, '#cip56 token:CIP56.Token:CIP56Holding')), 'INVALID_FIELD');
});

test('rights: what the user was not granted is refused, redacted, before any field is looked at', async (t) => {
  const on = await externalStage(t);
  const rights = (granted: { actAs?: 'any' | string[]; readAs?: 'any' | string[]; executeAs?: string[] }) =>
    on.sandbox.control({ kind: 'rights', rights: granted });
  const codeOf = async (attempt: Promise<unknown>) => (await failing(attempt)).code;
  await rights({ actAs: [], readAs: [on.bob] });
  t.is(await codeOf(on.client.active(on.alice, '#cip56-token:CIP56.Token:CIP56Holding')), 7);
  t.is(await codeOf(on.external.prepare(spec(on))), 7);
  t.is(await codeOf(on.client.transfer({ ...spec(on), sender: on.bob })), 7);
  t.deepEqual(await on.client.active(on.bob, '#cip56-token:CIP56.Token:CIP56Holding'), []);

  await rights({ actAs: [], readAs: [on.alice, on.sandbox.issuer] });
  const prepared = await on.external.prepare(spec(on));
  t.is(await codeOf(on.external.execute(prepared, on.signer)), 7);
  await rights({ actAs: [], readAs: [on.alice, on.sandbox.issuer], executeAs: [on.alice] });
  await t.notThrowsAsync(on.external.execute(prepared, on.signer));
});

test('users: a user is told its own rights, and nobody else is told them', async (t) => {
  const on = await stage(t);
  const users = new UserManagementServiceClient(on.sandbox.url, credentials.createInsecure());
  t.teardown(() => users.close());
  const list = (userId: string) =>
    call<ListUserRightsResponse>((callback) =>
      users.ListUserRights(new ListUserRightsRequest({ userId }), on.client.metadata, callback),
    );
  const { rights } = await list('mempool-submitter');
  t.true(rights.some((right) => right.canActAs?.party === on.alice));
  t.true(rights.some((right) => right.kind === 'canReadAsAnyParty'));
  t.is(await told(list('somebody')), 'USER_NOT_FOUND');
  t.is(await told(list('')), 'INVALID_ARGUMENT', 'without a token nobody is meant by it');
});

test('3.7: a token without an audience is refused', async (t) => {
  const jwt = (payload: object) => `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;
  for (const [apiVersion, token, code] of [
    ['3.6.1', jwt({ sub: 'mempool-submitter' }), null],
    ['3.7.0', jwt({ sub: 'mempool-submitter' }), 16],
    ['3.7.0', jwt({ sub: 'mempool-submitter', aud: 'ledger' }), null],
  ] as const) {
    const { sandbox } = await stage(t, { apiVersion, token });
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${token}`);
    const client = new LedgerClient(sandbox, metadata);
    t.teardown(async () => client.close());
    const asked = client.ledgerEnd();
    if (code === null) await t.notThrowsAsync(asked);
    else t.is((await failing(asked)).code, code);
  }
});
