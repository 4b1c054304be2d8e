// Where a holding's template keeps what. Built in: our own token, the Utility registry, Canton Coin. Any other
// template is described in TOKENS_FILE. A field missing at the end of a Daml record is None, because participants leave it
// out.
import type { HoldingLayout } from '../../core/token.js';
import type { Create, Value } from '../prepared/transaction.js';
import { amountIn, as, fieldsOf, partyIn, textIn } from './values.js';

export interface Layout extends HoldingLayout {
  /**
   * Templates of one token that turn into each other: what is spent and what is created from it belong to one family.
   */
  readonly family: string;
  /** The id of every holding, if the template has no field for it. */
  readonly onlyId?: string;
  /** Its lock precedes a field that is always present, so it is never left out. */
  readonly lockInside?: true;
}

export const OWN: Layout = {
  family: 'cip56',
  template: 'CIP56.Token:CIP56Holding',
  owner: 'owner',
  amount: 'amount',
  admin: 'instrumentId.admin',
  id: 'instrumentId.id',
  lock: 'lock',
  lockInside: true,
};

/** As the created events of real networks show them. */
const REGISTRIES: readonly Layout[] = [
  {
    family: 'utility',
    template: 'Utility.Registry.Holding.V0.Holding:Holding',
    owner: 'owner',
    amount: 'amount',
    admin: 'instrument.source',
    id: 'instrument.id',
    lock: 'lock',
  },
  {
    family: 'amulet',
    template: 'Splice.Amulet:Amulet',
    owner: 'owner',
    amount: 'amount.initialAmount',
    admin: 'dso',
    onlyId: 'Amulet',
  },
  {
    family: 'amulet',
    template: 'Splice.Amulet:LockedAmulet',
    owner: 'amulet.owner',
    amount: 'amulet.amount.initialAmount',
    admin: 'amulet.dso',
    onlyId: 'Amulet',
    lock: 'lock',
  },
];

/** `instrumentId`: the id of the token that is described. */
export function layoutsOf(described: HoldingLayout | undefined, instrumentId: string): readonly Layout[] {
  if (described === undefined) return REGISTRIES;
  const layout: Layout = { ...described, family: 'described' };
  return [described.id === undefined ? { ...layout, onlyId: instrumentId } : layout];
}

export interface PreparedLock {
  /** In microseconds; null: locked until somebody releases it. */
  readonly expiresAt: bigint | null;
}

export interface PreparedHolding {
  readonly owner: string;
  readonly admin: string;
  readonly instrumentId: string;
  readonly amount: bigint;
  readonly lock: PreparedLock | null;
  readonly family: string;
  readonly create: Create;
}

export const nameOf = ({ templateId }: Pick<Create, 'templateId'>): string =>
  `${templateId?.moduleName ?? ''}:${templateId?.entityName ?? ''}`;

/** Whatever the package version. */
export const layoutFor = (create: Create, layouts: readonly Layout[]): Layout | undefined =>
  layouts.find(({ template }) => template === nameOf(create));

/** Null if the template is not known, or the contract does not match its layout. */
export function holdingIn(create: Create, layouts: readonly Layout[]): PreparedHolding | null {
  const layout = layoutFor(create, layouts);
  if (layout === undefined) return null;
  const at = (path: string): Value | undefined => fieldAt(create.argument, path);
  const owner = partyIn(at(layout.owner));
  const admin = partyIn(at(layout.admin));
  const amount = amountIn(at(layout.amount));
  const instrumentId = layout.id === undefined ? (layout.onlyId ?? null) : textIn(at(layout.id));
  const lock = layout.lock === undefined ? null : lockIn(at(layout.lock), layout.lockInside);
  if (owner === null || admin === null || amount === null || instrumentId === null || lock === 'unreadable')
    return null;
  return { owner, admin, instrumentId, amount, lock, family: layout.family, create };
}

export function fieldAt(value: Value | undefined, path: string): Value | undefined {
  let at = value;
  for (const label of path.split('.')) at = fieldsOf(at)?.get(label);
  return at;
}

/** An Optional or, in a template that only describes locked holdings, a plain lock. */
function lockIn(value: Value | undefined, inside = false): PreparedLock | null | 'unreadable' {
  if (value === undefined) return inside ? 'unreadable' : null;
  const optional = as(value, 'optional');
  const lock = optional === null ? value : optional.value;
  if (lock === undefined) return null;
  if (fieldsOf(lock) === null) return 'unreadable';
  const end = fieldAt(lock, 'expiresAt');
  return { expiresAt: as(end, 'timestamp') ?? as(as(end, 'optional')?.value, 'timestamp') };
}
