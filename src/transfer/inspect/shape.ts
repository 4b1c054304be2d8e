// What a Daml value has to be, and where it differs. Every field counts, and there may be no others.
import { formatDecimal, parseDecimal } from '../../core/decimal.js';
import type { Value } from '../prepared/transaction.js';
import { as, fieldsOf } from './values.js';

export type Shape =
  | { readonly kind: 'party' | 'text' | 'contractId' | 'int64'; readonly is: string }
  | { readonly kind: 'numeric'; readonly is: bigint }
  | { readonly kind: 'timestamp'; readonly is: bigint }
  /** In days since 1970. */
  | { readonly kind: 'date'; readonly is: number }
  | { readonly kind: 'bool'; readonly is: boolean }
  /** In any order, each exactly once. */
  | { readonly kind: 'contractIds'; readonly are: readonly string[] }
  | { readonly kind: 'list'; readonly of: readonly Shape[] }
  | { readonly kind: 'record'; readonly of: Readonly<Record<string, Shape>> }
  | { readonly kind: 'textMap'; readonly of: ReadonlyMap<string, Shape> }
  | { readonly kind: 'variant'; readonly tag: string; readonly of: Shape };

/** `PATH: what is there instead`; null if the value is as it has to be. */
export function difference(path: string, value: Value | undefined, shape: Shape): string | null {
  switch (shape.kind) {
    case 'party':
      return unlike(path, as(value, 'party'), shape.is);
    case 'text':
      return unlike(path, as(value, 'text'), shape.is);
    case 'contractId':
      return unlike(path, as(value, 'contractId'), shape.is);
    case 'int64':
      return unlike(path, textOf(as(value, 'int64')), shape.is);
    case 'timestamp':
      return unlike(path, textOf(as(value, 'timestamp')), String(shape.is));
    case 'date':
      return unlike(path, textOf(as(value, 'date')), String(shape.is));
    case 'bool':
      return unlike(path, textOf(as(value, 'bool')), String(shape.is));
    case 'numeric': {
      const text = as(value, 'numeric');
      const same = text !== null && parseDecimal(text) === shape.is;
      return same ? null : unlike(path, text, formatDecimal(shape.is));
    }
    case 'contractIds':
      return contractIds(path, value, shape.are);
    case 'list':
      return list(path, as(value, 'list')?.elements, shape.of);
    case 'record':
      return labelled(path, fieldsOf(value), new Map(Object.entries(shape.of)));
    case 'textMap':
      return labelled(path, entriesOf(value), shape.of);
    case 'variant': {
      const variant = as(value, 'variant');
      return (
        unlike(path, variant?.constructorName, shape.tag) ??
        difference(`${path}.${shape.tag}`, variant?.value, shape.of)
      );
    }
  }
}

const textOf = (value: bigint | number | boolean | null): string | null =>
  value === null ? null : String(value);

const unlike = (path: string, actual: string | null | undefined, expected: string): string | null =>
  actual === expected ? null : `${path}: ${actual ?? 'something else'}, where ${expected} was asked for`;

function contractIds(path: string, value: Value | undefined, expected: readonly string[]): string | null {
  const elements = as(value, 'list')?.elements;
  if (elements === undefined) return `${path}: not a list`;
  const ids = elements.map((element) => as(element, 'contractId') ?? 'something else');
  const missing = new Set(expected);
  // Each id is removed once, so an id that appears twice is one too many.
  const extra = ids.find((id) => !missing.delete(id));
  if (extra !== undefined) return `extra input: ${extra} in ${path}`;
  const [left] = missing;
  return left === undefined ? null : `missing input: ${left} in ${path}`;
}

function list(path: string, elements: readonly Value[] | undefined, of: readonly Shape[]): string | null {
  if (elements?.length !== of.length) return `${path}: not a list of ${of.length}`;
  return first(of.map((shape, index) => () => difference(`${path}.${index}`, elements[index], shape)));
}

function entriesOf(value: Value | undefined): ReadonlyMap<string, Value | undefined> | null {
  const entries = as(value, 'textMap')?.entries;
  if (entries === undefined) return null;
  const map = new Map(entries.map((entry) => [entry.key, entry.value]));
  return map.size === entries.length ? map : null;
}

function labelled(
  path: string,
  actual: ReadonlyMap<string, Value | undefined> | null,
  of: ReadonlyMap<string, Shape>,
): string | null {
  if (actual === null) return `${path}: something else than its fields`;
  const extra = [...actual.keys()].find((label) => !of.has(label));
  if (extra !== undefined) return `${path}: ${extra} was not asked for`;
  return first(
    [...of].map(
      ([label, shape]) =>
        () =>
          difference(`${path}.${label}`, actual.get(label), shape),
    ),
  );
}

/** The first fault of several checks; those after it are not run. */
export function first(checks: readonly (() => string | null)[]): string | null {
  for (const check of checks) {
    const fault = check();
    if (fault !== null) return fault;
  }
  return null;
}
