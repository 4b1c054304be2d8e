import { constants, createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { ConfigError } from '../../src/core/errors.js';
import { openChannel } from '../../src/ledger/channel.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { bench, connected, TIMEOUT } from './setup.js';

test('an invalid address is a configuration error; all problems of TLS are told at once', (t) => {
  for (const url of [
    '',
    'localhost',
    'http://localhost:1',
    'https://localhost',
    'a:b',
    'h:70000',
    'user@h:1',
  ]) {
    t.throws(() => openChannel({ url }), { instanceOf: ConfigError }, url);
  }
  const error = t.throws(
    () =>
      openChannel({ url: 'https://localhost:1', tls: { caFile: '/nowhere/ca', certFile: '/nowhere/cert' } }),
    { instanceOf: ConfigError },
  );
  t.is((error as ConfigError).problems.length, 3);
});

test('a stream that the server refuses is not sent again behind our back', async (t) => {
  let streams = 0;
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer((_, response) => response.stream.close(constants.NGHTTP2_REFUSED_STREAM));
  server.on('stream', () => {
    streams += 1;
  });
  server.on('session', (session) => sessions.add(session));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ledger = createLedger({
    url: `127.0.0.1:${port}`,
    userId: 'u',
    synchronizerId: 's',
    issuerParty: 'i',
  });
  t.teardown(() => {
    ledger.close();
    for (const session of sessions) session.destroy();
    server.close();
  });
  await connected(ledger);
  t.like(await ledger.submit({ ...anyTransfer }, TIMEOUT), { kind: 'unknown' });
  t.is(streams, 1);
});

const anyTransfer = {
  commandId: `0x${'ab'.repeat(32)}`,
  submissionId: 's',
  factory: { kind: 'own', contractId: '00' },
  sender: 'a::1220',
  receiver: 'b::1220',
  admin: 'i',
  instrumentId: 'DEMO',
  amount: 1n,
  holdings: ['00'],
  requestedAt: 0n,
  executeBefore: 1n,
} as unknown as Parameters<ReturnType<typeof createLedger>['submit']>[0];

test('what cannot be encoded is never sent, and is not taken for a connection problem', async (t) => {
  const { sandbox, ledger, transfer } = await bench(t);
  const sent = await transfer({ requestedAt: 1.5 as unknown as bigint });
  t.like(await ledger.submit(sent, TIMEOUT), {
    kind: 'refused',
    refusal: { errorId: 'REQUEST_UNENCODABLE' },
  });
  t.is(sandbox.audit.entries.length, 0);
});
