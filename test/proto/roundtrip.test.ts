// Bytes, both ways, against the official bindings: the same message encodes to the same bytes on either
// side, and each side decodes what the other encoded.
import test from 'ava';
import fc from 'fast-check';
import {
  CostEstimationHints,
  ExecuteSubmissionAndWaitRequest,
  PrepareSubmissionResponse,
} from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import { EventFormat } from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import { ErrorInfo } from '#proto/google/rpc/error_details.js';
import { LONG } from '../support/long.js';
import { officialTypes, ourClass, sharedFields } from './bindings.js';
import { buildOfficial, buildOurs } from './build.js';
import { ourProtos } from './descriptors.js';
import { type Pair, Samples } from './samples.js';

const api = 'com.daml.ledger.api.v2';

/** The bindings are of 3.3: these were elsewhere, or are not there but look the same as another. */
const standIns = new Map([
  [`${api}.Signature`, `${api}.interactive.Signature`],
  [`${api}.interactive.ExecuteSubmissionAndWaitRequest`, `${api}.interactive.ExecuteSubmissionRequest`],
  [`${api}.interactive.ExecuteSubmissionAndWaitResponse`, `${api}.SubmitAndWaitResponse`],
]);

/** What the bindings do not have; the wire contract alone speaks for these. */
const newer = {
  messages: [
    'GetCompletionByHashRequest',
    'GetCompletionByHashResponse',
    'PackageFeature',
    'admin.Right.CanExecuteAs',
    'admin.Right.CanExecuteAsAnyParty',
    'grpc.health.v1.HealthCheckRequest',
    'grpc.health.v1.HealthCheckResponse',
    'interactive.CostEstimation',
    'interactive.CostEstimationHints',
    'interactive.GlobalKeyWithMaintainers',
    'interactive.transaction.v1.QueryByKey',
  ],
  fields: [
    'Commands.taps_max_passes',
    'Completion.paid_traffic_cost',
    'Completion.transaction_hash',
    'CreatedEvent.acs_delta',
    'CreatedEvent.contract_key_hash',
    'CreatedEvent.representative_package_id',
    'ExercisedEvent.acs_delta',
    'FeaturesDescriptor.package_feature',
    'GetActiveContractsRequest.stream_continuation_token',
    'GetActiveContractsResponse.stream_continuation_token',
    'GetConnectedSynchronizersRequest.identity_provider_id',
    'GetLedgerEndResponse.synchronizer_times',
    'GetUpdatesRequest.descending_order',
    'InterfaceView.implementation_package_id',
    'PrefetchContractKey.limit',
    'Transaction.external_transaction_hash',
    'Transaction.paid_traffic_cost',
    'Transaction.transaction_hash',
    'admin.Right.can_execute_as',
    'admin.Right.can_execute_as_any_party',
    'interactive.PrepareSubmissionRequest.estimate_traffic_cost',
    'interactive.PrepareSubmissionRequest.hashing_scheme_version',
    'interactive.PrepareSubmissionRequest.taps_max_passes',
    'interactive.PrepareSubmissionResponse.cost_estimation',
    'interactive.transaction.v1.Create.key',
    'interactive.transaction.v1.Exercise.by_key',
    'interactive.transaction.v1.Exercise.key',
    'interactive.transaction.v1.Fetch.by_key',
    'interactive.transaction.v1.Fetch.key',
    'interactive.transaction.v1.Node.query_by_key',
  ],
};

const protos = ourProtos();
const official = await officialTypes(Object.values(protos.messages).map(({ file }) => file));
const pairs = new Map<string, Pair>();
for (const [name, ours] of Object.entries(protos.messages)) {
  const theirs = official.get(name) ?? official.get(standIns.get(name) ?? '');
  if (theirs) pairs.set(name, { ours, theirs, make: await ourClass(ours) });
}

const preparedType = official.get(`${api}.interactive.PreparedTransaction`);
if (!preparedType) throw new Error('the bindings have no PreparedTransaction');
const prepared = preparedType.toBinary(
  preparedType.create({
    transaction: { version: '2.1', roots: ['0'] },
    metadata: { synchronizerId: 'da::1220', transactionUuid: 'uuid', preparationTime: 1n },
  }),
);
const samples = new Samples(protos, pairs, fc.constant(prepared));

const short = (name: string): string => name.replace(`${api}.`, '');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

test('the bindings have every message and field of ours, but for the newer ones', (t) => {
  const missing = Object.keys(protos.messages).filter((name) => !pairs.has(name));
  t.deepEqual(missing.map(short).sort(), newer.messages);
  const fields = [...pairs].flatMap(([name, { ours, theirs }]) => {
    const shared = new Set(sharedFields(ours, theirs).map(([our]) => our.name));
    return Object.values(ours.fields)
      .filter((field) => !shared.has(field.name))
      .map((field) => `${short(name)}.${field.name}`);
  });
  t.deepEqual(fields.sort(), newer.fields);
});

for (const [name, { make, theirs }] of pairs) {
  test(`${short(name)}: same bytes, both ways`, (t) => {
    fc.assert(
      fc.property(samples.of(name), (sample) => {
        const ours = buildOurs(pairs, name, sample).serialize();
        const bytes = theirs.toBinary(buildOfficial(pairs, preparedType, name, sample));
        const encoded = hex(bytes);
        if (hex(ours) !== encoded) throw new Error(`ours encodes ${hex(ours)}, theirs ${encoded}`);
        if (hex(make.deserialize(bytes).serialize()) !== encoded)
          throw new Error(`ours does not keep ${encoded}`);
        if (hex(theirs.toBinary(theirs.fromBinary(ours))) !== encoded) {
          throw new Error(`theirs does not keep ${encoded}`);
        }
      }),
      { numRuns: LONG ? 50 : 10 },
    );
    t.pass();
  });
}

test('a prepared transaction passes through unchanged, with fields that nobody knows yet', (t) => {
  const future = new Uint8Array([...prepared, ...unhex('da3e03616263')]); // field 1003: 'abc'
  const answered = PrepareSubmissionResponse.deserialize(
    new PrepareSubmissionResponse({ preparedTransaction: future }).serialize(),
  );
  const sent = new ExecuteSubmissionAndWaitRequest({ preparedTransaction: answered.preparedTransaction });
  const executed = ExecuteSubmissionAndWaitRequest.deserialize(sent.serialize());
  t.deepEqual(executed.preparedTransaction, future);
});

test('unknown fields are skipped', (t) => {
  const known = new EventFormat({ verbose: true }).serialize();
  const decoded = EventFormat.deserialize(new Uint8Array([...unhex('da3e03616263'), ...known]));
  t.deepEqual(decoded.serialize(), known);
});

// No message that both sides have shows these; the generator amends what the plugin gets wrong about them.
test('a map entry may lack its key and its value', (t) => {
  t.deepEqual([...ErrorInfo.deserialize(unhex('1a030a0161')).metadata], [['a', '']]);
  t.deepEqual([...ErrorInfo.deserialize(unhex('1a03120162')).metadata], [['', 'b']]);
  const [entry] = EventFormat.deserialize(unhex('0a030a0161')).filtersByParty;
  t.is(entry?.[0], 'a');
  t.deepEqual(entry?.[1].cumulative, []);
});

test('repeated enums decode, packed or not', (t) => {
  const packed = new CostEstimationHints({ expectedSignatures: [1, 2] }).serialize();
  t.is(hex(packed), '12020102');
  t.deepEqual(CostEstimationHints.deserialize(packed).expectedSignatures, [1, 2]);
  t.deepEqual(CostEstimationHints.deserialize(unhex('10011002')).expectedSignatures, [1, 2]);
});
