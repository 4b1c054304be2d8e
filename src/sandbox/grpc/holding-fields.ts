// How registries' templates write their fields: as created events of real networks show them (a utility registry's,
// Canton Coin's), and deposits, which are made up as a template that only its registry knows.
import type { Value } from '#proto/com/daml/ledger/api/v2/value.js';
import { type Holding, type Lock, operatorOf, providerOf, type TransferOffer } from '../daml/contracts.js';
import type { DataType } from '../daml/packages.js';
import {
  contractId,
  integer,
  list,
  numeric,
  optional,
  party,
  partySet,
  text,
  timestamp,
} from './plain-values.js';

export type Fields = Readonly<Record<string, Value>>;
/** A record; without a type if its id is not known here. */
export type Nested = (type: DataType | undefined, fields: Fields) => Value;

/** The number of a round, and what an amulet loses per round; ignored here. */
const ROUND = '1';
const RATE = 38_051_800n;

/** In the token standard's view: what the template has no field for. */
export function viewMeta({ kind, meta }: Holding): [string, string][] {
  switch (kind) {
    case 'utilityHolding':
      return [['utility.digitalasset.com/holding-label', '']];
    case 'amulet':
    case 'lockedAmulet':
      return [
        ['amulet.splice.lfdecentralizedtrust.org/created-in-round', ROUND],
        ['amulet.splice.lfdecentralizedtrust.org/rate-per-round', '0.00380518'],
      ];
    default:
      return Object.entries(meta);
  }
}

export function utilityHoldingFields(holding: Holding, nested: Nested): Fields {
  const { issuer, lock } = holding;
  return {
    operator: party(operatorOf(issuer)),
    provider: party(providerOf(issuer)),
    registrar: party(issuer),
    owner: party(holding.owner),
    instrument: utilityInstrument(holding.instrumentId, nested),
    label: text(''),
    amount: numeric(holding.amount),
    lock: optional(lock && utilityLock(lock, nested)),
  };
}

/** Without an end; whoever waits for the locked holding sees it. */
function utilityLock({ holders, context = '', observers }: Lock, nested: Nested): Value {
  const set = (parties: readonly string[]) => nested('Set', { map: partySet(parties) });
  return nested(undefined, {
    lockers: set(holders),
    context: text(context),
    observers: optional(observers && set(observers)),
  });
}

export function utilityInstrument({ admin, id }: Holding['instrumentId'], nested: Nested): Value {
  return nested(undefined, { source: party(admin), id: text(id), scheme: text('RegistrarInternalScheme') });
}

/** An amount that shrinks with every round, counted at its initial value. */
export function amuletFields({ issuer, owner, amount }: Holding, nested: Nested): Fields {
  return {
    dso: party(issuer),
    owner: party(owner),
    amount: nested(undefined, {
      initialAmount: numeric(amount),
      createdAt: nested(undefined, { number: integer(ROUND) }),
      ratePerRound: nested(undefined, { rate: numeric(RATE) }),
    }),
  };
}

export function lockedAmuletFields(holding: Holding, nested: Nested): Fields {
  const { holders, expiresAt = 0, context }: Lock = holding.lock ?? { holders: [] };
  return {
    amulet: nested(undefined, amuletFields(holding, nested)),
    lock: nested(undefined, {
      holders: list(holders.map(party)),
      expiresAt: timestamp(expiresAt),
      optContext: optional(context === undefined ? undefined : text(context)),
    }),
  };
}

/** `kept`: the locks that the token standard defines. */
export function depositFields({ issuer, owner, amount }: Holding, kept: Value, nested: Nested): Fields {
  return {
    custodian: party(issuer),
    terms: nested(undefined, { holder: party(owner), units: numeric(amount) }),
    kept,
  };
}

export function offerFields({ kind, registrar, transfer: of }: TransferOffer, transfer: Value): Fields {
  switch (kind) {
    case 'transferOffer':
      return { operator: party(operatorOf(registrar)), provider: party(providerOf(registrar)), transfer };
    case 'amuletInstruction':
      return { lockedAmulet: contractId(of.inputHoldingCids[0] ?? ''), transfer };
    case 'depositOffer':
      return { custodian: party(registrar), transfer };
  }
}
