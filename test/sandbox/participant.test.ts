// What befalls the participant as a whole: connections, identity, its past, its token.
import { Metadata } from '@grpc/grpc-js';
import test from 'ava';
import { failing, LedgerClient } from './client.js';
import { at, delivered, type Stage, stage } from './setup.js';
import { toldByError } from './told.js';
import type { TransferSpec } from './transfer-commands.js';

const spec = (on: Stage, commandId = 'c1', coin = 0): TransferSpec => ({
  commandId,
  sender: on.alice,
  receiver: on.bob,
  amount: '1',
  inputs: [at(on.coins, coin)],
});

/** Until the client has noticed that its connection was cut, and has found its way back. */
async function reconnected(on: Stage): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    await new Promise<void>((resolve, reject) =>
      on.client.commands.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve())),
    );
    const works = await on.client.ledgerEnd().then(
      () => true,
      () => false,
    );
    if (works) return;
  }
  throw new Error('the client did not get back');
}

test('restart: connections are cut, the ledger and what is in flight go on', async (t) => {
  const on = await stage(t, { latencyMs: 100 });
  const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
  const answer = failing(on.client.transfer(spec(on)));
  await delivered(on, 0);
  await on.sandbox.control({ kind: 'restart' });
  t.is((await answer).code, 14);
  await reader.until((it) => it.error !== undefined);
  t.is(reader.error?.code, 14);
  await on.sandbox.audit.until((log) => log.summary().accepted === 1);
  await reconnected(on);
  const again = on.client.completionStream([on.alice], 0);
  t.is((await again.completionOf('c1')).status?.code, 0);
});

test('down and up: connections are refused in between, on the same port', async (t) => {
  const on = await stage(t);
  await on.sandbox.control({ kind: 'down' });
  t.is((await failing(on.client.ledgerEnd())).code, 14);
  await on.sandbox.control({ kind: 'up' });
  await reconnected(on);
  t.true((await on.client.ledgerEnd()) > 0);
});

test('another identity answers over the same connection, and the first comes back with its ledger', async (t) => {
  const on = await stage(t);
  const [own, end] = [on.sandbox.participantId, await on.client.ledgerEnd()];
  const reader = on.client.completionStream([on.alice], end);
  await reader.until((it) => it.checkpoints.length > 0);
  await on.sandbox.control({ kind: 'identity', participantId: 'other::1220' });
  t.is(await on.client.participantId(), 'other::1220');
  t.is(await on.client.ledgerEnd(), 0);
  t.is(toldByError(await failing(on.client.transfer(spec(on))))?.errorInfo?.reason, 'CONTRACT_NOT_FOUND');
  await on.sandbox.control({ kind: 'identity', participantId: own });
  t.is(await on.client.ledgerEnd(), end);
  await on.client.transfer(spec(on));
  t.is((await reader.completionOf('c1')).status?.code, 0, 'the stream never broke');
  await on.sandbox.control({ kind: 'identity', participantId: 'third::1220', ledger: 'copy' });
  t.is(await on.client.ledgerEnd(), end + 1);
  await on.client.transfer(spec(on, 'c2', 1));
  await on.sandbox.control({ kind: 'identity', participantId: own });
  t.is(await on.client.ledgerEnd(), end + 1, 'a copy has a life of its own');
  t.is(new Set(on.sandbox.audit.entries.map((entry) => entry.participantId)).size, 3);
});

test('restored to an earlier ledger end: what came after is forgotten, deduplication too', async (t) => {
  const on = await stage(t);
  const end = await on.client.ledgerEnd();
  const { updateId } = await on.client.transfer(spec(on));
  t.deepEqual(await on.sandbox.control({ kind: 'restore', offset: end }), { ledgerEnd: end });
  await reconnected(on);
  t.is(await on.client.ledgerEnd(), end);
  t.is(on.sandbox.balances(on.alice).DEMO?.amount, '40.0000000000');
  const again = await on.client.transfer(spec(on));
  t.not(again.updateId, updateId);
  t.is(on.sandbox.audit.summary().doubleCommits, 1, 'the log forgets nothing');
});

test('a token: calls need it, and streams break when it is no longer good', async (t) => {
  const on = await stage(t, { token: 'first' });
  const withToken = (token: string) => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${token}`);
    const client = new LedgerClient(on.sandbox, metadata);
    t.teardown(() => client.close());
    return client;
  };
  const refused = await failing(on.client.ledgerEnd());
  t.is(refused.code, 16);
  t.is(toldByError(refused)?.errorInfo, undefined, 'redacted');
  t.truthy(toldByError(refused)?.requestId);
  const first = withToken('first');
  const reader = first.completionStream([on.alice], 0);
  await reader.until((it) => it.checkpoints.length > 0);
  await on.sandbox.control({ kind: 'token', token: 'second' });
  await reader.until((it) => it.error !== undefined);
  t.is(reader.error && toldByError(reader.error)?.errorInfo?.reason, 'ACCESS_TOKEN_EXPIRED');
  t.is((await failing(first.ledgerEnd())).code, 16);
  const second = withToken('second');
  const [coin = ''] = await second.holdings(on.alice);
  const other = { commandId: 'c1', sender: on.alice, receiver: on.bob, amount: '1', inputs: [coin] };
  t.is((await failing(second.transfer({ ...other, userId: 'somebody-else' }))).code, 7);
  await t.notThrowsAsync(second.transfer({ ...other, userId: '' }), 'the token says who it is');
});

test('another application spends what a party holds', async (t) => {
  const on = await stage(t);
  t.deepEqual(await on.sandbox.control({ kind: 'spend', party: on.alice, token: 'DEMO' }), { spent: 4 });
  t.is(on.sandbox.balances(on.alice).DEMO, undefined);
  t.is(toldByError(await failing(on.client.transfer(spec(on))))?.errorInfo?.reason, 'CONTRACT_NOT_FOUND');
});

test('an acceptance of a command id can be there before anybody sends it', async (t) => {
  const on = await stage(t);
  const { offset } = await on.sandbox.control({
    kind: 'foreignAcceptance',
    commandId: 'c1',
    party: on.alice,
    submissionId: 'old',
  });
  const reader = on.client.completionStream([on.alice], 0);
  t.like(await reader.completionOf('c1'), { submissionId: 'old', offset: `${offset}` });
  const [fresh = ''] = await on.client.holdings(on.alice);
  const error = await failing(on.client.transfer({ ...spec(on), inputs: [fresh] }));
  t.is(toldByError(error)?.errorInfo?.metadata.get('completion_offset'), `${offset}`);
});
