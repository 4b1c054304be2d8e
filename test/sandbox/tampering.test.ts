// A participant that prepares something else than it was asked for: each kind differs where it says, nowhere else, and
// its hash is that of its content, so that no recomputed hash gives it away.
import { PreparedTransaction } from '@canton-network/core-ledger-proto';
import { hashPreparedTransaction } from '@canton-network/core-tx-visualizer';
import test from 'ava';
import type { PrepareSubmissionResponse } from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import type { Fault } from '../../src/sandbox/index.js';
import { failing } from './client.js';
import { at, type ExternalStage, externalStage } from './setup.js';
import { toldByError } from './told.js';
import { nowMicros, type TransferSpec } from './transfer-commands.js';

type What = Extract<Fault['do'], { kind: 'tamper' }>['what'];

const now = nowMicros();
const bound = now + 30_000_000;
const spec = (on: ExternalStage): TransferSpec => ({
  commandId: 'c1',
  sender: on.alice,
  receiver: on.bob,
  amount: '3.5',
  inputs: [at(on.coins, 0)],
  requestedAt: now - 5_000_000,
  executeBefore: now + 86_400_000_000,
});

function tampered(on: ExternalStage, what: What): Promise<PrepareSubmissionResponse> {
  const method = 'InteractiveSubmissionService/PrepareSubmission';
  on.sandbox.faults.add({ on: method, times: 1, do: { kind: 'tamper', what } });
  return on.external.prepare(spec(on), { maxRecordTime: bound });
}

const hashOf = (prepared: PrepareSubmissionResponse) =>
  hashPreparedTransaction(PreparedTransaction.fromBinary(prepared.preparedTransaction), 'hex');
const told = (prepared: PrepareSubmissionResponse) =>
  Buffer.from(prepared.preparedTransactionHash).toString('hex');

/** As JSON, without what is new every time: ids, seeds, the time. */
function content(prepared: PrepareSubmissionResponse) {
  const { transaction, metadata } = PreparedTransaction.fromBinary(prepared.preparedTransaction);
  if (!transaction || !metadata) throw new Error('no prepared transaction');
  const json = JSON.stringify({ transaction, metadata }, (key, value) => {
    if (typeof value === 'bigint') return `${value}`;
    if (value instanceof Uint8Array) return key === 'seed' ? 'seed' : Buffer.from(value).toString('hex');
    return key === 'stakeholders' ? [...(value as string[])].sort() : (value as unknown);
  });
  const created = [...new Set(json.match(/"00[0-9a-f]{64}"/g))];
  const numbered = created.reduce((text, id, index) => text.replaceAll(id, `"created ${index}"`), json);
  return numbered
    .replaceAll(`${metadata.preparationTime}`, 'now')
    .replaceAll(metadata.transactionUuid, 'uuid');
}

/** The part of that JSON that the kinds touch. */
interface Content {
  readonly transaction: {
    readonly roots: string[];
    readonly nodes: { versionedNode: { v1: { nodeType: { exercise: { children: string[] } } } } }[];
    readonly nodeSeeds: unknown[];
  };
  readonly metadata: {
    submitterInfo: { actAs: string[]; commandId: string };
    synchronizerId: string;
    maxRecordTime?: string;
    inputContracts: { eventBlob: string }[];
  };
}

/** Takes back what each kind has done; what is left is the honest transaction. */
const undo: Record<Exclude<What, 'hash'>, (tampered: Content, honest: Content) => void> = {
  receiver: renaming('mallory', 'bob'),
  change: renaming('mallory', 'alice'),
  amount: (it) =>
    replacing(it, [
      ['3.5000000001', '3.5000000000'],
      ['6.4999999999', '6.5000000000'],
    ]),
  instrument: (it) => replacing(it, [['DEMO2', 'DEMO']]),
  extraNode: (it) => dropNodes(it, 1, 1),
  promise: (it) => dropNodes(it, 1, 1),
  extraInput: (it, honest) => {
    dropNodes(it, 2, 1);
    dropContract(it, honest);
  },
  extraRoot: (it, honest) => {
    it.transaction.roots.pop();
    it.transaction.nodes.splice(-4);
    it.transaction.nodeSeeds.splice(-3);
    dropContract(it, honest);
  },
  noMaxRecordTime: (it) => {
    it.metadata.maxRecordTime ??= `${bound}`;
  },
  lateMaxRecordTime: (it) => {
    if (Number(it.metadata.maxRecordTime) > bound) it.metadata.maxRecordTime = `${bound}`;
  },
  commandId: (it) => {
    it.metadata.submitterInfo.commandId = 'c1';
  },
  otherParty: (it, honest) => {
    it.metadata.submitterInfo.actAs = honest.metadata.submitterInfo.actAs;
  },
  synchronizer: (it, honest) => {
    it.metadata.synchronizerId = honest.metadata.synchronizerId;
  },
};

function replacing(json: Content, pairs: readonly (readonly [string, string])[]): void {
  const text = pairs.reduce(
    (sum, [from, to]) => sum.replaceAll(`"${from}"`, `"${to}"`),
    JSON.stringify(json),
  );
  Object.assign(json, JSON.parse(text));
}

function renaming(from: string, to: string) {
  return (json: Content, honest: Content) => {
    const party = new RegExp(`${from}::[0-9a-f]+`, 'g');
    const name = new RegExp(`${to}::[0-9a-f]+`).exec(JSON.stringify(honest))?.[0] ?? '';
    const renamed = JSON.parse(JSON.stringify(json).replaceAll(party, name), (key, value) =>
      key === 'stakeholders' ? (value as string[]).sort() : (value as unknown),
    );
    Object.assign(json, renamed);
  };
}

function dropNodes({ transaction }: Content, count: number, seeds: number): void {
  transaction.nodes.splice(-count);
  transaction.nodes[0]?.versionedNode.v1.nodeType.exercise.children.splice(-count);
  transaction.nodeSeeds.splice(-seeds);
}

function dropContract({ metadata }: Content, honest: Content): void {
  const known = new Set(honest.metadata.inputContracts.map((it) => it.eventBlob));
  metadata.inputContracts = metadata.inputContracts.filter((it) => known.has(it.eventBlob));
}

test('each kind differs where it says and nowhere else, and the official package confirms its hash', async (t) => {
  const on = await externalStage(t);
  const honest = await on.external.prepare(spec(on), { maxRecordTime: bound });
  t.is(content(await on.external.prepare(spec(on), { maxRecordTime: bound })), content(honest));
  for (const [what, takeBack] of Object.entries(undo)) {
    const prepared = await tampered(on, what as What);
    t.is(told(prepared), await hashOf(prepared), what);
    const json: Content = JSON.parse(content(prepared));
    const reference: Content = JSON.parse(content(honest));
    t.notDeepEqual(json, reference, what);
    takeBack(json, reference);
    t.deepEqual(json, reference, what);
  }
  const lying = await tampered(on, 'hash');
  t.not(told(lying), await hashOf(lying));
  t.is(content(lying), content(honest));
});

test('whoever signs without looking loses money, and the log says what he signed', async (t) => {
  const on = await externalStage(t);
  await on.external.execute(await tampered(on, 'receiver'), on.signer);
  t.is(on.sandbox.balances(on.bob).DEMO, undefined);
  const [entry] = on.sandbox.audit.entries;
  t.regex(entry?.transfer?.receiver ?? '', /^mallory::/);
  t.is(on.sandbox.balances(entry?.transfer?.receiver ?? '').DEMO?.amount, '3.5000000000');
});

test('what a real ledger would never take is refused when it is executed', async (t) => {
  const on = await externalStage(t);
  for (const [what, reason] of [
    ['hash', 'FAILED_TO_EXECUTE_TRANSACTION'],
    ['extraRoot', 'FAILED_TO_EXECUTE_TRANSACTION'],
    ['otherParty', 'FAILED_TO_EXECUTE_TRANSACTION'],
    ['synchronizer', 'INVALID_PRESCRIBED_SYNCHRONIZER_ID'],
  ] as const) {
    const error = await failing(on.external.execute(await tampered(on, what), on.signer));
    t.is(toldByError(error)?.errorInfo?.reason, reason, what);
  }
});
