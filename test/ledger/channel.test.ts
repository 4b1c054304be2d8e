import { writeFileSync } from 'node:fs';
import { mkdtemp, rm, unlink, utimes, writeFile } from 'node:fs/promises';
import { constants, createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ConfigError } from '../../src/core/errors.js';
import { noToken, tokenFile, tokenSubject } from '../../src/ledger/auth.js';
import { openChannel } from '../../src/ledger/channel.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { bench, connected, TIMEOUT, valueIn } from './setup.js';

test('an address that is none is a configuration error, all problems of TLS at once', (t) => {
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

test('what cannot be encoded is never sent, and is no connection problem', async (t) => {
  const { sandbox, ledger, transfer } = await bench(t);
  const sent = await transfer({ requestedAt: 1.5 as unknown as bigint });
  t.like(await ledger.submit(sent, TIMEOUT), {
    kind: 'refused',
    refusal: { errorId: 'REQUEST_UNENCODABLE' },
  });
  t.is(sandbox.audit.entries.length, 0);
});

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'ledger-token-'));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

test('a token file is read trimmed, and again when it changes', async (t) => {
  const file = join(await folder(t), 'token');
  const tokens = tokenFile(file);
  t.like(await tokens.read(), { kind: 'no-token' });
  await writeFile(file, '  one\n');
  t.deepEqual(await tokens.read(), { kind: 'token', token: 'one' });
  // Same size, same inode: its time tells.
  await writeFile(file, '  two\n');
  await utimes(file, 1, 2);
  t.deepEqual(await tokens.read(), { kind: 'token', token: 'two' });
  for (const useless of ['', ' \n', 'a b', 'a\nb', 'é']) {
    await writeFile(file, useless);
    await utimes(file, 1, useless.length);
    t.like(await tokens.read(), { kind: 'no-token' }, JSON.stringify(useless));
  }
  await unlink(file);
  t.like(await tokens.read(), { kind: 'no-token' });
  t.deepEqual(await noToken.read(), { kind: 'token', token: null });
});

test('a token that was refused is read again, changed or not', async (t) => {
  const file = join(await folder(t), 'token');
  const tokens = tokenFile(file);
  await writeFile(file, 'one');
  await utimes(file, 1, 1);
  await tokens.read();
  await writeFile(file, 'two');
  await utimes(file, 1, 1);
  tokens.refused();
  t.deepEqual(await tokens.read(), { kind: 'token', token: 'two' });
});

test('calls carry the token; without a readable one no call is made', async (t) => {
  const file = join(await folder(t), 'token');
  writeFileSync(file, 'secret');
  const { sandbox, ledger, alice, transfer } = await bench(
    t,
    { token: 'secret' },
    { tokens: tokenFile(file) },
  );
  const sent = await transfer();
  await sandbox.control({ kind: 'token', token: 'renewed' });
  t.like(await ledger.submit(sent, TIMEOUT), {
    kind: 'refused',
    refusal: { kind: 'not-the-row', blame: 'all', errorId: 'GRPC_UNAUTHENTICATED' },
  });
  await unlink(file);
  const calls = sandbox.audit.entries.length;
  t.like(await ledger.submit(sent, TIMEOUT), { kind: 'not-sent' });
  t.is(sandbox.audit.entries.length, calls);
  const missing = {
    kind: 'failed-read',
    refusal: { kind: 'not-the-row', blame: 'all', errorId: 'TOKEN_UNAVAILABLE' },
  };
  t.like(await ledger.ledgerEnd(TIMEOUT), missing);
  const stream = ledger.completions({ parties: [alice], beginExclusive: 0n }, new AbortController().signal);
  t.like((await stream.next()).value, missing);
  await writeFile(file, 'renewed\n');
  t.true(valueIn(await ledger.ledgerEnd(TIMEOUT)) > 0n);
});

test('the subject of a token, where it is one', (t) => {
  const jwt = (payload: unknown) => `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.sig`;
  t.is(tokenSubject(jwt({ sub: 'submitter' })), 'submitter');
  for (const other of [jwt({}), jwt(null), jwt({ sub: 7 }), jwt({ sub: '' }), 'opaque', '', 'a.b.c']) {
    t.is(tokenSubject(other), null, other);
  }
});
