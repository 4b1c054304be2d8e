// TransferFactory_Transfer in a utility registry. Its rules are a contract that only the registrar sees, so the
// caller has to name it in the choice context and disclose it. They say whether a transfer moves the money directly
// or makes an offer. Time is compared, not read, so only a maximum record time bounds a transaction.

import type { Micros } from '../clock.js';
import { type AnyValue, lookUp, type TextMap } from './any-value.js';
import { type Contracts, fetch, require, wronglyTyped } from './checks.js';
import {
  type Holding,
  type InstrumentId,
  type InstrumentRules,
  lockEnds,
  offerKind,
  type Payload,
  type Transfer,
  withLock,
} from './contracts.js';

const PREFIX = 'utility.digitalasset.com';
const RULES = `${PREFIX}/instrument-configuration`;
/** What holders of a token would have to present; here nobody has to present anything. */
const CREDENTIALS = [`${PREFIX}/sender-credentials`, `${PREFIX}/receiver-credentials`] as const;

/** What the registry tells anyone who asks how to transfer. */
export function choiceContext(rulesId: string): TextMap<AnyValue> {
  return [
    [RULES, { tag: 'AV_ContractId', value: rulesId }],
    ...CREDENTIALS.map((key) => [key, { tag: 'AV_List', value: [] }] as const),
  ];
}

export type TransferKind = 'direct' | 'self' | 'offer';

export function transferKind(
  { sender, receiver }: Pick<Transfer, 'sender' | 'receiver'>,
  { transfers }: InstrumentRules,
): TransferKind {
  if (sender === receiver) return 'self';
  return transfers === 'offer' ? 'offer' : 'direct';
}

/** What the inputs become. */
export interface Pieces {
  readonly receiver: Holding;
  /** One holding, or none if nothing is left. */
  readonly change: readonly Holding[];
  /** When the last lock on an input ended; 0 if there was none. */
  readonly lockedUntil: Micros;
}

interface RegistryEffects {
  /** Absent: all inputs. */
  readonly archived?: readonly string[];
  readonly fetched: readonly string[];
  readonly created: readonly Payload[];
  readonly bounds: { readonly min: number; readonly max: number };
}

export function transferInRegistry(
  { transfer, context }: { readonly transfer: Transfer; readonly context: TextMap<AnyValue> },
  contracts: Contracts,
  { receiver, change, lockedUntil }: Pieces,
): RegistryEffects {
  const rulesId = entry(context, RULES, 'AV_ContractId');
  for (const key of CREDENTIALS) entry(context, key, 'AV_List');
  const rules = fetch(rulesId, contracts);
  if (rules.kind !== 'utilityRules') return wronglyTyped(rulesId, 'InstrumentConfiguration');
  require(rules.registrar === receiver.issuer &&
    sameInstrument(rules.instrumentId, transfer.instrumentId), 'instrument configuration: wrong instrument');
  const bounds = { min: Math.max(transfer.requestedAt, lockedUntil), max: transfer.executeBefore - 1 };
  const fetched = [rulesId];
  if (rules.transfers === 'fails') return { fetched, bounds, archived: [], created: [] };
  if (transferKind(transfer, rules) !== 'offer') return { fetched, bounds, created: [receiver, ...change] };
  const { registrar } = rules;
  // Such locks end with the offer, if the template has a field for that; in a utility registry, the receiver sees the
  // holding.
  const more =
    lockEnds[receiver.kind] === 'none'
      ? { observers: [transfer.receiver] }
      : { expiresAt: transfer.executeBefore };
  const lock = { holders: [registrar], ...more, context: `transfer to '${transfer.receiver}'` };
  const locked = withLock({ ...receiver, owner: transfer.sender }, lock);
  return {
    fetched,
    bounds,
    created: [locked, ...change, { kind: offerKind(receiver), registrar, transfer }],
  };
}

type ValueOf<Tag extends AnyValue['tag']> = Extract<AnyValue, { tag: Tag }>['value'];

function entry<Tag extends 'AV_ContractId' | 'AV_List'>(
  context: TextMap<AnyValue>,
  key: string,
  tag: Tag,
): ValueOf<Tag> {
  const value = lookUp(context, key);
  require(value !== undefined, `Missing context entry for: ${key}`);
  require(value.tag === tag, `Context entry ${key}: expected ${tag}`);
  return value.value as ValueOf<Tag>;
}

function sameInstrument(one: InstrumentId, other: InstrumentId): boolean {
  return one.admin === other.admin && one.id === other.id;
}
