// What the participant refuses before it registers a submission, and what it makes of one after.
import test, { type ExecutionContext } from 'ava';
import { scaled } from '../support/pace.js';
import { failing, recordTimeOf } from './client.js';
import { at, delivered, hangUp, type Stage, stage } from './setup.js';
import { type Told, toldBy, toldByError } from './told.js';
import { nowMicros, type TransferSpec } from './transfer-commands.js';

type Change = (spec: TransferSpec, on: Stage) => TransferSpec;

const spec = (on: Stage, commandId = 'c1'): TransferSpec => ({
  commandId,
  sender: on.alice,
  receiver: on.bob,
  amount: '10',
  inputs: [at(on.coins, 0)],
});

const refused = test.macro({
  async exec(t: ExecutionContext, change: Change, id: string, detail: RegExp | string) {
    const on = await stage(t);
    const begin = await on.client.ledgerEnd();
    const error = await failing(on.client.transfer(change(spec(on), on)));
    const told = toldByError(error);
    t.is(told?.errorInfo?.reason, id, error.message);
    t.regex(error.details, new RegExp(`^${id}\\(\\d+,s-c1\\): `));
    t.true(
      typeof detail === 'string' ? error.details.includes(detail) : detail.test(error.details),
      error.details,
    );
    t.is(await on.client.ledgerEnd(), begin, 'no completion is written');
    t.like(on.sandbox.audit.entries, [{ outcome: { kind: 'refused', errorId: id, answered: true } }]);
  },
  title: (title = '') => `refused at once: ${title}`,
});

/** In microseconds. */
const TOLERANCE = scaled(300_000);
const future = () => nowMicros() + 60_000_000;

test(
  'amount with 11 decimals',
  refused,
  (it) => ({ ...it, amount: '0.00000000001' }),
  'COMMAND_PREPROCESSING_FAILED',
  'Numeric',
);
test(
  'amount of 39 digits',
  refused,
  (it) => ({ ...it, amount: '1'.repeat(29) }),
  'COMMAND_PREPROCESSING_FAILED',
  'Numeric',
);
test('amount 0', refused, (it) => ({ ...it, amount: '0' }), 'DAML_FAILURE', 'amount must be positive');
test('no inputs', refused, (it) => ({ ...it, inputs: [] }), 'DAML_FAILURE', 'must not be empty');
test(
  'more than the inputs hold',
  refused,
  (it) => ({ ...it, amount: '10.0000000001' }),
  'DAML_FAILURE',
  'insufficient',
);
test(
  'one input twice',
  refused,
  (it) => ({ ...it, inputs: [...it.inputs, ...it.inputs] }),
  'CONTRACT_NOT_ACTIVE',
  /inactive/,
);
test(
  'an input that never was',
  refused,
  (it) => ({ ...it, inputs: [`00${'ff'.repeat(32)}`] }),
  'CONTRACT_NOT_FOUND',
  '00ff',
);
test(
  'another instrument',
  refused,
  (it) => ({ ...it, instrument: 'PROMPT' }),
  'DAML_FAILURE',
  'wrong instrument',
);
test(
  'the future as requestedAt',
  refused,
  (it) => ({ ...it, requestedAt: future() }),
  'DAML_FAILURE',
  'requestedAt must be in the past',
);
test(
  'executeBefore reached',
  refused,
  (it) => ({ ...it, executeBefore: nowMicros() }),
  'DAML_FAILURE',
  'transfer expired',
);
test(
  'factory not visible without read_as',
  refused,
  (it) => ({ ...it, readAs: [] }),
  'CONTRACT_NOT_FOUND',
  'Contract could not be found',
);
test(
  'unknown receiver',
  refused,
  (it) => ({ ...it, receiver: 'nobody::1220' }),
  'UNKNOWN_INFORMEES',
  'nobody::1220',
);
test(
  'holdings of somebody else',
  refused,
  (it, on) => ({ ...it, sender: on.bob }),
  'DAML_FAILURE',
  'wrong owner',
);
test('no user', refused, (it) => ({ ...it, userId: '' }), 'MISSING_FIELD', 'user_id');
test(
  'no command id',
  refused,
  (it) => ({ ...it, commandId: '', submissionId: 's-c1' }),
  'MISSING_FIELD',
  'command_id',
);
test(
  'a command id that is not a ledger string',
  refused,
  (it) => ({ ...it, commandId: 'c(1)', submissionId: 's-c1' }),
  'INVALID_FIELD',
  'command_id',
);
test(
  'a negative deduplication offset',
  refused,
  (it) => ({ ...it, dedup: { deduplicationOffset: '-1' } }),
  'NEGATIVE_OFFSET',
  '-1',
);

test('another synchronizer, a locked holding and an unknown package are refused', async (t) => {
  const on = await stage(t);
  const elsewhere = await on.client.transferCommands(spec(on));
  elsewhere.synchronizerId = 'other::1220';
  const unknown = await on.client.transferCommands(spec(on));
  const identifier = at(unknown.commands, 0).exercise?.templateId;
  if (identifier) identifier.packageId = '#no-such-package';
  const [carol = ''] = on.sandbox.createParties([
    { hint: 'carol', holdings: [{ token: 'DEMO', amount: 1, locked: true }] },
  ]);
  const locked = { ...spec(on), sender: carol, amount: '1', inputs: await on.client.holdings(carol) };
  const reasons: Told['errorInfo'][] = [];
  for (const attempt of [
    on.client.submit(elsewhere),
    on.client.submit(unknown),
    on.client.transfer(locked),
  ]) {
    reasons.push(toldByError(await failing(attempt))?.errorInfo);
  }
  t.deepEqual(
    reasons.map((info) => info?.reason),
    ['INVALID_PRESCRIBED_SYNCHRONIZER_ID', 'UNRESOLVED_PACKAGE_NAME', 'DAML_FAILURE'],
  );
  t.is(
    reasons[2]?.metadata.get('error_id'),
    'UNHANDLED_EXCEPTION/DA.Exception.AssertionFailed:AssertionFailed',
  );
});

test('the same change ID in flight: refused at once, without a completion', async (t) => {
  const on = await stage(t, { latencyMs: 60_000 });
  const begin = await on.client.ledgerEnd();
  const cancel = new AbortController();
  const first = failing(on.client.transfer(spec(on), cancel.signal));
  await delivered(on, 0);
  const again = await failing(on.client.transfer({ ...spec(on), submissionId: 'another' }));
  t.is(toldByError(again)?.errorInfo?.reason, 'SUBMISSION_ALREADY_IN_FLIGHT');
  t.is(again.code, 10);
  t.is(await on.client.ledgerEnd(), begin);
  const other = failing(on.client.transfer({ ...spec(on, 'c2'), inputs: [at(on.coins, 1)] }, cancel.signal));
  await delivered(on, 2);
  t.is(on.sandbox.audit.summary().maxInFlightPerParty, 2, 'the log counts what is undecided at one time');
  cancel.abort();
  await Promise.all([first, other]);
});

test('delivered after executeBefore: refused, whoever still waits', async (t) => {
  const on = await stage(t);
  on.sandbox.faults.add({ on: 'submit', do: { kind: 'deliverLate', ms: 2000 } });
  const executeBefore = nowMicros() + 150_000;
  t.is((await hangUp(on, { ...spec(on), executeBefore }, (log) => log.entries.length === 1)).code, 1);
  await on.sandbox.audit.until((log) => log.entries[0]?.outcome.kind === 'refused');
  t.like(on.sandbox.audit.entries[0], { outcome: { errorId: 'DAML_FAILURE', answered: false } });
  t.is(on.sandbox.balances(on.bob).DEMO, undefined);
});

test('cancelled by its caller, the submission goes on', async (t) => {
  const on = await stage(t, { latencyMs: 2000 });
  t.is((await hangUp(on, spec(on), (log) => log.entries.length === 1)).code, 1);
  await on.sandbox.audit.until((log) => log.summary().accepted === 1);
  t.like(on.sandbox.audit.entries[0], { outcome: { kind: 'accepted', answered: false } });
});

test('sequenced too late: NOT_SEQUENCED_TIMEOUT, and its completion comes before any checkpoint past its bound', async (t) => {
  const on = await stage(t);
  const reader = on.client.completionStream([on.alice], await on.client.ledgerEnd());
  on.sandbox.faults.add({ on: 'submit', do: { kind: 'sequenceLate', ms: 3_600_000 } });
  const error = await failing(on.client.transfer(spec(on)));
  t.is(toldByError(error)?.errorInfo?.reason, 'NOT_SEQUENCED_TIMEOUT');
  const entry = at(on.sandbox.audit.entries, 0);
  const bound = (entry.deliveredAt ?? 0) * 1000 + TOLERANCE;
  await reader.until((it) => it.checkpoints.some((checkpoint) => recordTimeOf(checkpoint) > bound));
  const position = reader.items.findIndex((item) => 'completion' in item);
  const past = reader.items.findIndex(
    (item) => 'checkpoint' in item && recordTimeOf(item.checkpoint) > bound,
  );
  t.true(position >= 0 && position < past);
  const completion = await reader.completionOf('c1');
  t.is(completion.status && toldBy(completion.status).errorInfo?.reason, 'NOT_SEQUENCED_TIMEOUT');
  t.is(completion.status?.code, 10);
});

test('whatever the clocks say, nothing is accepted with a record time past executeBefore and tolerance', async (t) => {
  let acceptances = 0;
  for (const participantClockSkewMs of [-400, -200, 0, 200]) {
    const on = await stage(t, { participantClockSkewMs });
    on.sandbox.faults.add({
      on: 'submit',
      match: { probability: 0.5 },
      do: { kind: 'sequenceLate', ms: 250 },
    });
    const base = nowMicros();
    const calls = on.coins.map((coin, index) =>
      on.client
        .transfer({
          ...spec(on, `c${index}`),
          inputs: [coin],
          requestedAt: base - 5_000_000,
          // The last one has time enough on any machine.
          executeBefore: index === on.coins.length - 1 ? base + 60_000_000 : base + (index - 2) * 150_000,
        })
        .catch(() => undefined),
    );
    await Promise.all(calls);
    const accepted = on.sandbox.audit.entries.flatMap(({ outcome, transfer }) =>
      outcome.kind === 'accepted' && transfer ? [{ ...outcome, ...transfer }] : [],
    );
    acceptances += accepted.length;
    for (const { recordTime, executeBefore } of accepted) t.true(recordTime <= executeBefore + TOLERANCE);
  }
  t.true(acceptances > 0);
});

test('balances are exact to the tenth decimal', async (t) => {
  const on = await stage(t);
  await on.client.transfer({ ...spec(on), amount: '0.0000000001' });
  t.is(on.sandbox.balances(on.alice).DEMO?.amount, '39.9999999999');
  t.is(on.sandbox.balances(on.bob).DEMO?.amount, '0.0000000001');
});
