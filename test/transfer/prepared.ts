// Prepared transactions as a participant makes them, of the official types: our own token's, and a registry's.
import {
  type DamlTransaction_Node as Node,
  PreparedTransaction,
  type Value,
} from '@canton-network/core-ledger-proto';
import { hashPreparedTransaction } from '@canton-network/core-tx-visualizer';
import type { TxHash } from '../../src/core/ids.js';
import type { Prepared, TransferFactory } from '../../src/core/transfer.js';
import type { Expected } from '../../src/transfer/inspect.js';
import { preparedHash } from '../../src/transfer/prepared-hash.js';
import {
  ALICE,
  ASKED,
  BOB,
  type Contract,
  create,
  event,
  ISSUER,
  instrument,
  NOW,
  ownHolding,
  sharedFields,
  UNIT,
} from './prepared-contracts.js';
import { type, v } from './prepared-values.js';

export type Step =
  | { readonly create: Contract }
  | { readonly fetch: Contract }
  | {
      readonly exercise: Contract;
      readonly choice: string;
      readonly consuming: boolean;
      readonly by: string[];
    };

export const archive = (contract: Contract, by: string[]): Step => ({
  exercise: contract,
  choice: 'Archive',
  consuming: true,
  by,
});

export interface Scenario {
  readonly expected: Expected;
  readonly factory: Contract;
  readonly inputs: readonly Contract[];
  readonly steps: readonly Step[];
  /** What the choice returns; that everything was done where it is left out. */
  readonly result?: Value;
}

/** Every field that a participant fills is filled: what is not there could not be tampered with. */
export function messageOf({
  expected,
  factory,
  inputs,
  steps,
  result = completed(),
}: Scenario): PreparedTransaction {
  const { terms } = expected;
  const nodes: Node[] = steps.map((step, index) => ({
    nodeId: `${index + 1}`,
    versionedNode: { oneofKind: 'v1', v1: { nodeType: nodeOf(step) } },
  }));
  const root: Node = {
    nodeId: '0',
    versionedNode: {
      oneofKind: 'v1',
      v1: {
        nodeType: {
          oneofKind: 'exercise',
          exercise: {
            ...sharedFields(factory),
            actingParties: [terms.sender],
            interfaceId: type('Splice.Api.Token.TransferInstructionV1', 'TransferFactory'),
            choiceId: 'TransferFactory_Transfer',
            chosenValue: argumentOf(expected),
            consuming: false,
            children: nodes.map(({ nodeId }) => nodeId),
            exerciseResult: result,
            choiceObservers: [],
          },
        },
      },
    },
  };
  const all = [root, ...nodes];
  return {
    transaction: {
      version: '2.1',
      roots: ['0'],
      nodes: all,
      nodeSeeds: all.flatMap(({ nodeId, versionedNode }) =>
        versionedNode.oneofKind === 'v1' && versionedNode.v1.nodeType.oneofKind === 'fetch'
          ? []
          : [{ nodeId: Number(nodeId), seed: Buffer.alloc(32, Number(nodeId) + 1) }],
      ),
    },
    metadata: {
      submitterInfo: { actAs: [terms.sender], commandId: expected.commandId },
      synchronizerId: expected.synchronizerId,
      mediatorGroup: 0,
      transactionUuid: '3b8f5f2e-8a0c-4f7e-9c1d-2f6a7b8c9d0e',
      preparationTime: NOW,
      inputContracts: [factory, ...inputs].map((contract) => ({
        contract: { oneofKind: 'v1', v1: create(contract) },
        createdAt: NOW - 1_000_000n,
        eventBlob: Buffer.from(`blob of ${contract.id}`),
      })),
      minLedgerEffectiveTime: NOW,
      maxLedgerEffectiveTime: NOW,
      globalKeyMapping: [],
      maxRecordTime: expected.askedMaxRecordTime,
    },
  };
}

export type NodeType = Extract<Node['versionedNode'], { oneofKind: 'v1' }>['v1']['nodeType'];

export function nodeOf(step: Step): NodeType {
  if ('create' in step) return { oneofKind: 'create', create: create(step.create) };
  if ('fetch' in step) {
    return { oneofKind: 'fetch', fetch: { ...sharedFields(step.fetch), actingParties: [ISSUER] } };
  }
  const exercise = {
    ...sharedFields(step.exercise),
    actingParties: step.by,
    choiceId: step.choice,
    chosenValue: v.record({}),
    consuming: step.consuming,
    children: [],
    exerciseResult: { sum: { oneofKind: 'unit', unit: {} } } as Value,
    choiceObservers: [],
  };
  return { oneofKind: 'exercise', exercise };
}

const noMetadata = v.record({ values: v.map() });

/** `TransferInstructionResult`, and what was burned on the way. */
const resultOf = (tag: string, content: Value, burned?: string): Value =>
  v.record({
    output: v.variant(`TransferInstructionResult_${tag}`, content),
    senderChangeCids: v.list([]),
    meta: v.record({
      values: v.map(burned === undefined ? {} : { 'splice.lfdecentralizedtrust.org/burned': v.text(burned) }),
    }),
  });
export const completed = (burned?: string): Value =>
  resultOf('Completed', v.record({ receiverHoldingCids: v.list([v.id('00d1')]) }), burned);
export const pending = (instruction: string, burned?: string): Value =>
  resultOf('Pending', v.record({ transferInstructionCid: v.id(instruction) }), burned);

function argumentOf({ terms, factory }: Expected): Value {
  const context =
    factory.kind === 'own'
      ? v.map()
      : v.map({ 'utility.app/rule': v.variant('AV_ContractId', v.id('00b1')) });
  return v.record({
    expectedAdmin: v.party(terms.admin),
    transfer: transferOf(terms),
    extraArgs: v.record({ context: v.record({ values: context }), meta: noMetadata }),
  });
}

export const transferOf = (terms: Expected['terms'], holdings: readonly string[] = terms.holdings): Value =>
  v.record({
    sender: v.party(terms.sender),
    receiver: v.party(terms.receiver),
    amount: v.numeric(terms.amount),
    instrumentId: instrument(terms.admin, terms.instrumentId),
    requestedAt: v.time(terms.requestedAt),
    executeBefore: v.time(terms.executeBefore),
    inputHoldingCids: v.list(holdings.map(v.id)),
    meta: noMetadata,
  });

export const expecting = (admin: string, instrumentId: string, factory: TransferFactory): Expected => ({
  terms: {
    sender: ALICE,
    receiver: BOB,
    admin,
    instrumentId,
    amount: 5n * UNIT,
    holdings: ['00c1', '00c2'],
    requestedAt: NOW - 5_000_000n,
    executeBefore: NOW + 86_400_000_000n,
  },
  commandId: `0x${'ab'.repeat(32)}` as TxHash,
  factory,
  synchronizerId: 'sync::1220bb',
  askedMaxRecordTime: ASKED,
  issuerParty: ISSUER,
});

/** Alice has 4 and 3 of our own token, and pays 5 of them to Bob. */
export function ownScenario(): Scenario {
  const factory: Contract = {
    id: '00fa',
    template: ['CIP56.TransferFactory', 'CIP56TransferFactory'],
    signatories: [ISSUER],
    stakeholders: [ISSUER],
    argument: v.record({ admin: v.party(ISSUER), auditObservers: v.list([]) }),
  };
  const inputs = [ownHolding('00c1', ALICE, 4n * UNIT), ownHolding('00c2', ALICE, 3n * UNIT)];
  return {
    expected: expecting(ISSUER, 'DEMO', { kind: 'own', contractId: '00fa' }),
    factory,
    inputs,
    steps: [
      ...inputs.flatMap((input): Step[] => [{ fetch: input }, archive(input, [ISSUER])]),
      { create: ownHolding('00d1', BOB, 5n * UNIT) },
      { create: ownHolding('00d2', ALICE, 2n * UNIT) },
      { create: event() },
    ],
  };
}

/** What a participant answers: its bytes, and the hash of their content. V2 by the official package. */
export async function seal(message: PreparedTransaction, scheme: 2 | 3 = 2): Promise<Prepared> {
  const transaction = PreparedTransaction.toBinary(message);
  const hash =
    scheme === 2
      ? Buffer.from(await hashPreparedTransaction(message, 'hex'), 'hex')
      : preparedHash(transaction, scheme);
  return { transaction, hash, scheme, askedScheme: scheme };
}
