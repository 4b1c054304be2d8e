// Who there is, and the contracts that a transfer of theirs meets.
import type { Create, Value } from '@canton-network/core-ledger-proto';
import { party } from '../../src/core/ids.js';
import { type, v } from './prepared-values.js';

export const ISSUER = 'issuer::1220aa';
export const ALICE = party('alice::1220ab');
export const BOB = party('bob::1220ac');
export const MALLORY = party('mallory::1220ad');
export const REGISTRAR = 'registrar::1220ae';
export const OPERATOR = 'operator::1220af';
export const PROVIDER = 'provider::1220b0';
export const DSO = 'dso::1220b1';
export const UNIT = 10n ** 10n;
export const NOW = 1_700_000_000_000_000n;
export const ASKED = NOW + 30_000_000n;

/** A contract as its template has it. */
export interface Contract {
  readonly id: string;
  readonly template: readonly [string, string];
  readonly argument: Value;
  readonly signatories: readonly string[];
  readonly stakeholders: readonly string[];
}

export const create = (contract: Contract): Create => ({
  lfVersion: '2.1',
  contractId: contract.id,
  packageName: 'a-token',
  templateId: type(...contract.template),
  argument: contract.argument,
  signatories: [...contract.signatories].sort(),
  stakeholders: [...new Set(contract.stakeholders)].sort(),
});

/** What a use of a contract says of it. */
export const sharedFields = ({ id, template, signatories, stakeholders }: Contract) => {
  const { lfVersion, contractId, packageName, templateId, ...parties } = create({
    id,
    template,
    signatories,
    stakeholders,
    argument: v.none(),
  });
  return {
    lfVersion,
    contractId,
    packageName,
    templateId: templateId ?? type('', ''),
    signatories: parties.signatories,
    stakeholders: parties.stakeholders,
  };
};

const HOLDING = ['CIP56.Token', 'CIP56Holding'] as const;

export const ownHolding = (
  id: string,
  owner: string,
  units: bigint,
  change: Record<string, Value> = {},
): Contract => ({
  id,
  template: HOLDING,
  signatories: [ISSUER],
  stakeholders: [ISSUER, owner],
  argument: v.record({
    issuer: v.party(ISSUER),
    owner: v.party(owner),
    amount: v.numeric(units),
    instrumentId: instrument(ISSUER, 'DEMO'),
    lock: v.none(),
    meta: v.record({ values: v.map() }),
    ...change,
  }),
});

export const instrument = (admin: string, id: string): Value =>
  v.record({ admin: v.party(admin), id: v.text(id) });

export const event = (change: Record<string, Value> = {}): Contract => ({
  id: '00ee',
  template: ['CIP56.Events', 'TokenTransferEvent'],
  signatories: [ISSUER],
  stakeholders: [ISSUER, ALICE, BOB],
  argument: v.record({
    issuer: v.party(ISSUER),
    fromParty: v.some(v.party(ALICE)),
    toParty: v.some(v.party(BOB)),
    amount: v.numeric(5n * UNIT),
    instrumentId: instrument(ISSUER, 'DEMO'),
    timestamp: v.time(NOW),
    meta: v.none(),
    auditObservers: v.list([]),
    ...change,
  }),
});

export const registryHolding = (
  id: string,
  owner: string,
  units: bigint,
  { locked = false, admin = REGISTRAR, name = 'USDCx' } = {},
): Contract => ({
  id,
  template: ['Utility.Registry.Holding.V0.Holding', 'Holding'],
  signatories: [admin, owner],
  stakeholders: [admin, owner, OPERATOR, PROVIDER, ...(locked ? [BOB] : [])],
  argument: v.record({
    operator: v.party(OPERATOR),
    provider: v.party(PROVIDER),
    registrar: v.party(admin),
    owner: v.party(owner),
    instrument: v.record({
      source: v.party(admin),
      id: v.text(name),
      scheme: v.text('RegistrarInternalScheme'),
    }),
    label: v.text(''),
    amount: v.numeric(units),
    // As a participant writes it: what is None at the end is left out.
    ...(locked ? { lock: v.some(registryLock(admin)) } : {}),
  }),
});

/** Until its registrar releases it; Bob, who waits for it, sees it. */
const registryLock = (admin: string): Value =>
  v.record({
    lockers: v.record({ map: v.parties([admin]) }),
    context: v.text('transfer'),
    observers: v.some(v.record({ map: v.parties([BOB]) })),
  });

const amulet = (owner: string, units: bigint): Record<string, Value> => ({
  dso: v.party(DSO),
  owner: v.party(owner),
  amount: v.record({
    initialAmount: v.numeric(units),
    createdAt: v.record({ number: v.int(1n) }),
    ratePerRound: v.record({ rate: v.numeric(38_051_800n) }),
  }),
});

/** Canton Coin; `until`: locked, and when that ends. */
export const amuletHolding = (id: string, owner: string, units: bigint, until?: bigint): Contract => ({
  id,
  template: ['Splice.Amulet', until === undefined ? 'Amulet' : 'LockedAmulet'],
  signatories: [DSO, owner],
  stakeholders: [DSO, owner],
  argument: v.record(
    until === undefined
      ? amulet(owner, units)
      : {
          amulet: v.record(amulet(owner, units)),
          lock: v.record({ holders: v.list([v.party(DSO)]), expiresAt: v.time(until) }),
        },
  ),
});

/** An offer of any registry: its transfer is what the token standard calls one. */
export const offerOf = (
  id: string,
  template: Contract['template'],
  transfer: Value,
  { signatories = [ALICE, REGISTRAR], stakeholders = [] as string[] } = {},
): Contract => ({
  id,
  template,
  signatories,
  stakeholders: [...signatories, ALICE, BOB, ...stakeholders],
  argument: v.record({ transfer }),
});

/** Something of the registry's that holds no money: a rule, an offer, a receipt. */
export const other = (
  id: string,
  entity: string,
  signatories: string[],
  stakeholders = signatories,
): Contract => ({
  id,
  template: ['Utility.Registry.App', entity],
  signatories,
  stakeholders,
  argument: v.record({ note: v.text(entity) }),
});
