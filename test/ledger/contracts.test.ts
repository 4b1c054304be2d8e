// What the payloads of contracts and updates are taken for.
import test from 'ava';
import { CreatedEvent, Event, ExercisedEvent } from '#proto/com/daml/ledger/api/v2/event.js';
import { Transaction } from '#proto/com/daml/ledger/api/v2/transaction.js';
import { type Record as DamlRecord, Optional, Value } from '#proto/com/daml/ledger/api/v2/value.js';
import { factoryAdminOf } from '../../src/ledger/contracts.js';
import { defaultPackages } from '../../src/ledger/settings.js';
import { commandsOf } from '../../src/ledger/transfer-command.js';
import { effectOf } from '../../src/ledger/updates.js';
import * as daml from '../../src/ledger/values.js';

const settings = { userId: 'u', synchronizerId: 's', issuerParty: 'issuer::1', packages: defaultPackages };
const none = new Value({ optional: new Optional() });
const some = (value: Value) => new Value({ optional: new Optional({ value }) });

function created(
  [module, entity]: readonly [string, string],
  fields: Record<string, Value>,
  signatories: string[],
): CreatedEvent {
  return new CreatedEvent({
    contractId: '00c1',
    templateId: daml.identifier('packageid', module, entity),
    createArguments: daml.recordValue(fields).record as DamlRecord,
    signatories,
  });
}

test('a factory is believed where its admin signed', (t) => {
  const factory = (signatories: string[]) =>
    factoryAdminOf(
      created(
        ['CIP56.TransferFactory', 'CIP56TransferFactory'],
        { admin: daml.partyValue('issuer::1') },
        signatories,
      ),
    );
  t.is(factory(['issuer::1']), 'issuer::1');
  t.is(factory(['mallory::1']), null);
});

const transfer = {
  commandId: `0x${'ab'.repeat(32)}`,
  submissionId: 'attempt-1',
  factory: { kind: 'own', contractId: '00fa' },
  sender: 'alice::1',
  receiver: 'bob::1',
  admin: 'issuer::1',
  instrumentId: 'DEMO',
  amount: 15_000_000_001n,
  holdings: ['00c1', '00c2'],
  requestedAt: 1_700_000_000_000_001n,
  executeBefore: 1_700_000_090_000_001n,
} as unknown as Parameters<typeof commandsOf>[0];

test('the command names everything, and asks for no deduplication period of its own', (t) => {
  const commands = commandsOf(transfer, settings);
  t.like(commands, {
    userId: 'u',
    commandId: transfer.commandId,
    submissionId: 'attempt-1',
    actAs: ['alice::1'],
    readAs: ['issuer::1'],
    synchronizerId: 's',
    workflowId: '',
    deduplicationPeriod: 'none',
    hasMinLedgerTimeAbs: false,
    hasMinLedgerTimeRel: false,
  });
  const exercise = commands.commands[0]?.exercise;
  t.like(exercise?.templateId, {
    packageId: '#splice-api-token-transfer-instruction-v1',
    moduleName: 'Splice.Api.Token.TransferInstructionV1',
    entityName: 'TransferFactory',
  });
  t.is(exercise?.contractId, '00fa');
  const argument = exercise?.choiceArgument?.record;
  t.deepEqual(
    argument?.fields.map(({ label }) => label),
    ['expectedAdmin', 'transfer', 'extraArgs'],
  );
  const inner = argument?.fields[1]?.value?.record?.fields ?? [];
  t.deepEqual(
    inner.map(({ label, value }) => [label, value?.sum]),
    [
      ['sender', 'party'],
      ['receiver', 'party'],
      ['amount', 'numeric'],
      ['instrumentId', 'record'],
      ['requestedAt', 'timestamp'],
      ['executeBefore', 'timestamp'],
      ['inputHoldingCids', 'list'],
      ['meta', 'record'],
    ],
  );
  t.is(inner[2]?.value?.numeric, '1.5000000001');
  t.is(inner[4]?.value?.timestamp, '1700000000000001');
});

/** The transfer's exercise, by the interface's choice unless something else is said. */
const exercised = (change: Partial<ConstructorParameters<typeof ExercisedEvent>[0] & object> = {}): Event => {
  const exercise = commandsOf(transfer, settings).commands[0]?.exercise;
  const choiceArgument = exercise?.choiceArgument as Value;
  const interfaceId = daml.identifier('ab', 'Splice.Api.Token.TransferInstructionV1', 'TransferFactory');
  const fields = { choice: 'TransferFactory_Transfer', choiceArgument, interfaceId, ...change };
  return new Event({ exercised: Object.assign(new ExercisedEvent(), fields) });
};
const logged = (change: Record<string, Value> = {}): Event =>
  new Event({
    created: created(
      ['CIP56.Events', 'TokenTransferEvent'],
      {
        fromParty: some(daml.partyValue('alice::1')),
        toParty: some(daml.partyValue('bob::1')),
        amount: daml.numeric(15_000_000_001n),
        instrumentId: daml.recordValue({ admin: daml.partyValue('issuer::1'), id: daml.textValue('DEMO') }),
        ...change,
      },
      ['issuer::1'],
    ),
  });
const effect = (...events: Event[]) => effectOf(new Transaction({ updateId: 'u1', commandId: 'c1', events }));

test('what an update did is told by its exercise, or by the event that the token leaves', (t) => {
  const expected = {
    updateId: 'u1',
    commandId: 'c1',
    sender: 'alice::1',
    receiver: 'bob::1',
    admin: 'issuer::1',
    instrumentId: 'DEMO',
    amount: 15_000_000_001n,
  };
  t.deepEqual(effect(exercised(), logged()), { ...expected, result: null } as never);
  t.deepEqual(effect(logged()), { ...expected, result: null } as never);
});

test("a registry's transfer is told by its exercise, whatever its templates are, also where one carries out another", (t) => {
  const templateId = daml.identifier('cd', 'Utility.Registry.App', 'AllocationFactory');
  const one = effect(exercised({ templateId, nodeId: 0, lastDescendantNodeId: 5 }));
  t.like(one, { sender: 'alice::1', receiver: 'bob::1', amount: 15_000_000_001n });
  const within = exercised({ nodeId: 2, lastDescendantNodeId: 4 });
  t.deepEqual(effect(exercised({ templateId, nodeId: 0, lastDescendantNodeId: 5 }), within), one);
  t.is(
    effect(exercised({ nodeId: 0, lastDescendantNodeId: 1 }), within),
    null,
    'one after the other are two',
  );
});

test('a choice of that name is a transfer only if its interface is the standard’s', (t) => {
  t.is(effect(exercised({ interfaceId: daml.identifier('ab', 'Mallory', 'TransferFactory') })), null);
});

test('no transfer, several, a mint: none of them can be ours', (t) => {
  t.is(effect(), null);
  t.is(effect(exercised(), exercised()), null);
  t.is(effect(exercised({ choiceArgument: daml.textValue('x') })), null);
  t.is(effect(exercised({ choiceArgument: daml.textValue('x') }), logged()), null);
  t.is(effect(logged(), logged()), null);
  t.is(effect(logged({ fromParty: none })), null);
  t.is(effect(new Event({ exercised: new ExercisedEvent({ choice: 'Archive' }) })), null);
});
