// Daml values of a prepared transaction, label by label. Null if a value is of another kind.
import { parseDecimal } from '../../core/decimal.js';
import type { Value } from '../prepared/transaction.js';

type Held = { readonly [V in Value as V['kind']]: V['value'] };
type Of<K extends Value['kind']> = Held[K];

/** The content of a value of this kind. */
export const as = <K extends Value['kind']>(value: Value | undefined, kind: K): Of<K> | null =>
  value?.kind === kind ? (value.value as Of<K>) : null;

/** Null if it is not a Daml record, or has a label twice (which of the two would count?). */
export function fieldsOf(value: Value | undefined): ReadonlyMap<string, Value | undefined> | null {
  const fields = as(value, 'record')?.fields;
  if (fields === undefined) return null;
  const map = new Map(fields.map(({ label, value: field }) => [label, field]));
  return map.size === fields.length ? map : null;
}

export const partyIn = (value: Value | undefined): string | null => as(value, 'party');

export const textIn = (value: Value | undefined): string | null => as(value, 'text');

export function amountIn(value: Value | undefined): bigint | null {
  const numeric = as(value, 'numeric');
  return numeric === null ? null : parseDecimal(numeric);
}

export const optionalPartyIn = (value: Value | undefined): string | null =>
  partyIn(as(value, 'optional')?.value);

export const sameSet = (a: readonly string[], b: readonly string[]): boolean => {
  const [left, right] = [new Set(a), new Set(b)];
  return left.size === right.size && [...left].every((one) => right.has(one));
};
