// Every service, enum, message and field of ours against the ledger's wire contract.
import { readFileSync } from 'node:fs';
import test from 'ava';
import { differences } from './conformance.js';
import { type Contract, type ContractField, ourProtos } from './descriptors.js';

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')) as Contract;
const wire = fixture('wire.json');
const contract: Contract = {
  ...wire,
  messages: { ...wire.messages, ...fixture('wire-prepared.json').messages },
};
const ours = ourProtos();

/** What we mean to be different, with the reason. proto/README.md says more. */
const exceptions = [
  // The contract has the Ledger API and google.rpc only. Health is compared below; the others come with buf.
  'service grpc.health.v1.Health: not in the contract',
  'enum grpc.health.v1.HealthCheckResponse.ServingStatus: not in the contract',
  'message grpc.health.v1.HealthCheckRequest: not in the contract',
  'message grpc.health.v1.HealthCheckResponse: not in the contract',
  // The contract has party management alone of the administration. Users are compared below.
  'service admin.UserManagementService: not in the contract',
  ...[
    'ListUserRightsRequest',
    'ListUserRightsResponse',
    'Right',
    'Right.CanActAs',
    'Right.CanExecuteAs',
    'Right.CanExecuteAsAnyParty',
    'Right.CanReadAs',
    'Right.CanReadAsAnyParty',
    'Right.IdentityProviderAdmin',
    'Right.ParticipantAdmin',
  ].map((message) => `message admin.${message}: not in the contract`),
  'message google.protobuf.Any: not in the contract',
  'message google.protobuf.Duration: not in the contract',
  'message google.protobuf.Empty: not in the contract',
  'message google.protobuf.Timestamp: not in the contract',
  // Opaque, so that nothing of what was signed gets lost.
  ...['PrepareSubmissionResponse', 'ExecuteSubmissionRequest', 'ExecuteSubmissionAndWaitRequest'].map(
    (message) =>
      `interactive.${message} 1: ours bytes prepared_transaction, the contract's interactive.PreparedTransaction prepared_transaction`,
  ),
  // No JS class can have an accessor called constructor.
  "Variant 2: ours string constructor_name, the contract's string constructor",
  "Enum 2: ours string constructor_name, the contract's string constructor",
  // Reassignments and topology.
  "CommandService/SubmitAndWaitForReassignment: ours nothing, the contract's SubmitAndWaitForReassignmentRequest -> SubmitAndWaitForReassignmentResponse",
  "GetUpdateResponse 2: ours nothing, the contract's Reassignment reassignment in update",
  "GetUpdateResponse 3: ours nothing, the contract's TopologyTransaction topology_transaction in update",
  "GetUpdatesResponse 2: ours nothing, the contract's Reassignment reassignment in update",
  "GetUpdatesResponse 4: ours nothing, the contract's TopologyTransaction topology_transaction in update",
  "UpdateFormat 3: ours nothing, the contract's TopologyFormat include_topology_events",
  // Calls that nothing of ours makes.
  "CommandCompletionService/GetCompletions: ours nothing, the contract's GetCompletionsRequest -> stream CompletionStreamResponse",
  "StateService/GetActiveContractsPage: ours nothing, the contract's GetActiveContractsPageRequest -> GetActiveContractsPageResponse",
  "UpdateService/GetUpdateByHash: ours nothing, the contract's GetUpdateByHashRequest -> GetUpdateResponse",
  "UpdateService/GetUpdatesPage: ours nothing, the contract's GetUpdatesPageRequest -> GetUpdatesPageResponse",
  "interactive.InteractiveSubmissionService/ExecuteSubmissionAndWaitForTransaction: ours nothing, the contract's interactive.ExecuteSubmissionAndWaitForTransactionRequest -> interactive.ExecuteSubmissionAndWaitForTransactionResponse",
];

const health: Contract = {
  services: {
    'grpc.health.v1.Health': {
      Check: { request: 'grpc.health.v1.HealthCheckRequest', response: 'grpc.health.v1.HealthCheckResponse' },
      Watch: {
        request: 'grpc.health.v1.HealthCheckRequest',
        response: 'stream grpc.health.v1.HealthCheckResponse',
      },
    },
  },
  enums: {
    'grpc.health.v1.HealthCheckResponse.ServingStatus': {
      0: 'UNKNOWN',
      1: 'SERVING',
      2: 'NOT_SERVING',
      3: 'SERVICE_UNKNOWN',
    },
  },
  messages: {
    'grpc.health.v1.HealthCheckRequest': { 1: { name: 'service', type: 'string' } },
    'grpc.health.v1.HealthCheckResponse': {
      1: { name: 'status', type: 'grpc.health.v1.HealthCheckResponse.ServingStatus' },
    },
  },
};

const ADMIN = 'com.daml.ledger.api.v2.admin';
const right = (type: string, name: string) => ({ type: `${ADMIN}.Right.${type}`, name, oneof: 'kind' });
const party = { 1: { name: 'party', type: 'string' } };
/** What participants 3.4 to 3.6 have. */
const users: Contract = {
  services: {
    [`${ADMIN}.UserManagementService`]: {
      ListUserRights: {
        request: `${ADMIN}.ListUserRightsRequest`,
        response: `${ADMIN}.ListUserRightsResponse`,
      },
    },
  },
  enums: {},
  messages: {
    [`${ADMIN}.ListUserRightsRequest`]: {
      1: { name: 'user_id', type: 'string' },
      2: { name: 'identity_provider_id', type: 'string' },
    },
    [`${ADMIN}.ListUserRightsResponse`]: { 1: { name: 'rights', type: `repeated ${ADMIN}.Right` } },
    [`${ADMIN}.Right`]: {
      1: right('ParticipantAdmin', 'participant_admin'),
      2: right('CanActAs', 'can_act_as'),
      3: right('CanReadAs', 'can_read_as'),
      4: right('IdentityProviderAdmin', 'identity_provider_admin'),
      5: right('CanReadAsAnyParty', 'can_read_as_any_party'),
      6: right('CanExecuteAs', 'can_execute_as'),
      7: right('CanExecuteAsAnyParty', 'can_execute_as_any_party'),
    },
    [`${ADMIN}.Right.ParticipantAdmin`]: {},
    [`${ADMIN}.Right.CanActAs`]: party,
    [`${ADMIN}.Right.CanReadAs`]: party,
    [`${ADMIN}.Right.IdentityProviderAdmin`]: {},
    [`${ADMIN}.Right.CanReadAsAnyParty`]: {},
    [`${ADMIN}.Right.CanExecuteAs`]: party,
    [`${ADMIN}.Right.CanExecuteAsAnyParty`]: {},
  },
};

test("users and rights are the administration's", (t) => {
  t.deepEqual(
    differences(ours, users).filter((line) => /UserManagementService|ListUserRights|Right\b/.test(line)),
    [],
  );
});

test('ours is the contract, but for the exceptions', (t) => {
  t.deepEqual(differences(ours, contract).sort(), [...exceptions].sort());
});

test('the fixture is no larger than what we have', (t) => {
  for (const part of ['services', 'enums', 'messages'] as const) {
    t.deepEqual(
      Object.keys(contract[part]).filter((name) => !ours[part][name]),
      [],
    );
  }
});

test('health is the standard one', (t) => {
  t.deepEqual(
    differences(ours, health).filter((line) => line.includes('grpc.health')),
    [],
  );
});

test('every 64-bit field of ours is a string in JS', (t) => {
  const wide = /^(u?int|sint|s?fixed)64$/;
  const numbers = Object.entries(ours.messages)
    .filter(([name]) => !name.startsWith('google.protobuf.'))
    .flatMap(([message, { fields }]) => Object.values(fields).map((field) => ({ message, ...field })))
    .filter(({ type, jstype }) => wide.test(type.replace('repeated ', '')) && jstype !== 'JS_STRING');
  t.deepEqual(numbers, []);
});

/** Each changes one fact of the contract; the comparison that misses one proves nothing. */
const mutations: [
  what: string,
  message: string,
  number: number,
  change: Partial<ContractField> | undefined,
][] = [
  ['a name', 'SubmitAndWaitResponse', 2, { name: 'offset' }],
  ['a type', 'Value', 3, { type: 'int64' }],
  ['a repeated field', 'Commands', 9, { type: 'string' }],
  ['a map', 'EventFormat', 1, { type: 'map<string,string>' }],
  ['a oneof', 'Commands', 6, { oneof: 'other' }],
  ['presence', 'SubmitAndWaitResponse', 1, { optional: true }],
  ['a field that goes away', 'Completion', 13, undefined],
  ['a field that comes', 'Completion', 99, { name: 'new', type: 'string' }],
];

for (const [what, message, number, change] of mutations) {
  test(`the comparison notices ${what}`, (t) => {
    const name = `com.daml.ledger.api.v2.${message}`;
    const { [number]: field, ...others } = contract.messages[name] ?? {};
    const changed = change ? { ...others, [number]: { ...field, ...change } as ContractField } : others;
    const found = differences(ours, { ...contract, messages: { ...contract.messages, [name]: changed } });
    const extra = found.filter((line) => !exceptions.includes(line));
    t.is(extra.length, 1);
    t.true(extra[0]?.startsWith(`${message} ${number}: `));
  });
}

test('the comparison notices a number, an enum value and a stream', (t) => {
  const mutant = structuredClone(contract) as unknown as {
    services: Record<string, Record<string, { response: string }>>;
    enums: Record<string, Record<string, string>>;
  };
  const stream = mutant.services['com.daml.ledger.api.v2.CommandCompletionService']?.CompletionStream;
  const shape = mutant.enums['com.daml.ledger.api.v2.TransactionShape'];
  if (!stream || !shape) return t.fail('the fixture lacks what this test changes');
  stream.response = stream.response.replace('stream ', '');
  shape[3] = 'TRANSACTION_SHAPE_NEW';
  const found = differences(ours, mutant as unknown as Contract);
  t.is(found.filter((line) => !exceptions.includes(line)).length, 2);
});
