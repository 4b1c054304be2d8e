// The registry and the token endpoint: an authority of NODE_EXTRA_CA_CERTS that is renewed on disk. Node reads that file
// once, so it has to be named before anything is imported.
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { party } from '../../src/core/ids.js';
import { createAuthority } from '../support/certificates.js';
import { files } from '../support/participant-stub.js';

const terms = {
  sender: party('alice::1220aa'),
  receiver: party('bob::1220bb'),
  admin: 'registrar::1220cc',
  instrumentId: 'USDCx',
  amount: 1n,
  holdings: ['00c1'],
  requestedAt: 1n,
  executeBefore: 2n,
};

test('an authority that is renewed on disk is trusted by the next request, without a restart', async (t) => {
  const [old, renewed] = [createAuthority('old'), createAuthority('renewed')];
  const { extra } = files(t, { extra: old.cert });
  process.env.NODE_EXTRA_CA_CERTS = extra;
  const [{ registryFactory }, { requestToken }] = [
    await import('../../src/ledger/registry.js'),
    await import('../../src/ledger/oauth.js'),
  ];
  const server = createServer(renewed.issue('localhost'), (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const factory = {
      factoryId: '00fa',
      transferKind: 'direct',
      choiceContext: { choiceContextData: { values: {} }, disclosedContracts: [] },
    };
    response.end(JSON.stringify(request.url === '/token' ? { access_token: 'abc' } : factory));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const client = { tokenUrl: `${url}/token`, clientId: 'c', clientSecret: 'secret-of-ours', audience: 'a' };
  const asked = async () => [
    (await registryFactory({ synchronizerId: 's' }, url, terms, { timeoutMs: 5_000 })).kind,
    (await requestToken(client, 5_000)).kind,
  ];
  t.deepEqual(await asked(), ['failed-read', 'failed']);
  writeFileSync(`${extra}.new`, renewed.cert);
  renameSync(`${extra}.new`, extra);
  t.deepEqual(await asked(), ['read', 'token']);
});
