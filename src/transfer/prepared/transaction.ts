// A prepared transaction as its bytes define it: every field that a hash covers, and nothing else. Names and numbers
// are the Ledger API's (interactive_submission_service.proto, interactive_submission_data.proto, value.proto),
// including contract keys, which came with 3.5.
import {
  bool,
  bytes,
  field,
  int32,
  type Message,
  message,
  oneOf,
  optional,
  Reader,
  repeated,
  sfixed64,
  sint64,
  string,
  type Type,
  uint32,
  uint64,
  WireError,
} from './wire.js';

const text = (number: number) => field(number, string, '');
const texts = (number: number) => repeated(number, string);

const identifier = message({ packageId: text(1), moduleName: text(2), entityName: text(3) });
export type Identifier = Message<{ packageId: Text; moduleName: Text; entityName: Text }>;
type Text = ReturnType<typeof text>;

/** Timestamps are microseconds, dates days, since 1970. */
export type Value =
  | { readonly kind: 'unit'; readonly value: object }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int64'; readonly value: bigint }
  | { readonly kind: 'timestamp'; readonly value: bigint }
  | { readonly kind: 'date'; readonly value: number }
  | { readonly kind: 'numeric'; readonly value: string }
  | { readonly kind: 'party'; readonly value: string }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'contractId'; readonly value: string }
  | { readonly kind: 'optional'; readonly value: { readonly value: Value | undefined } }
  | { readonly kind: 'list'; readonly value: { readonly elements: readonly Value[] } }
  | { readonly kind: 'textMap'; readonly value: { readonly entries: readonly TextMapEntry[] } }
  | { readonly kind: 'genMap'; readonly value: { readonly entries: readonly GenMapEntry[] } }
  | { readonly kind: 'record'; readonly value: RecordValue }
  | { readonly kind: 'variant'; readonly value: VariantValue }
  | { readonly kind: 'enum'; readonly value: EnumValue };
export interface TextMapEntry {
  readonly key: string;
  readonly value: Value | undefined;
}
export interface GenMapEntry {
  readonly key: Value | undefined;
  readonly value: Value | undefined;
}
export interface RecordValue {
  readonly recordId: Identifier | undefined;
  readonly fields: readonly { readonly label: string; readonly value: Value | undefined }[];
}
export interface VariantValue {
  readonly variantId: Identifier | undefined;
  readonly constructorName: string;
  readonly value: Value | undefined;
}
export interface EnumValue {
  readonly enumId: Identifier | undefined;
  readonly constructorName: string;
}

/** Values contain values; `anyValue` exists by the time this is called. */
const value: Type<Value> = { wire: string.wire, read: (reader) => anyValue.read(reader) };
const anyValue = oneOf('a value', {
  unit: [1, message({})],
  bool: [2, bool],
  int64: [3, sint64],
  date: [4, int32],
  timestamp: [5, sfixed64],
  numeric: [6, string],
  party: [7, string],
  text: [8, string],
  contractId: [9, string],
  optional: [10, message({ value: optional(1, value) })],
  list: [11, message({ elements: repeated(1, value) })],
  textMap: [12, message({ entries: repeated(1, message({ key: text(1), value: optional(2, value) })) })],
  genMap: [
    13,
    message({ entries: repeated(1, message({ key: optional(1, value), value: optional(2, value) })) }),
  ],
  record: [
    14,
    message({
      recordId: optional(1, identifier),
      fields: repeated(2, message({ label: text(1), value: optional(2, value) })),
    }),
  ],
  variant: [
    15,
    message({ variantId: optional(1, identifier), constructorName: text(2), value: optional(3, value) }),
  ],
  enum: [16, message({ enumId: optional(1, identifier), constructorName: text(2) })],
});

const key = message({
  key: optional(
    1,
    message({
      templateId: optional(1, identifier),
      packageName: text(2),
      key: optional(3, value),
      hash: field<Uint8Array>(4, bytes, new Uint8Array()),
    }),
  ),
  maintainers: texts(2),
});
export type Key = ReturnType<typeof key.read>;

const create = message({
  lfVersion: text(1),
  contractId: text(2),
  packageName: text(3),
  templateId: optional(4, identifier),
  argument: optional(5, value),
  signatories: texts(6),
  stakeholders: texts(7),
  key: optional(8, key),
});
export type Create = ReturnType<typeof create.read>;

const fetch = message({
  lfVersion: text(1),
  contractId: text(2),
  packageName: text(3),
  templateId: optional(4, identifier),
  signatories: texts(5),
  stakeholders: texts(6),
  actingParties: texts(7),
  interfaceId: optional(8, identifier),
  key: optional(9, key),
  byKey: field(10, bool, false),
});
export type Fetch = ReturnType<typeof fetch.read>;

const exercise = message({
  lfVersion: text(1),
  contractId: text(2),
  packageName: text(3),
  templateId: optional(4, identifier),
  signatories: texts(5),
  stakeholders: texts(6),
  actingParties: texts(7),
  interfaceId: optional(8, identifier),
  choiceId: text(9),
  chosenValue: optional(10, value),
  consuming: field(11, bool, false),
  children: texts(12),
  exerciseResult: optional(13, value),
  choiceObservers: texts(14),
  key: optional(15, key),
  byKey: field(16, bool, false),
  /** Only in development protocols, which other schemes hash. */
  externalCallResults: repeated(17, bytes),
});
export type Exercise = ReturnType<typeof exercise.read>;

const rollback = message({ children: texts(1) });
export type Rollback = ReturnType<typeof rollback.read>;

const queryByKey = message({
  lfVersion: text(1),
  packageName: text(2),
  templateId: optional(3, identifier),
  exhaustive: field(4, bool, false),
  key: optional(5, key),
  result: texts(6),
});
export type QueryByKey = ReturnType<typeof queryByKey.read>;

const node = message({
  nodeId: text(1),
  v1: optional(
    1000,
    oneOf('a node', {
      create: [1, create],
      fetch: [2, fetch],
      exercise: [3, exercise],
      rollback: [4, rollback],
      queryByKey: [5, queryByKey],
    }),
  ),
});
export type TransactionNode = ReturnType<typeof node.read>;

const transaction = message({
  version: text(1),
  roots: texts(2),
  nodes: repeated(3, node),
  nodeSeeds: repeated(
    4,
    message({ nodeId: field(1, int32, 0), seed: field<Uint8Array>(2, bytes, new Uint8Array()) }),
  ),
});
export type DamlTransaction = ReturnType<typeof transaction.read>;

const metadata = message({
  submitterInfo: optional(2, message({ actAs: texts(1), commandId: text(2) })),
  synchronizerId: text(3),
  mediatorGroup: field(4, uint32, 0),
  transactionUuid: text(5),
  preparationTime: field(6, uint64, 0n),
  inputContracts: repeated(7, message({ v1: optional(1, create), createdAt: field(1000, uint64, 0n) })),
  minLedgerEffectiveTime: optional(9, uint64),
  maxLedgerEffectiveTime: optional(10, uint64),
  maxRecordTime: optional(11, uint64),
});
export type Metadata = ReturnType<typeof metadata.read>;

const prepared = message({ transaction: optional(1, transaction), metadata: optional(2, metadata) });

export interface PreparedTransaction {
  readonly transaction: DamlTransaction;
  readonly metadata: Metadata;
}

/** The `bytes` of a PreparedTransaction message. Throws a WireError if they are not one. */
export function readPrepared(bytes: Uint8Array): PreparedTransaction {
  const { transaction, metadata } = prepared.parse(Reader.of(bytes));
  if (transaction === undefined || metadata === undefined) throw new WireError('half of it is missing');
  return { transaction, metadata };
}
