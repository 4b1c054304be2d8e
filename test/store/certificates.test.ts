// The database over TLS, by way of a door in front of it: certificates renewed on disk, and what is said of wrong ones.
import { renameSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { StoreUnavailable } from '../../src/core/errors.js';
import { toStoreError } from '../../src/store/errors.js';
import { openDatabase } from '../../src/store/pool.js';
import { type Certificate, createAuthority } from '../support/certificates.js';
import { files } from '../support/participant-stub.js';
import { migratedDatabase } from '../support/postgres.js';

/** Speaks TLS as Postgres does, after its SSLRequest, and hands on what is within. */
async function tlsDoor(t: ExecutionContext, target: string, identity: Certificate) {
  const now = { identity };
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    sockets.add(near.on('error', () => {}));
    near.once('data', () => {
      near.write('S');
      const within = new TLSSocket(near, { isServer: true, ...now.identity });
      const far = connect(Number(port), hostname);
      for (const one of [within, far]) one.on('error', () => one.destroy());
      within.pipe(far).pipe(within);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const url = new URL(target);
  url.host = `localhost:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return {
    url: url.href,
    identify(next: Certificate) {
      now.identity = next;
      for (const socket of sockets) socket.destroy();
    },
  };
}

const ONE = { text: 'select 1 as one' };

test('an authority that is renewed on disk is trusted by the next connection; while it cannot be read, that is an outage', async (t) => {
  const db = await migratedDatabase(t);
  const [old, renewed] = [createAuthority('old'), createAuthority('renewed')];
  const { root } = files(t, { root: old.cert });
  const door = await tlsDoor(t, db.url, old.issue('localhost'));
  const database = openDatabase({ url: `${door.url}?sslmode=verify-full&sslrootcert=${root}` });
  t.teardown(() => database.close());
  t.deepEqual(await database.run(ONE, []), [{ one: 1 }]);
  door.identify(renewed.issue('localhost'));
  const untrusted = await t.throwsAsync(
    async () => {
      // The first may still meet the end of the connection that was.
      for (;;) await database.run(ONE, []);
    },
    { instanceOf: StoreUnavailable },
  );
  t.truthy(untrusted);
  const said = await t.throwsAsync(() => database.run(ONE, []), { instanceOf: StoreUnavailable });
  t.regex(said.message, /sslrootcert in the URL of the database/);
  renameSync(root, `${root}.gone`);
  const unread = await t.throwsAsync(() => Promise.all([1, 2, 3, 4, 5, 6].map(() => database.run(ONE, []))), {
    instanceOf: StoreUnavailable,
  });
  t.regex(unread.message, /ENOENT/);
  writeFileSync(root, renewed.cert);
  t.deepEqual(await database.run(ONE, []), [{ one: 1 }]);
});

test('what keeps us out of the database is said with what to change', (t) => {
  const said = (error: Error): string => (toStoreError(error) as Error).message;
  t.regex(
    said(new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')),
    /^the server asks for a password, and the URL of the database has none$/,
  );
  t.regex(
    said(Object.assign(new Error('connect ECONNREFUSED ::1:1'), { code: 'ECONNREFUSED' })),
    /host and port/,
  );
  t.regex(said(new Error('Connection terminated unexpectedly')), /is it a PostgreSQL server/);
  t.regex(said(new Error('The server does not support SSL connections')), /leave sslmode out/);
  const away = toStoreError(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  t.true(away instanceof StoreUnavailable, 'the socket has said it, not Postgres');
  const both = new AggregateError([
    new Error('one'),
    Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }),
  ]);
  t.regex(said(both), /^connect ECONNREFUSED 127\.0\.0\.1:1: check host and port/);
});
