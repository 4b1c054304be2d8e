// Where parties are, what traffic costs, what the network does: what a participant refuses for the moment.
import test, { type ExecutionContext } from 'ava';
import { CostEstimationHints } from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import { failing } from './client.js';
import { at, type ExternalStage, externalStage, type Stage, stage } from './setup.js';
import { reasonOf, toldByError } from './told.js';
import type { TransferSpec } from './transfer-commands.js';

const spec = (on: Stage, commandId = 'c1', coin = 0): TransferSpec => ({
  commandId,
  sender: on.alice,
  receiver: on.bob,
  amount: '1',
  inputs: [at(on.coins, coin)],
});

/** Some other party's name, so that each is asked for both. */
const WHERE = [
  ['unknown', 'sender', 'UNKNOWN_SUBMITTERS'],
  ['unknown', 'receiver', 'UNKNOWN_INFORMEES'],
  ['inactive', 'sender', 'SUBMITTERS_NOT_ACTIVE'],
  ['inactive', 'receiver', 'INFORMEES_NOT_ACTIVE'],
  ['onboarding', 'receiver', 'PARTY_CURRENTLY_ONBOARDING'],
] as const;

for (const [is, who, reason] of WHERE) {
  test(`a ${who} that is ${is} is ${reason}, hosted or external, until it is back`, async (t) => {
    const hosted = await stage(t);
    const signing = await externalStage(t);
    const tries: readonly (readonly [Stage, (commandId: string) => Promise<unknown>])[] = [
      [hosted, (commandId) => hosted.client.transfer(spec(hosted, commandId))],
      [signing, (commandId) => signing.external.transfer(spec(signing, commandId), signing.signer)],
    ];
    for (const [on, transfer] of tries) {
      const party = who === 'sender' ? on.alice : on.bob;
      await on.sandbox.control({ kind: 'topology', party, is });
      t.is(await reasonOf(transfer('c1')), reason);
      await on.sandbox.control({ kind: 'topology', party, is: 'back' });
      await t.notThrowsAsync(transfer('c1'));
    }
  });
}

test('an account of traffic is held against its one party, at the preparation too unless no estimate is asked for', async (t) => {
  const on = await externalStage(t, { apiVersion: '3.5.7' });
  await on.sandbox.control({ kind: 'traffic', party: on.alice, balance: 5 });
  t.is(await reasonOf(on.external.prepare(spec(on))), 'TRAFFIC_ACCOUNT_VALIDATION_FAILED');
  const prepared = await on.external.prepare(spec(on), {
    request: { estimateTrafficCost: new CostEstimationHints({ disabled: true }) },
  });
  t.false(prepared.hasCostEstimation);
  t.is(await reasonOf(on.external.execute(prepared, on.signer)), 'TRAFFIC_ACCOUNT_VALIDATION_FAILED');

  await on.sandbox.control({ kind: 'traffic', party: on.alice, balance: 10_000 });
  await t.notThrowsAsync(on.external.transfer(spec(on), on.signer));
  // It was debited: so many more, and then no more.
  const more = async (): Promise<number> => {
    for (let n = 1; ; n++) {
      const coin = on.external.transfer(spec(on, `more-${n}`, n), on.signer);
      if ((await coin.catch(() => null)) === null) return n;
    }
  };
  t.true((await more()) <= 3);
  await on.sandbox.control({ kind: 'traffic', party: on.alice, balance: null });
  await t.notThrowsAsync(on.external.transfer(spec(on, 'free', 3), on.signer));
});

test('before 3.5.7 there are no accounts; from 3.5 on a completion says what was paid', async (t) => {
  const old = await stage(t, { apiVersion: '3.5.1' });
  await t.throwsAsync(old.sandbox.control({ kind: 'traffic', party: old.alice, balance: 5 }), {
    message: /3\.5\.7/,
  });
  const paid = async (on: Stage): Promise<string> => {
    const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
    await on.client.transfer(spec(on));
    return (await reader.completionOf('c1')).paidTrafficCost;
  };
  t.regex(await paid(old), /^[1-9]\d+$/);
  t.is(await paid(await stage(t, { apiVersion: '3.4.8' })), '0');
});

const NETWORK = [
  ['unconfirmed', 'MEDIATOR_SAYS_TX_TIMED_OUT', true],
  ['unsequenced', 'NOT_SEQUENCED_TIMEOUT', false],
  ['refusing', 'SEQUENCER_BACKPRESSURE', false],
] as const;

for (const [mode, reason, costs] of NETWORK) {
  test(`a network that is ${mode} ends every submission as ${reason}, by a completion, until it is fine`, async (t) => {
    const on = await stage(t, { apiVersion: '3.5.7' });
    const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
    await on.sandbox.control({ kind: 'network', mode });
    t.is(await reasonOf(on.client.transfer(spec(on))), reason);
    const completion = await reader.completionOf('c1');
    t.not(completion.status?.code, 0);
    t.is(completion.paidTrafficCost !== '0', costs, 'what was sequenced is paid for');
    await on.sandbox.control({ kind: 'network', mode: 'fine' });
    await t.notThrowsAsync(on.client.transfer(spec(on)));
  });
}

const backpressure = async (t: ExecutionContext, on: Stage, transfer: Stage['client']['transfer']) => {
  await on.sandbox.control({ kind: 'inFlight', most: 2 });
  await on.sandbox.control({ kind: 'latency', ms: 400 });
  const results = await Promise.allSettled([0, 1, 2, 3].map((n) => transfer(spec(on, `c${n}`, n))));
  const refused = results.flatMap((one) => (one.status === 'rejected' ? [toldByError(one.reason)] : []));
  t.deepEqual(
    refused.map((one) => one?.errorInfo?.reason),
    ['PARTICIPANT_BACKPRESSURE', 'PARTICIPANT_BACKPRESSURE'],
  );
  await on.sandbox.control({ kind: 'latency', ms: 0 });
  await t.notThrowsAsync(transfer(spec(on, 'after', 3)), 'what has ended makes room');
};

test('so many submissions that are waited for are taken at a time, hosted ones', async (t) => {
  const on = await stage(t, { timeScale: 0.1 });
  await backpressure(t, on, (one) => on.client.transfer(one));
});

test('so many submissions that are waited for are taken at a time, external ones', async (t) => {
  const on: ExternalStage = await externalStage(t);
  await backpressure(t, on, (one) => on.external.transfer(one, on.signer) as never);
});

test('a request that is too large is refused before anybody reads it, without details', async (t) => {
  const on = await stage(t, { maxRequestBytes: 500 });
  const error = await failing(on.client.transfer(spec(on)));
  t.is(error.code, 8);
  t.is(toldByError(error), undefined);
});
