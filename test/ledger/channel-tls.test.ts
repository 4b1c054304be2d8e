import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { ConfigError } from '../../src/core/errors.js';
import type { ChannelOptions } from '../../src/ledger/channel.js';
import { createLedger, type OpenLedger } from '../../src/ledger/ledger.js';
import { createAuthority } from '../support/certificates.js';
import { compiled } from '../support/compiled.js';
import { files, type Stub, startStub } from '../support/participant-stub.js';
import { connected, TIMEOUT, valueIn } from './setup.js';

const ca = createAuthority('the authority');
const other = createAuthority('another authority');
const HOST = 'localhost';

function open(t: ExecutionContext, url: string, tls: NonNullable<ChannelOptions['tls']> = {}): OpenLedger {
  const ledger = createLedger({ url, tls, userId: 'u', synchronizerId: 's', issuerParty: 'i' });
  t.teardown(() => ledger.close());
  return ledger;
}

/** The call fails with these words, nothing arrived at the participant, and the channel is not ready. */
async function refused(t: ExecutionContext, ledger: OpenLedger, stub: Stub, said: RegExp): Promise<void> {
  const read = await ledger.version(TIMEOUT);
  if (read.kind === 'read') return t.fail(`connected, where it should have said ${said}`);
  t.like(read.refusal, { errorId: 'GRPC_UNAVAILABLE', kind: 'not-the-row', blame: 'all' });
  t.regex(read.refusal.detail, said);
  t.false(ledger.ready());
  t.is(stub.asked(), 0);
}

test('a participant is trusted by the authority that is named, be it a private one', async (t) => {
  const { caFile } = files(t, { caFile: ca.cert });
  const stub = await startStub(t, { identity: ca.issue(HOST) });
  const ledger = open(t, `https://${HOST}:${stub.port}`, { caFile });
  await connected(ledger);
  t.is(valueIn(await ledger.version(TIMEOUT)).version, '3.4.8');
});

test('a participant that cannot prove who it is gets no call', async (t) => {
  const file = files(t, { ca: ca.cert, other: other.cert });
  const cases: readonly (readonly [
    string,
    { name?: string; expired?: boolean },
    string | undefined,
    RegExp,
  ])[] = [
    ['no authority named', {}, undefined, /unable to verify|unable to get/],
    ['another authority', {}, file.other, /unable to verify|unable to get/],
    ['another name', { name: 'example.org' }, file.ca, /does not match certificate/],
    ['expired', { expired: true }, file.ca, /expired/],
  ];
  await Promise.all(
    cases.map(async ([what, { name = HOST, expired = false }, caFile, said]) => {
      const stub = await startStub(t, { identity: ca.issue(name, { expired }) });
      t.log(what);
      await refused(t, open(t, `https://${HOST}:${stub.port}`, { caFile }), stub, said);
    }),
  );
});

test('mutual TLS: with a certificate of the right authority, and with no other', async (t) => {
  const clients = createAuthority('clients');
  const stub = await startStub(t, { identity: ca.issue(HOST), clientsOf: clients.cert });
  const url = `https://${HOST}:${stub.port}`;
  const { caFile } = files(t, { caFile: ca.cert });
  const identity = ({ cert, key }: { cert: string; key: string }) => {
    const { certFile, keyFile } = files(t, { certFile: cert, keyFile: key });
    return { caFile, certFile, keyFile };
  };
  for (const tls of [
    { caFile },
    identity(clients.issue('submitter', { expired: true })),
    identity(other.issue('submitter')),
  ]) {
    await refused(t, open(t, url, tls), stub, /./);
  }
  const ledger = open(t, url, identity(clients.issue('submitter')));
  await connected(ledger);
  t.is(valueIn(await ledger.version(TIMEOUT)).version, '3.4.8');
});

test('a certificate and a key that do not belong together, or files that are not PEM, are a configuration error', (t) => {
  const [one, two] = [ca.issue('one'), ca.issue('two')];
  const file = files(t, { cert: one.cert, key: two.key, text: 'hello' });
  for (const tls of [
    { certFile: file.cert, keyFile: file.key },
    { certFile: file.text, keyFile: file.text },
  ]) {
    t.throws(() => open(t, 'https://localhost:1', tls), {
      instanceOf: ConfigError,
      message: /CANTON_TLS_\*/,
    });
  }
});

test('plaintext to a TLS port, and TLS to a plaintext one', async (t) => {
  const { caFile } = files(t, { caFile: ca.cert });
  const [tls, plain] = [await startStub(t, { identity: ca.issue(HOST) }), await startStub(t)];
  await refused(t, open(t, `${HOST}:${tls.port}`), tls, /./);
  await refused(t, open(t, `https://${HOST}:${plain.port}`, { caFile }), plain, /wrong version number/);
});

test("without a CA file Node's authorities count, those of NODE_EXTRA_CA_CERTS among them", async (t) => {
  const stub = await startStub(t, { identity: ca.issue(HOST) });
  const { extra } = files(t, { extra: ca.cert });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [compiled('support/ask-version', 'test'), `https://${HOST}:${stub.port}`],
    // Nothing else of this machine's: it may name authorities of its own.
    { env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: extra } },
  );
  t.is(stdout.trim(), '3.4.8');
});
