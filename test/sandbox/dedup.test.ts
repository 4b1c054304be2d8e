// Command deduplication by change ID: what counts, for how long, and what is left when its data is pruned.
import test from 'ava';
import { Duration } from '#proto/google/protobuf/duration.js';
import { scaled } from '../support/pace.js';
import { failing } from './client.js';
import { at, type Stage, stage } from './setup.js';
import { reasonOf, toldBy, toldByError } from './told.js';
import type { TransferSpec } from './transfer-commands.js';

const spec = (on: Stage, coin = 0): TransferSpec => ({
  commandId: 'c1',
  sender: on.alice,
  receiver: on.bob,
  amount: '1',
  inputs: [at(on.coins, coin)],
});

test('interpretation comes first: a retry with spent inputs hears CONTRACT_NOT_FOUND, with others DUPLICATE_COMMAND', async (t) => {
  const on = await stage(t);
  const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
  const accepted = await on.client.transfer(spec(on));
  t.is(await reasonOf(on.client.transfer(spec(on))), 'CONTRACT_NOT_FOUND');

  const error = await failing(on.client.transfer({ ...spec(on, 1), submissionId: 'second' }));
  const told = toldByError(error);
  t.is(error.code, 6);
  t.is(told?.errorInfo?.reason, 'DUPLICATE_COMMAND');
  t.like(Object.fromEntries(told?.errorInfo?.metadata ?? []), {
    completion_offset: accepted.completionOffset,
    definite_answer: 'true',
    category: '10',
    existingSubmissionId: 'Some(s-c1)',
  });
  await reader.until((it) => it.completions.length === 2);
  const second = at(reader.completions, 1);
  t.is(second.submissionId, 'second');
  t.is(second.updateId, '');
  t.is(second.status && toldBy(second.status).errorInfo?.reason, 'DUPLICATE_COMMAND');
});

test('a rejection blocks nothing', async (t) => {
  const on = await stage(t);
  on.sandbox.faults.add({
    on: 'submit',
    times: 1,
    do: { kind: 'reject', with: { error: 'LOCAL_VERDICT_TIMEOUT' } },
  });
  t.is(await reasonOf(on.client.transfer(spec(on))), 'LOCAL_VERDICT_TIMEOUT');
  await t.notThrowsAsync(on.client.transfer(spec(on)));
});

test('the change ID is user, command and parties: another user is another command', async (t) => {
  const on = await stage(t);
  await on.client.transfer(spec(on));
  await t.notThrowsAsync(on.client.transfer({ ...spec(on, 1), userId: 'somebody-else' }));
  t.is(on.sandbox.audit.summary().doubleCommits, 1, 'and the judge sees that money moved twice');
});

test('an offset is exclusive: an acceptance at it does not count, one behind it does', async (t) => {
  const on = await stage(t);
  const { completionOffset } = await on.client.transfer(spec(on));
  const before = `${Number(completionOffset) - 1}`;
  t.is(
    await reasonOf(on.client.transfer({ ...spec(on, 1), dedup: { deduplicationOffset: before } })),
    'DUPLICATE_COMMAND',
  );
  await t.notThrowsAsync(
    on.client.transfer({ ...spec(on, 1), dedup: { deduplicationOffset: completionOffset } }),
  );
});

test('a duration counts back on the participant clock', async (t) => {
  const on = await stage(t);
  await on.client.transfer(spec(on));
  const dedup = (seconds: number) => ({ deduplicationDuration: new Duration({ seconds }) });
  t.is(await reasonOf(on.client.transfer({ ...spec(on, 1), dedup: dedup(60) })), 'DUPLICATE_COMMAND');
  t.is(await reasonOf(on.client.transfer({ ...spec(on, 1), dedup: dedup(-1) })), 'INVALID_FIELD');
  await on.sandbox.control({ kind: 'clockSkew', ms: 0, participantMs: 120_000 });
  t.is(
    await reasonOf(on.client.transfer({ ...spec(on, 1), dedup: dedup(scaled(180)) })),
    'DUPLICATE_COMMAND',
  );
  const passed = await reasonOf(on.client.transfer({ ...spec(on, 1), dedup: dedup(60) }));
  t.is(
    passed,
    'LOCAL_VERDICT_LEDGER_TIME_OUT_OF_BOUND',
    'no duplicate any more, but far ahead of the synchronizer',
  );
});

test('without a period it is the maximum, and after that the command runs again', async (t) => {
  const on = await stage(t, { maxDeduplicationMs: 60_000 / 0.005 });
  await on.client.transfer(spec(on));
  t.is(await reasonOf(on.client.transfer(spec(on, 1))), 'DUPLICATE_COMMAND');
  await on.sandbox.control({ kind: 'clockSkew', ms: 61_000 });
  await t.notThrowsAsync(
    on.client.transfer({ ...spec(on, 1), executeBefore: Date.now() * 1000 + 3_600_000_000 }),
  );
});

test('a window that reaches back past pruned data is INVALID_DEDUPLICATION_PERIOD, by a completion', async (t) => {
  const on = await stage(t);
  const { completionOffset } = await on.client.transfer(spec(on));
  await on.sandbox.control({ kind: 'prune', dedup: true });
  const begin = await on.client.ledgerEnd();
  const error = await failing(on.client.transfer({ ...spec(on, 1), dedup: { deduplicationOffset: '0' } }));
  t.is(toldByError(error)?.errorInfo?.reason, 'INVALID_DEDUPLICATION_PERIOD');
  t.is(toldByError(error)?.errorInfo?.metadata.get('earliest_offset'), completionOffset);
  t.is(
    await reasonOf(on.client.transfer(spec(on, 1))),
    'INVALID_DEDUPLICATION_PERIOD',
    'the maximum reaches back too',
  );
  t.is(await on.client.ledgerEnd(), begin + 2);
  await t.notThrowsAsync(
    on.client.transfer({ ...spec(on, 1), dedup: { deduplicationOffset: completionOffset } }),
  );
});

test('pruning as a real participant does it keeps the newest window', async (t) => {
  const on = await stage(t);
  await on.client.transfer(spec(on));
  await on.sandbox.control({ kind: 'prune' });
  t.is(await reasonOf(on.client.transfer(spec(on, 1))), 'DUPLICATE_COMMAND');
});

test('with deduplication off, everything that is offered is taken', async (t) => {
  const on = await stage(t, { dedup: false, latencyMs: 20 });
  await Promise.all([on.client.transfer(spec(on)), on.client.transfer(spec(on, 1))]);
  t.is(on.sandbox.audit.summary().doubleCommits, 1);
});
