import { writeFileSync } from 'node:fs';
import { mkdtemp, rm, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { noToken, tokenFile, tokenSubject } from '../../src/ledger/auth.js';
import { bench, TIMEOUT, valueIn } from './setup.js';

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
  // It says nothing about another token.
  tokens.refused('zero');
  t.deepEqual(await tokens.read(), { kind: 'token', token: 'one' });
  tokens.refused('one');
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
  // The file holds the refused one still: to ask once more with it would be for nothing.
  const method = 'StateService/GetLedgerEnd';
  const { reads } = sandbox.audit.summary();
  t.like(await ledger.ledgerEnd(TIMEOUT), { refusal: { errorId: 'GRPC_UNAUTHENTICATED' } });
  t.is(sandbox.audit.summary().reads[method], (reads[method] ?? 0) + 1);
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
