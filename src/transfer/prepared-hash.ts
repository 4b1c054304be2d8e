/**
 * The hash that an external party signs, in schemes V2 and V3, computed here from a prepared transaction's content:
 * what the participant says it is does not count. The rules are Canton's "external signing hashing algorithm" and its
 * reference implementation. A module of its own without state, because the sandbox uses it too. The vectors in
 * test/fixtures/prepared-hash*.json, which others computed, prove it.
 */
import { hash as digest } from 'node:crypto';
import { HashWriter } from './prepared/hash-writer.js';
import {
  type Create,
  type DamlTransaction,
  type Exercise,
  type Fetch,
  type Metadata,
  type PreparedTransaction,
  type QueryByKey,
  readPrepared,
  type TransactionNode,
} from './prepared/transaction.js';

/** `HashingSchemeVersion`. V3 exists from protocol version 35 on. */
export type HashingScheme = 2 | 3;

/** This content has no hash in this scheme; `needsV3`: it has one in V3. */
export class UnhashableError extends Error {
  constructor(
    message: string,
    readonly needsV3 = false,
  ) {
    super(message);
  }
}

/**
 * 32 bytes. `transaction`: a PreparedTransaction as its participant sent it. Throws a WireError if it is not one, an
 * UnhashableError if the scheme cannot cover it.
 */
export const preparedHash = (transaction: Uint8Array, scheme: HashingScheme): Uint8Array =>
  hashOf(readPrepared(transaction), scheme);

/** The same, for a transaction that has been read already. */
export function hashOf({ transaction, metadata }: PreparedTransaction, scheme: HashingScheme): Uint8Array {
  const writer = purposed();
  writer.byte(scheme);
  writer.raw(new TransactionHash(transaction, scheme).hash());
  writer.raw(metadataHash(metadata, scheme));
  return sha256(writer);
}

const sha256 = (writer: HashWriter): Uint8Array => digest('sha256', writer.written(), 'buffer');

const PREPARED_SUBMISSION = 0x30;
const V2 = 2;
/** In V2, precedes each node and the metadata. */
const ENCODING = 1;
const SEED_BYTES = 32;
/** The first serialization of Daml-LF; V2 supports no other. */
const FIRST_LF = '2.1';
const CREATE = 0;
const EXERCISE = 1;
const FETCH = 2;
const ROLLBACK = 3;
const QUERY_BY_KEY = 4;

function purposed(): HashWriter {
  const writer = new HashWriter();
  writer.int32(PREPARED_SUBMISSION);
  return writer;
}

function metadataHash(metadata: Metadata, scheme: HashingScheme): Uint8Array {
  const { actAs = [], commandId = '' } = metadata.submitterInfo ?? {};
  const writer = purposed();
  if (scheme === V2) writer.byte(ENCODING);
  writer.strings(actAs);
  writer.string(commandId);
  writer.string(metadata.transactionUuid);
  writer.int32(metadata.mediatorGroup);
  writer.string(metadata.synchronizerId);
  writer.optional(metadata.minLedgerEffectiveTime, (time) => writer.int64(time));
  writer.optional(metadata.maxLedgerEffectiveTime, (time) => writer.int64(time));
  writer.int64(metadata.preparationTime);
  writer.repeated(metadata.inputContracts, ({ v1, createdAt }) => {
    if (v1 === undefined) throw new UnhashableError('an input contract is of a version that is not known');
    writer.int64(createdAt);
    const contract = new HashWriter();
    writeCreate(contract, v1, undefined, scheme);
    writer.raw(sha256(contract));
  });
  if (scheme !== V2) writer.optional(metadata.maxRecordTime, (time) => writer.int64(time));
  return sha256(writer);
}

class TransactionHash {
  private readonly nodes: Map<string, TransactionNode>;
  private readonly seeds: ReadonlyMap<string, Uint8Array>;

  constructor(
    private readonly transaction: DamlTransaction,
    private readonly scheme: HashingScheme,
  ) {
    const { nodes, nodeSeeds } = transaction;
    this.nodes = new Map(nodes.map((node) => [node.nodeId, node]));
    this.seeds = new Map(nodeSeeds.map(({ nodeId, seed }) => [`${nodeId}`, seed]));
  }

  hash(): Uint8Array {
    const writer = purposed();
    writer.string(this.transaction.version);
    this.children(writer, this.transaction.roots);
    return sha256(writer);
  }

  private children(writer: HashWriter, ids: readonly string[]): void {
    writer.repeated(ids, (id) => writer.raw(this.node(id)));
  }

  /** Each node once: with a cycle, or a node with two parents, this would never end. */
  private node(id: string): Uint8Array {
    const node = this.nodes.get(id);
    if (node?.v1 === undefined) throw new UnhashableError(`node ${id} is not there, or has two parents`);
    this.nodes.delete(id);
    const writer = new HashWriter();
    switch (node.v1.kind) {
      case 'create':
        writeCreate(writer, node.v1.value, this.seeds.get(id), this.scheme);
        break;
      case 'exercise':
        this.exercise(writer, node.v1.value, this.seeds.get(id));
        break;
      case 'fetch':
        this.fetch(writer, node.v1.value);
        break;
      case 'rollback':
        if (this.scheme === V2) writer.byte(ENCODING);
        writer.byte(ROLLBACK);
        this.children(writer, node.v1.value.children);
        break;
      case 'queryByKey':
        this.queryByKey(writer, node.v1.value);
        break;
    }
    return sha256(writer);
  }

  private exercise(writer: HashWriter, exercise: Exercise, seed: Uint8Array | undefined): void {
    const { scheme } = this;
    if (seed === undefined) throw new UnhashableError(`the exercise of ${exercise.contractId} has no seed`);
    if (exercise.externalCallResults.length > 0)
      throw new UnhashableError('results of external calls are covered by no scheme before V4');
    begin(writer, exercise, EXERCISE, scheme);
    writer.raw(checkedSeed(seed));
    contractOf(writer, exercise);
    parties(writer, exercise);
    writer.strings(exercise.actingParties);
    writer.optional(exercise.interfaceId, (id) => writer.identifier(id));
    writer.string(exercise.choiceId);
    writer.value(exercise.chosenValue);
    writer.bool(exercise.consuming);
    writer.optional(exercise.exerciseResult, (result) => writer.value(result));
    writer.strings(exercise.choiceObservers);
    keyed(writer, exercise, scheme);
    this.children(writer, exercise.children);
  }

  private fetch(writer: HashWriter, fetch: Fetch): void {
    begin(writer, fetch, FETCH, this.scheme);
    contractOf(writer, fetch);
    parties(writer, fetch);
    writer.optional(fetch.interfaceId, (id) => writer.identifier(id));
    writer.strings(fetch.actingParties);
    keyed(writer, fetch, this.scheme);
  }

  private queryByKey(writer: HashWriter, query: QueryByKey): void {
    if (this.scheme === V2) throw new UnhashableError('V2 hashes no look-up by contract key', true);
    if (query.key === undefined) throw new UnhashableError('a look-up by contract key has no key');
    writer.string(query.lfVersion);
    writer.byte(QUERY_BY_KEY);
    writer.string(query.packageName);
    writer.identifier(query.templateId);
    writer.bool(query.exhaustive);
    writer.key(query.key);
    writer.repeated(query.result, (id) => writer.hex(id));
  }
}

/** An input contract is hashed like a create node without a seed. */
function writeCreate(
  writer: HashWriter,
  create: Create,
  seed: Uint8Array | undefined,
  scheme: HashingScheme,
): void {
  begin(writer, create, CREATE, scheme);
  writer.optional(seed, (bytes) => writer.raw(checkedSeed(bytes)));
  contractOf(writer, create);
  writer.value(create.argument);
  parties(writer, create);
  if (scheme === V2) withoutKey(create);
  else writer.optional(create.key, (key) => writer.key(key));
}

function begin(
  writer: HashWriter,
  { lfVersion }: { readonly lfVersion: string },
  kind: number,
  scheme: HashingScheme,
): void {
  if (scheme === V2) {
    if (lfVersion !== FIRST_LF) throw new UnhashableError(`V2 hashes no node of LF ${lfVersion}`, true);
    writer.byte(ENCODING);
  }
  writer.string(lfVersion);
  writer.byte(kind);
}

function contractOf(
  writer: HashWriter,
  { contractId, packageName, templateId }: Pick<Create, 'contractId' | 'packageName' | 'templateId'>,
): void {
  writer.hex(contractId);
  writer.string(packageName);
  writer.identifier(templateId);
}

function parties(
  writer: HashWriter,
  { signatories, stakeholders }: Pick<Create, 'signatories' | 'stakeholders'>,
): void {
  writer.strings(signatories);
  writer.strings(stakeholders);
}

function keyed(writer: HashWriter, node: Pick<Fetch, 'key' | 'byKey'>, scheme: HashingScheme): void {
  if (scheme === V2) {
    if (node.byKey) throw new UnhashableError('V2 hashes no use by contract key', true);
    withoutKey(node);
    return;
  }
  writer.bool(node.byKey);
  writer.optional(node.key, (key) => writer.key(key));
}

/** If it were left out of what is signed, it could be replaced. */
function withoutKey({ key }: Pick<Create, 'key'>): void {
  if (key !== undefined) throw new UnhashableError('V2 hashes no contract key', true);
}

/** Hashed without its length: with another length, what follows could be read in two ways. */
function checkedSeed(seed: Uint8Array): Uint8Array {
  if (seed.length !== SEED_BYTES) throw new UnhashableError(`a seed of ${seed.length} bytes`);
  return seed;
}
