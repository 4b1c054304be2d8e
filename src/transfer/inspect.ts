/**
 * Look before you sign: what the participant prepared is the transfer that was asked for, and nothing else. A signature
 * moves money wherever the bytes say, so they are read here, and what is signed is the hash that is computed here from
 * what was read.
 */
import type { Micros, TxHash } from '../core/ids.js';
import type { HoldingLayout } from '../core/token.js';
import type { Prepared, TransferFactory, TransferTerms } from '../core/transfer.js';
import { rootFault } from './inspect/argument.js';
import { spentOf } from './inspect/holdings.js';
import { layoutsOf, OWN } from './inspect/layouts.js';
import { metadataFault } from './inspect/metadata.js';
import { ownFault } from './inspect/own.js';
import { registryFault } from './inspect/registry.js';
import { sceneOf } from './inspect/scene.js';
import { treeOf } from './inspect/tree.js';
import { readPrepared } from './prepared/transaction.js';
import { type HashingScheme, hashOf, UnhashableError } from './prepared-hash.js';

export interface Expected {
  readonly terms: TransferTerms;
  readonly commandId: TxHash;
  readonly factory: TransferFactory;
  readonly synchronizerId: string;
  readonly askedMaxRecordTime: Micros;
  readonly issuerParty: string;
  /** Of the token's holdings, where TOKENS_FILE describes them. */
  readonly layout?: HoldingLayout | undefined;
}

export type Inspection =
  /** `hash` is ours, and is what a key may sign. */
  | { readonly kind: 'ok'; readonly hash: Uint8Array; readonly maxRecordTime: Micros }
  /** No signature: the row parks. `WHAT: detail`, for people. */
  | { readonly kind: 'tampered'; readonly reason: string }
  /** No signature, and nobody's fault: what is to be done before there can be one. */
  | { readonly kind: 'unsignable'; readonly reason: string }
  /** No signature now: the participant's clock is far ahead of the database's, which is every row's trouble. */
  | { readonly kind: 'clocks-apart'; readonly reason: string };

/**
 * As much as a participant takes in one message by default, and more for each input, where an operator has it take more:
 * far beyond what a transfer is, and nothing is worth reading there.
 */
const BYTES_AT_ALL = 10 * 1024 * 1024;
const BYTES_AN_INPUT = 64 * 1024;
const REASON_MAX = 300;

/** Never throws, whatever the bytes: what cannot be read is not signed. */
export function inspectPrepared(prepared: Prepared, expected: Expected): Inspection {
  try {
    return inspect(prepared, expected);
  } catch (error) {
    if (error instanceof UnhashableError && error.needsV3)
      return unsignable(`SCHEME: ${error.message}; ${ONLY_V3}`);
    return tampered(
      `transaction: it cannot be read (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

/** Said where V2 cannot hash what a token is made of. */
export const ONLY_V3 =
  'only V3 signs transfers of this token: the synchronizer needs protocol version 35, the participant 3.5. Then replay';

function inspect(prepared: Prepared, expected: Expected): Inspection {
  const { terms, factory } = expected;
  const { scheme } = prepared;
  if (!isScheme(scheme)) return tampered(`hash: of scheme ${scheme}, which was not asked for`);
  if (prepared.transaction.length > BYTES_AT_ALL + terms.holdings.length * BYTES_AN_INPUT)
    return tampered(`transaction: ${prepared.transaction.length} bytes`);
  const read = readPrepared(prepared.transaction);
  const { transaction, metadata } = read;

  const wrong = metadataFault(metadata, {
    sender: terms.sender,
    commandId: expected.commandId,
    synchronizerId: expected.synchronizerId,
    askedMaxRecordTime: expected.askedMaxRecordTime,
    readsTime: factory.kind === 'own',
  });
  if (wrong !== null) return { kind: wrong.kind, reason: forPeople(wrong.reason) };
  // A physical id, which there is from protocol version 35 on: whoever has it, has V3.
  if (scheme < prepared.askedScheme && metadata.synchronizerId !== expected.synchronizerId)
    return tampered(`hash: of scheme V${scheme}, where V${prepared.askedScheme} was asked for`);
  const tree = treeOf(transaction, terms.holdings.length);
  if (tree.kind === 'fault') return tampered(tree.reason);
  const otherwise = rootFault(tree.root, terms, factory);
  if (otherwise !== null) return tampered(otherwise);
  const scene = sceneOf(tree, metadata);
  if (scene.kind === 'fault') return tampered(scene.reason);
  const layouts = factory.kind === 'own' ? [OWN] : layoutsOf(expected.layout, terms.instrumentId);
  // No later than its ledger time: a factory that takes a lock that has ended may leave nothing but its end as the minimum.
  const { minLedgerEffectiveTime: least = 0n, preparationTime } = metadata;
  let now = preparationTime;
  if (least > now) now = least;
  const spent = spentOf(scene, terms, layouts, now);
  if (spent.kind === 'fault') return tampered(spent.reason);
  if (spent.kind === 'undescribed') return unsignable(undescribed(spent.template, factory));
  const effect =
    factory.kind === 'own'
      ? ownFault(scene, spent, terms, expected.issuerParty)
      : registryFault(scene, spent, terms, factory.transferKind, layouts);
  if (effect !== null) return tampered(effect);

  const hash = hashOf(read, scheme);
  if (Buffer.compare(hash, prepared.hash) !== 0) {
    return tampered(
      `hash: ${Buffer.from(prepared.hash).toString('hex')}, where its content has ${Buffer.from(hash).toString('hex')}`,
    );
  }
  const { maxRecordTime } = metadata;
  return maxRecordTime === undefined
    ? tampered('max_record_time: absent')
    : { kind: 'ok', hash, maxRecordTime };
}

const isScheme = (scheme: number): scheme is HashingScheme => scheme === 2 || scheme === 3;

const undescribed = (template: string, { kind }: TransferFactory): string =>
  kind === 'own'
    ? `HOLDING_UNKNOWN: an input is a ${template}, which is no holding of our issuer's package`
    : `HOLDING_UNKNOWN: nothing here knows how a ${template} writes down what it holds: describe it in TOKENS_FILE ("holding"), then replay`;

/**
 * The bound alone, where an operator has switched the inspection off: without it, or past what was asked for, nothing
 * is signed even then (rule 2). Null where there is none to be read.
 */
export function readBound({ transaction }: Prepared): Micros | null {
  try {
    return readPrepared(transaction).metadata.maxRecordTime ?? null;
  } catch {
    return null;
  }
}

const unsignable = (advice: string): Inspection => ({ kind: 'unsignable', reason: forPeople(advice) });
const tampered = (reason: string): Inspection => ({ kind: 'tampered', reason: forPeople(reason) });

const forPeople = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a row could not hold them
  text.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, REASON_MAX);
