// What a participant shows: contracts at an offset, updates, completions, itself.
import test from 'ava';
import { DisclosedContract } from '#proto/com/daml/ledger/api/v2/commands.js';
import { TransactionShape } from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import {
  GetLedgerApiVersionRequest,
  type GetLedgerApiVersionResponse,
} from '#proto/com/daml/ledger/api/v2/version_service.js';
import { packageId, templates } from '../../src/sandbox/daml/packages.js';
import { PACE } from '../support/pace.js';
import { call, failing } from './client.js';
import { at, SCALE, stage } from './setup.js';
import { toldByError } from './told.js';
import { HOLDING_INTERFACE, HOLDING_TEMPLATE } from './transfer-commands.js';

test('active contracts are those of the offset, however much happened since', async (t) => {
  const on = await stage(t);
  const before = await on.client.ledgerEnd();
  await on.client.transfer({
    commandId: 'c1',
    sender: on.alice,
    receiver: on.bob,
    amount: '3',
    inputs: on.coins.slice(0, 2),
  });
  const ids = async (offset?: number) =>
    (await on.client.active(on.alice, HOLDING_INTERFACE, offset === undefined ? {} : { offset })).map(
      (it) => it.contractId,
    );
  t.deepEqual((await ids(before)).sort(), [...on.coins].sort());
  const now = await ids();
  t.is(now.length, 3);
  t.false(now.includes(at(on.coins, 0)));
  t.deepEqual(await ids(0), []);
  const beyond = await failing(ids(before + 2));
  t.is(beyond.code, 11);
  t.is(toldByError(beyond)?.errorInfo?.reason, 'OFFSET_AFTER_LEDGER_END');
  t.is(toldByError(beyond)?.retryMs, 1000);
});

test('filters: by name and by package id, with blob, view and labels only where asked', async (t) => {
  const on = await stage(t);
  const byId = HOLDING_TEMPLATE.replace('#cip56-token', packageId(templates.holding.packageName));
  t.is((await on.client.active(on.alice, byId)).length, 4);
  const bare = at(await on.client.active(on.alice, HOLDING_INTERFACE, { verbose: false }), 0);
  t.is(bare.createArguments?.fields[0]?.label, '');
  t.is(bare.createdEventBlob.length, 0);
  t.is(bare.interfaceViews.length, 0);
  const full = at(await on.client.active(on.alice, HOLDING_INTERFACE, { blob: true, view: true }), 0);
  t.deepEqual(
    full.createArguments?.fields.map((it) => it.label),
    ['issuer', 'owner', 'amount', 'instrumentId', 'lock', 'meta'],
  );
  t.is(full.createArguments?.fields[2]?.value?.numeric, '10.0000000000');
  t.is(full.createArguments?.fields[4]?.value?.sum, 'optional');
  t.true(full.createdEventBlob.length > 0);
  t.is(full.interfaceViews[0]?.viewValue?.fields[0]?.value?.party, on.alice);
  t.deepEqual(full.witnessParties, [on.alice]);
  const reason = async (of: string) =>
    toldByError(await failing(on.client.active(on.alice, of)))?.errorInfo?.reason;
  t.is(await reason('#nothing:A:B'), 'PACKAGE_NAMES_NOT_FOUND');
  t.is(await reason('#cip56-token:CIP56.Token:Nothing'), 'NO_TEMPLATES_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME');
  t.is(await reason(`${packageId('cip56-token')}:CIP56.Token:Nothing`), 'TEMPLATES_OR_INTERFACES_NOT_FOUND');
});

test('a disclosed contract needs no read_as', async (t) => {
  const on = await stage(t);
  const [factory] = await on.client.active(
    on.sandbox.issuer,
    '#cip56-token:CIP56.TransferFactory:CIP56TransferFactory',
    { blob: true },
  );
  const commands = await on.client.transferCommands({
    commandId: 'c1',
    sender: on.alice,
    receiver: on.bob,
    amount: '1',
    inputs: [at(on.coins, 0)],
    readAs: [],
  });
  commands.disclosedContracts = [
    new DisclosedContract({ createdEventBlob: factory?.createdEventBlob ?? Buffer.of() }),
  ];
  await t.notThrowsAsync(on.client.submit(commands));
});

test('completions show to their user and their parties only', async (t) => {
  const on = await stage(t);
  const begin = await on.client.ledgerEnd();
  await on.client.transfer({
    commandId: 'c1',
    sender: on.alice,
    receiver: on.bob,
    amount: '1',
    inputs: [at(on.coins, 0)],
  });
  const others = [
    on.client.completionStream([on.bob], begin),
    on.client.completionStream([on.alice], begin, 'another'),
  ];
  const mine = on.client.completionStream([on.bob, on.alice], begin);
  for (const reader of [...others, mine]) await reader.until((it) => it.checkpoints.length > 0);
  t.deepEqual(
    [...others, mine].map((it) => it.completions.length),
    [0, 0, 1],
  );
  t.deepEqual(at(mine.completions, 0).actAs, [on.alice]);
  const beyond = on.client.completionStream([on.alice], begin + 100);
  await beyond.until((it) => it.error !== undefined);
  t.is(beyond.error?.code, 11);
});

test('what is pruned cannot be read: PARTICIPANT_PRUNED_DATA_ACCESSED says from where on', async (t) => {
  const on = await stage(t);
  const begin = await on.client.ledgerEnd();
  const { updateId, completionOffset } = await on.client.transfer({
    commandId: 'c1',
    sender: on.alice,
    receiver: on.bob,
    amount: '1',
    inputs: [at(on.coins, 0)],
  });
  await on.sandbox.control({ kind: 'prune' });
  const reader = on.client.completionStream([on.alice], begin);
  await reader.until((it) => it.error !== undefined);
  const told = reader.error && toldByError(reader.error);
  t.is(reader.error?.code, 9);
  t.is(told?.errorInfo?.reason, 'PARTICIPANT_PRUNED_DATA_ACCESSED');
  t.is(told?.errorInfo?.metadata.get('earliest_offset'), completionOffset);
  t.is(
    toldByError(await failing(on.client.update(updateId, on.alice)))?.errorInfo?.reason,
    'UPDATE_NOT_FOUND',
  );
  const later = on.client.completionStream([on.alice], Number(completionOffset));
  await later.until((it) => it.checkpoints.length > 0);
});

test('an update shows itself to stakeholders, its choice to those who took part', async (t) => {
  const on = await stage(t);
  const [carol = ''] = on.sandbox.createParties([{ hint: 'carol' }]);
  const { updateId } = await on.client.transfer({
    commandId: 'c1',
    sender: on.alice,
    receiver: on.bob,
    amount: '10',
    inputs: [at(on.coins, 0)],
  });
  const effects = TransactionShape.TRANSACTION_SHAPE_LEDGER_EFFECTS;
  const kinds = async (party: string) =>
    (await on.client.update(updateId, party, effects)).events.map((it) => it.event);
  t.deepEqual(await kinds(on.alice), ['exercised', 'exercised', 'created', 'created']);
  t.deepEqual(await kinds(on.bob), ['created', 'created']);
  const error = await failing(on.client.update(updateId, carol));
  t.is(error.code, 5);
  t.is(toldByError(error)?.errorInfo?.reason, 'UPDATE_NOT_FOUND');
  const argument = at((await on.client.update(updateId, on.alice, effects)).events, 0).exercised
    ?.choiceArgument;
  const transfer = argument?.record?.fields[1]?.value?.record;
  t.is(transfer?.fields.find((it) => it.label === 'receiver')?.value?.party, on.bob);
});

test('the participant tells its version and how long a checkpoint may take, scaled', async (t) => {
  const on = await stage(t, { apiVersion: '3.5.1' });
  const response = await call<GetLedgerApiVersionResponse>((callback) =>
    on.client.version.GetLedgerApiVersion(new GetLedgerApiVersionRequest(), callback),
  );
  t.is(response.version, '3.5.1');
  const delay = response.features?.offsetCheckpoint?.maxOffsetCheckpointEmissionDelay;
  const delayMs = (delay?.seconds ?? 0) * 1000 + (delay?.nanos ?? 0) / 1e6;
  t.true(Math.abs(delayMs - 75_000 * SCALE * PACE) < 1, `${delayMs}`);
  t.is(await on.client.participantId(), on.sandbox.participantId);
});
