/**
 * Look before you sign: checks that what the participant prepared is the transfer that was asked for, and nothing
 * else. A signature moves whatever money the bytes say, so the bytes are read here, and the hash that is signed is
 * computed here from what was read.
 */
import type { Micros, TxHash } from '../core/ids.js';
import type { HoldingLayout } from '../core/token.js';
import type { Prepared, TransferFactory, TransferTerms } from '../core/transfer.js';
import { withoutControls } from '../core/words.js';
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
  /** How the token's holdings are laid out, if TOKENS_FILE describes it. */
  readonly layout?: HoldingLayout | undefined;
}

export type Inspection =
  /** `hash` was computed here; it is the one to sign. */
  | { readonly kind: 'ok'; readonly hash: Uint8Array; readonly maxRecordTime: Micros }
  /** Do not sign: the row parks. `WHAT: detail`, for people. */
  | { readonly kind: 'tampered'; readonly reason: string }
  /** Cannot be signed yet, and nobody is to blame: says what has to be done first. */
  | { readonly kind: 'unsignable'; readonly reason: string }
  /** Cannot be signed now: the participant's clock is far ahead of the database's, which affects every row. */
  | { readonly kind: 'clocks-apart'; readonly reason: string };

/**
 * The default size limit of a participant's messages, plus room for each input in case an operator has raised it. A
 * transfer is far smaller; anything larger is not worth reading.
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

/** The advice if V2 cannot hash a token's transactions. */
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
  // From protocol version 35 on the id is a physical one, and a synchronizer that has it supports V3.
  if (scheme < prepared.askedScheme && metadata.synchronizerId !== expected.synchronizerId)
    return tampered(`hash: of scheme V${scheme}, where V${prepared.askedScheme} was asked for`);
  const tree = treeOf(transaction, terms.holdings.length);
  if (tree.kind === 'fault') return tampered(tree.reason);
  const otherwise = rootFault(tree.root, terms, factory);
  if (otherwise !== null) return tampered(otherwise);
  const scene = sceneOf(tree, metadata);
  if (scene.kind === 'fault') return tampered(scene.reason);
  const layouts = factory.kind === 'own' ? [OWN] : layoutsOf(expected.layout, terms.instrumentId);
  // Never later than the ledger time: a factory that accepts an expired lock may leave the lock's end as the only
  // minimum.
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
    ? `HOLDING_UNKNOWN: an input is a ${template}, which is not a holding of our issuer's package: check CIP56_PACKAGE`
    : `HOLDING_UNKNOWN: an input is a ${template}, whose fields are not known: describe them in TOKENS_FILE ("holding"), then replay`;

/**
 * The bound alone, for when an operator has switched the inspection off: even then nothing is signed without a bound,
 * or with one past what was asked for (rule 2). Null if it cannot be read.
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

const forPeople = (text: string): string => withoutControls(text).slice(0, REASON_MAX);
