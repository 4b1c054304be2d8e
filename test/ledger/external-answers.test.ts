// Requests as they go out, and answers that no participant should give: none of them is taken for what it is not.
import { promisify } from 'node:util';
import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import {
  GetCompletionByHashResponse,
  UnimplementedCommandCompletionServiceService,
} from '#proto/com/daml/ledger/api/v2/command_completion_service.js';
import { Completion } from '#proto/com/daml/ledger/api/v2/completion.js';
import {
  ExecuteSubmissionAndWaitResponse,
  PrepareSubmissionResponse,
  UnimplementedInteractiveSubmissionServiceService,
} from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import type { Value } from '#proto/com/daml/ledger/api/v2/value.js';
import { Status } from '#proto/google/rpc/status.js';
import { party, type TxHash } from '../../src/core/ids.js';
import type { AnyValue, SignedSubmission, Transfer } from '../../src/core/transfer.js';
import { executeRequest, prepareRequest } from '../../src/ledger/external.js';
import { createLedger, type OpenLedger } from '../../src/ledger/ledger.js';
import { defaultPackages } from '../../src/ledger/settings.js';
import { contextValue } from '../../src/ledger/transfer-command.js';
import { connected, TIMEOUT } from './setup.js';

const settings = { userId: 'u', synchronizerId: 's', issuerParty: 'issuer::1', packages: defaultPackages };

const transfer: Transfer = {
  commandId: `0x${'ab'.repeat(32)}` as TxHash,
  factory: { kind: 'own', contractId: '00fa' },
  sender: party('alice::1'),
  receiver: party('bob::1'),
  admin: 'issuer::1',
  instrumentId: 'DEMO',
  amount: 15_000_000_001n,
  holdings: ['00c1'],
  requestedAt: 1_700_000_000_000_001n,
  executeBefore: 1_700_086_400_000_001n,
};

test('what is asked to be prepared says everything, the scheme and its bound to the microsecond included', (t) => {
  const request = prepareRequest(transfer, 1_700_000_030_000_001n, settings, 3);
  t.like(request, {
    userId: 'u',
    commandId: transfer.commandId,
    actAs: ['alice::1'],
    readAs: ['issuer::1'],
    synchronizerId: 's',
    disclosedContracts: [],
    hashingSchemeVersion: 3,
    hasMinLedgerTime: false,
    packageIdSelectionPreference: [],
    verboseHashing: false,
  });
  t.is(request.commands.length, 1);
  t.false(request.estimateTrafficCost?.disabled);
  const without = prepareRequest(transfer, 1_700_000_030_000_001n, settings, 2, false);
  t.true(without.estimateTrafficCost?.disabled);
  t.like(request.maxRecordTime, { seconds: 1_700_000_030, nanos: 1_000 });
});

const context = new Map<string, AnyValue>([
  ['b', { tag: 'AV_ContractId', value: '00b1' }],
  ['a', { tag: 'AV_Map', value: new Map([['y', { tag: 'AV_Bool', value: false }]]) }],
  [
    'c',
    {
      tag: 'AV_List',
      value: [
        { tag: 'AV_Text', value: 't' },
        { tag: 'AV_Int', value: '-7' },
      ],
    },
  ],
  ['d', { tag: 'AV_Decimal', value: '1.5' }],
  ['e', { tag: 'AV_Party', value: 'p::1' }],
]);

test("a registry's factory is told its context and shown what it disclosed, and our issuer reads nothing", (t) => {
  const templateId = { packageId: 'pkg', moduleName: 'A.B', entityName: 'C' };
  const disclosure = {
    contractId: '00b1',
    templateId,
    createdEventBlob: Buffer.from('blob'),
    synchronizerId: 's2',
  };
  const factory = {
    kind: 'registry',
    contractId: '00fb',
    context,
    disclosed: [disclosure],
    transferKind: 'direct',
  } as const;
  const request = prepareRequest({ ...transfer, factory, admin: 'registrar::1' }, 1n, settings, 2);
  t.deepEqual(request.readAs, []);
  t.is(request.disclosedContracts.length, 1);
  t.like(request.disclosedContracts[0], { contractId: '00b1', synchronizerId: 's2', templateId });
  t.deepEqual(Buffer.from(request.disclosedContracts[0]?.createdEventBlob ?? []), Buffer.from('blob'));
  const exercise = request.commands[0]?.exercise;
  t.is(exercise?.contractId, '00fb');
  const extra = field(exercise?.choiceArgument, 'extraArgs');
  t.deepEqual(field(extra, 'context')?.serialize(), contextValue(context).serialize());
});

const field = (value: Value | undefined, label: string): Value | undefined =>
  value?.record?.fields.find((one) => one.label === label)?.value;

test('a choice context is a map of variants, its keys in order', (t) => {
  const entries = field(contextValue(context), 'values')?.textMap?.entries ?? [];
  t.deepEqual(
    entries.map(({ key, value }) => [key, value?.variant?.constructorName, value?.variant?.value?.sum]),
    [
      ['a', 'AV_Map', 'textMap'],
      ['b', 'AV_ContractId', 'contractId'],
      ['c', 'AV_List', 'list'],
      ['d', 'AV_Decimal', 'numeric'],
      ['e', 'AV_Party', 'party'],
    ],
  );
  const [map, , list] = entries.map(({ value }) => value?.variant?.value);
  t.is(map?.textMap?.entries[0]?.value?.variant?.value?.sum, 'bool');
  t.deepEqual(
    list?.list?.elements.map(({ variant }) => variant?.value?.sum),
    ['text', 'int64'],
  );
});

const submission: SignedSubmission = {
  prepared: { transaction: Buffer.from([1, 2, 3]), hash: Buffer.alloc(32, 1), scheme: 2, askedScheme: 2 },
  submissionId: 'attempt-1',
  party: party('alice::1'),
  signature: { der: Buffer.from([4, 5]), fingerprint: `1220${'ab'.repeat(32)}` },
};

test('what is executed is what was prepared, byte for byte, and asks for no deduplication period of its own', (t) => {
  const request = executeRequest(submission, settings);
  t.like(request, {
    submissionId: 'attempt-1',
    userId: 'u',
    hashingSchemeVersion: 2,
    deduplicationPeriod: 'none',
    hasMinLedgerTime: false,
  });
  t.deepEqual(Buffer.from(request.preparedTransaction), Buffer.from([1, 2, 3]));
  t.is(request.partySignatures?.signatures.length, 1);
  const [signatures] = request.partySignatures?.signatures ?? [];
  t.is(signatures?.party, 'alice::1');
  t.is(signatures?.signatures.length, 1);
  // DER, and ECDSA with SHA-256.
  t.like(signatures?.signatures[0], {
    format: 2,
    signingAlgorithmSpec: 2,
    signedBy: submission.signature.fingerprint,
  });
});

/** A participant that gives this answer to whatever it is asked. */
async function answering(
  t: ExecutionContext,
  methods: Readonly<Record<string, { serialize(): Uint8Array }>>,
): Promise<OpenLedger> {
  const server = new Server();
  const answers: UntypedServiceImplementation = Object.fromEntries(
    Object.entries(methods).map(([name, answer]) => [
      name,
      (_: unknown, callback: sendUnaryData<unknown>) => callback(null, answer),
    ]),
  );
  server.addService(UnimplementedInteractiveSubmissionServiceService.definition, answers);
  server.addService(UnimplementedCommandCompletionServiceService.definition, answers);
  const port = await promisify(server.bindAsync.bind(server))(
    '127.0.0.1:0',
    ServerCredentials.createInsecure(),
  );
  const ledger = createLedger({ url: `127.0.0.1:${port}`, ...settings });
  t.teardown(() => {
    ledger.close();
    server.forceShutdown();
  });
  await connected(ledger);
  return ledger;
}

test('a preparation without its transaction, its hash or its scheme is unreadable', async (t) => {
  const whole = {
    preparedTransaction: Buffer.from([1]),
    preparedTransactionHash: Buffer.alloc(32),
    hashingSchemeVersion: 2,
  };
  for (const missing of [
    { preparedTransaction: new Uint8Array() },
    { preparedTransactionHash: Buffer.alloc(31) },
    { preparedTransactionHash: Buffer.alloc(34) },
    { hashingSchemeVersion: 0 },
  ]) {
    const ledger = await answering(t, {
      PrepareSubmission: new PrepareSubmissionResponse({ ...whole, ...missing }),
    });
    t.like(await ledger.prepare(transfer, 1n, TIMEOUT), {
      kind: 'failed-read',
      refusal: { kind: 'suspect', blame: 'sender', errorId: 'ANSWER_UNREADABLE' },
    });
  }
  const ledger = await answering(t, {
    PrepareSubmission: new PrepareSubmissionResponse({ ...whole, hashingSchemeVersion: 3 }),
  });
  // Another scheme is for the inspection to refuse.
  t.like(await ledger.prepare(transfer, 1n, TIMEOUT), { kind: 'read', value: { scheme: 3 } });
});

test('an execution accepted without an update is unknown', async (t) => {
  for (const answer of [
    {},
    { updateId: 'u1' },
    { completionOffset: '7' },
    { updateId: 'u1', completionOffset: '-1' },
  ]) {
    const ledger = await answering(t, {
      ExecuteSubmissionAndWait: new ExecuteSubmissionAndWaitResponse(answer),
    });
    t.like(await ledger.execute(submission, TIMEOUT), { kind: 'unknown' }, JSON.stringify(answer));
  }
});

test('an acceptance by hash counts with an update, and of the very hash that was asked for', async (t) => {
  const hash = Buffer.alloc(32, 7);
  const accepted = {
    commandId: 'c',
    submissionId: 's',
    updateId: 'u1',
    offset: '9',
    status: new Status({ code: 0 }),
    transactionHash: hash,
  };
  const ask = async (change: object) => {
    const acceptedCompletion = new Completion({ ...accepted, ...change });
    const ledger = await answering(t, {
      GetCompletionByHash: new GetCompletionByHashResponse({ acceptedCompletion }),
    });
    return ledger.acceptedByHash(hash, TIMEOUT);
  };
  t.like(await ask({}), { kind: 'read', value: { updateId: 'u1', offset: 9n, commandId: 'c' } });
  for (const change of [
    { transactionHash: Buffer.alloc(32, 8) },
    { transactionHash: new Uint8Array() },
    { status: new Status({ code: 9 }) },
    { updateId: '' },
    { offset: '-1' },
  ]) {
    t.like(
      await ask(change),
      { kind: 'failed-read', refusal: { errorId: 'ANSWER_UNREADABLE' } },
      JSON.stringify(change),
    );
  }
  const rejected = new GetCompletionByHashResponse({
    lastRejectedCompletions: [new Completion({ ...accepted, status: new Status({ code: 9 }) })],
  });
  const ledger = await answering(t, { GetCompletionByHash: rejected });
  t.deepEqual(await ledger.acceptedByHash(hash, TIMEOUT), { kind: 'read', value: null });
});
