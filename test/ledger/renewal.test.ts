// Certificates that are renewed on disk, tokens and settings that are wrong: what is said, how often it is tried.
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createLedger, type LedgerOptions, type OpenLedger } from '../../src/ledger/ledger.js';
import { createAuthority } from '../support/certificates.js';
import { files, startStub } from '../support/participant-stub.js';
import { startProxy } from '../support/proxy.js';
import { connected, TIMEOUT, valueIn } from './setup.js';

const HOST = 'localhost';

function open(t: ExecutionContext, url: string, more: Partial<LedgerOptions> = {}): OpenLedger {
  const ledger = createLedger({ url, userId: 'u', synchronizerId: 's', issuerParty: 'i', ...more });
  t.teardown(() => ledger.close());
  return ledger;
}

/** As whoever renews certificates does it: there at once, or not yet. */
function renew(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

async function proxied(t: ExecutionContext, port: number) {
  const target = `https://127.0.0.1:${port}`;
  const proxy = await startProxy(t, target);
  return { proxy, url: `https://${HOST}:${new URL(proxy.through(target)).port}` };
}

test('a client certificate and an authority that are renewed on disk serve the next connection, without a restart', async (t) => {
  const [oldCa, newCa] = [createAuthority('old'), createAuthority('new')];
  const [oldClients, newClients] = [createAuthority('old clients'), createAuthority('new clients')];
  const before = await startStub(t, { identity: oldCa.issue(HOST), clientsOf: oldClients.cert });
  const after = await startStub(t, {
    identity: newCa.issue(HOST),
    clientsOf: newClients.cert,
    version: '3.5.0',
  });
  const [old, renewed] = [oldClients.issue('submitter'), newClients.issue('submitter')];
  const tls = files(t, { caFile: oldCa.cert, certFile: old.cert, keyFile: old.key });
  const { proxy, url } = await proxied(t, before.port);
  const ledger = open(t, url, { tls });
  await connected(ledger);
  t.is(valueIn(await ledger.version(TIMEOUT)).version, '3.4.8');

  // The participant's certificate and its authority for clients change first: nobody gets in with the old ones.
  const lost = connected(ledger, false);
  proxy.aim(`https://127.0.0.1:${after.port}`);
  await lost;
  renew(tls.caFile, newCa.cert);
  // Half a pair is useless: the old one stays until the other half is there.
  renew(tls.certFile, renewed.cert);
  renew(tls.keyFile, renewed.key);
  await connected(ledger);
  t.is(valueIn(await ledger.version({ timeoutMs: 20_000 })).version, '3.5.0');
});

test('files that cannot be used while they are renewed change nothing, and do not end the process', async (t) => {
  const ca = createAuthority('the authority');
  const stub = await startStub(t, { identity: ca.issue(HOST) });
  const tls = files(t, { caFile: ca.cert });
  const { proxy, url } = await proxied(t, stub.port);
  const ledger = open(t, url, { tls });
  await connected(ledger);
  renew(tls.caFile, '-----BEGIN CERTIFICATE-----\nhalf');
  const lost = connected(ledger, false);
  proxy.cut();
  await lost;
  await connected(ledger);
  t.is(valueIn(await ledger.version(TIMEOUT)).version, '3.4.8');
});

test('a refused connection is reported with the setting that would let us in', async (t) => {
  const [ca, clients] = [createAuthority('the authority'), createAuthority('clients')];
  const [secure, mutual] = [
    await startStub(t, { identity: ca.issue(HOST) }),
    await startStub(t, { identity: ca.issue(HOST), clientsOf: clients.cert }),
  ];
  const plain = await startStub(t);
  const tls = files(t, { caFile: ca.cert });
  const cases: readonly (readonly [string, string, Partial<LedgerOptions>, RegExp])[] = [
    ['self-signed', `https://${HOST}:${secure.port}`, {}, /CANTON_TLS_CA_FILE/],
    ['another name', `https://127.0.0.1:${secure.port}`, { tls }, /the host in CANTON_URL is not the one/],
    ['no certificate of ours', `https://${HOST}:${mutual.port}`, { tls }, /CANTON_TLS_CERT_FILE/],
    ['nobody there', '127.0.0.1:1', {}, /check the host and the Ledger API port in CANTON_URL/],
    ['plaintext to TLS', `${HOST}:${secure.port}`, {}, /https:\/\/ only if the participant speaks TLS/],
    [
      'TLS to plaintext',
      `https://${HOST}:${plain.port}`,
      { tls },
      /https:\/\/ only if the participant speaks TLS/,
    ],
  ];
  for (const [what, url, options, said] of cases) {
    const read = await open(t, url, options).version(TIMEOUT);
    if (read.kind === 'read') t.fail(`${what}: connected`);
    else t.regex(read.refusal.detail, said, what);
  }
});

test('a connection that is served and dropped at once, again and again, is not made as fast as it can be', async (t) => {
  // As a proxy with nobody behind it: it greets, and goes. gRPC's own backoff begins anew with each greeting.
  let sessions = 0;
  const server = createServer();
  server.on('session', (session) => {
    sessions += 1;
    session.on('error', () => {});
    session.once('localSettings', () => session.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const ledger = open(t, `127.0.0.1:${port}`);
  let drops = 0;
  const began = performance.now();
  await new Promise<void>((resolve) => {
    const stop = ledger.onReady((ready) => {
      if (!ready) drops += 1;
      if (drops < 6) return;
      stop();
      resolve();
    });
  });
  // Two at once, and then each waits: at least 250 ms, up to three seconds.
  const waited = performance.now() - began;
  t.true(waited >= 3 * 250, `six in ${waited} ms`);
  t.true(sessions <= 8);
});
