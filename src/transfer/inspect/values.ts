// Daml values of a prepared transaction, label by label. Null where a value is of another kind.
import type { Identifier, Value } from '@canton-network/core-ledger-proto';
import { parseDecimal } from '../../core/decimal.js';

type Sum = Value['sum'];
type Kind = NonNullable<Sum['oneofKind']>;
type Of<K extends Kind> = Extract<Sum, { oneofKind: K }>;

/** The value, where it is of this kind. */
export const as = <K extends Kind>(value: Value | undefined, kind: K): Of<K> | null =>
  value?.sum.oneofKind === kind ? (value.sum as Of<K>) : null;

/** Null where it is no record, or has a label twice: which of the two would count? */
export function fieldsOf(value: Value | undefined): ReadonlyMap<string, Value | undefined> | null {
  const fields = as(value, 'record')?.record.fields;
  if (fields === undefined) return null;
  const map = new Map(fields.map(({ label, value: field }) => [label, field]));
  return map.size === fields.length ? map : null;
}

export const partyIn = (value: Value | undefined): string | null => as(value, 'party')?.party ?? null;

export const textIn = (value: Value | undefined): string | null => as(value, 'text')?.text ?? null;

export function amountIn(value: Value | undefined): bigint | null {
  const numeric = as(value, 'numeric')?.numeric;
  return numeric === undefined ? null : parseDecimal(numeric);
}

/** `Some` of anything is true, `None` false. */
export function presentIn(value: Value | undefined): boolean | null {
  const optional = as(value, 'optional')?.optional;
  return optional === undefined ? null : optional.value !== undefined;
}

export const optionalPartyIn = (value: Value | undefined): string | null =>
  partyIn(as(value, 'optional')?.optional.value);

/** By its names: a prepared transaction says the package by its id, which changes with every version. */
export const isEntity = (id: Identifier | undefined, moduleName: string, entityName: string): boolean =>
  id?.moduleName === moduleName && id.entityName === entityName;

export const sameSet = (a: readonly string[], b: readonly string[]): boolean => {
  const [left, right] = [new Set(a), new Set(b)];
  return left.size === right.size && [...left].every((one) => right.has(one));
};
