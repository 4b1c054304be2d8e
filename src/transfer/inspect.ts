/**
 * Look before you sign: what the participant prepared is the transfer that was asked for, and nothing else. A signature
 * moves money wherever the bytes say, so they are read here, by the official package's own decoder, and what is signed
 * is the hash that is computed here from what was read.
 */
import { decodePreparedTransaction, hashPreparedTransaction } from '@canton-network/core-tx-visualizer';
import type { Micros, TxHash } from '../core/ids.js';
import type { Prepared, TransferFactory, TransferTerms } from '../core/transfer.js';
import { rootFault } from './inspect/argument.js';
import { spentOf } from './inspect/holdings.js';
import { metadataFault } from './inspect/metadata.js';
import { ownFault } from './inspect/own.js';
import { registryFault } from './inspect/registry.js';
import { sceneOf } from './inspect/scene.js';
import { treeOf } from './inspect/tree.js';

export interface Expected {
  readonly terms: TransferTerms;
  readonly commandId: TxHash;
  readonly factory: TransferFactory;
  readonly synchronizerId: string;
  readonly askedMaxRecordTime: Micros;
  readonly issuerParty: string;
}

export type Inspection =
  /** `hash` is ours, and is what a key may sign. */
  | { readonly kind: 'ok'; readonly hash: Uint8Array; readonly maxRecordTime: Micros }
  /** No signature: the row parks. `WHAT: detail`, for people. */
  | { readonly kind: 'tampered'; readonly reason: string };

/** `HashingSchemeVersion` V2, the only one that can be computed here. */
const V2 = 2;
/** As much as a participant takes in one message by default: more could not be executed either. */
const MAX_BYTES = 10 * 1024 * 1024;
const REASON_MAX = 300;

/** Never throws, whatever the bytes: what cannot be read is not signed. */
export async function inspectPrepared(prepared: Prepared, expected: Expected): Promise<Inspection> {
  try {
    return await inspect(prepared, expected);
  } catch (error) {
    return tampered(
      `transaction: it cannot be read (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

async function inspect(prepared: Prepared, expected: Expected): Promise<Inspection> {
  const { terms, factory } = expected;
  if (prepared.scheme !== V2) return tampered(`hash: of scheme ${prepared.scheme}, where V2 was asked for`);
  if (prepared.transaction.length > MAX_BYTES)
    return tampered(`transaction: ${prepared.transaction.length} bytes`);
  const decoded = decode(prepared);
  const { transaction, metadata } = decoded;
  if (transaction === undefined || metadata === undefined)
    return tampered('transaction: half of it is missing');

  const wrong = metadataFault(metadata, {
    sender: terms.sender,
    commandId: expected.commandId,
    synchronizerId: expected.synchronizerId,
    askedMaxRecordTime: expected.askedMaxRecordTime,
    readsTime: factory.kind === 'own',
  });
  if (wrong !== null) return tampered(wrong);
  const tree = treeOf(transaction);
  if (tree.kind === 'fault') return tampered(tree.reason);
  const otherwise = rootFault(tree.root, terms, factory);
  if (otherwise !== null) return tampered(otherwise);
  const scene = sceneOf(tree, metadata);
  if (scene.kind === 'fault') return tampered(scene.reason);
  const spent = spentOf(scene, terms);
  if (spent.kind === 'fault') return tampered(spent.reason);
  const effect =
    factory.kind === 'own'
      ? ownFault(scene, spent, terms, expected.issuerParty)
      : registryFault(scene, spent, terms, factory.transferKind);
  if (effect !== null) return tampered(effect);

  const hash = Buffer.from(await hashPreparedTransaction(decoded, 'hex'), 'hex');
  if (Buffer.compare(hash, prepared.hash) !== 0) {
    return tampered(
      `hash: ${Buffer.from(prepared.hash).toString('hex')}, where its content has ${hash.toString('hex')}`,
    );
  }
  const { maxRecordTime } = metadata;
  return maxRecordTime === undefined
    ? tampered('max_record_time: absent')
    : { kind: 'ok', hash, maxRecordTime };
}

/**
 * The bound alone, where an operator has switched the inspection off: without it, or past what was asked for, nothing
 * is signed even then (rule 2). Null where there is none to be read.
 */
export function readBound(prepared: Prepared): Micros | null {
  try {
    return decode(prepared).metadata?.maxRecordTime ?? null;
  } catch {
    return null;
  }
}

const decode = ({ transaction }: Prepared) =>
  decodePreparedTransaction(Buffer.from(transaction).toString('base64'));

function tampered(reason: string): Inspection {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a row could not hold them
  return { kind: 'tampered', reason: reason.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, REASON_MAX) };
}
