// Reads a registry's choice context without trusting it: values of the token standard's `AnyValue`
// (Splice.Api.Token.MetadataV1, all of its constructors) as Daml's JSON writes them. Null if a value is not one.
// Pure.
import { parseDecimal } from '../core/decimal.js';
import { DAY_MS, type Micros } from '../core/ids.js';
import type { AnyValue } from '../core/transfer.js';

/** A context holds a handful of values; anything nested deeper is not a context. */
const MAX_DEPTH = 16;

export const choiceContext = (
  values: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, AnyValue> | null => contextOf(values, MAX_DEPTH);

function contextOf(values: Readonly<Record<string, unknown>>, depth: number): Map<string, AnyValue> | null {
  const context = new Map<string, AnyValue>();
  for (const [key, json] of Object.entries(values)) {
    const value = anyValueOf(json, depth);
    if (value === null) return null;
    context.set(key, value);
  }
  return context;
}

function anyValueOf(json: unknown, depth: number): AnyValue | null {
  if (depth === 0 || !isObject(json)) return null;
  const { tag, value } = json;
  switch (tag) {
    case 'AV_Text':
    case 'AV_Party':
    case 'AV_ContractId':
      return typeof value === 'string' ? { tag, value } : null;
    case 'AV_Decimal':
      return typeof value === 'string' && parseDecimal(value) !== null ? { tag, value } : null;
    case 'AV_Int': {
      const int = int64Of(value);
      return int === null ? null : { tag, value: int.toString() };
    }
    case 'AV_Bool':
      return typeof value === 'boolean' ? { tag, value } : null;
    case 'AV_Date': {
      const days = typeof value === 'string' ? daysOf(value) : null;
      return days === null ? null : { tag, value: days };
    }
    case 'AV_Time': {
      const micros = typeof value === 'string' ? microsOf(value) : null;
      return micros === null ? null : { tag, value: micros };
    }
    case 'AV_RelTime': {
      // A Daml record with one field; some registries write just the field's value.
      const micros = int64Of(isObject(value) ? value.microseconds : value);
      return micros === null ? null : { tag, value: micros };
    }
    case 'AV_List': {
      if (!Array.isArray(value)) return null;
      const list = value.flatMap((one) => anyValueOf(one, depth - 1) ?? []);
      return list.length === value.length ? { tag, value: list } : null;
    }
    case 'AV_Map': {
      const entries = Array.isArray(value) ? pairsOf(value) : value;
      if (!isObject(entries)) return null;
      const map = contextOf(entries, depth - 1);
      return map && { tag, value: map };
    }
    default:
      return null;
  }
}

const isObject = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null;

/** canton-middleware reads maps as a list of `{_1, _2}`. */
function pairsOf(list: readonly unknown[]): Readonly<Record<string, unknown>> | null {
  const pairs = list.map((one) => one as { readonly _1?: unknown; readonly _2?: unknown } | null);
  const keys = new Set(pairs.map((pair) => pair?._1));
  if (keys.size < list.length || [...keys].some((key) => typeof key !== 'string')) return null;
  return Object.fromEntries(pairs.map((pair) => [pair?._1 as string, pair?._2]));
}

/** Daml's JSON writes numbers as strings if JSON would round them. */
function int64Of(json: unknown): bigint | null {
  const digits = typeof json === 'number' && Number.isSafeInteger(json) ? String(json) : json;
  if (typeof digits !== 'string' || !/^-?\d{1,19}$/.test(digits)) return null;
  const int = BigInt(digits);
  return BigInt.asIntN(64, int) === int ? int : null;
}

/** Daml's times start with the year 1; four digits end them with 9999. */
const YEAR_ONE_MS = Date.parse('0001-01-01T00:00:00Z');

/** `2025-02-28` as days since 1970. */
function daysOf(text: string): number | null {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? millisOf(`${text}T00:00:00`) : null;
  return ms === null ? null : ms / DAY_MS;
}

/** `2025-02-28T12:00:00.123456Z`, the fraction optional; Daml's JSON drops anything finer than a microsecond. */
function microsOf(text: string): Micros | null {
  const [, seconds = '', fraction = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/.exec(text) ?? [];
  const ms = millisOf(seconds);
  return ms === null ? null : BigInt(ms) * 1000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}

/** Also null for text that a Date would read as another day: there is no 30th of February. */
function millisOf(seconds: string): number | null {
  const ms = Date.parse(`${seconds}Z`);
  if (Number.isNaN(ms) || ms < YEAR_ONE_MS) return null;
  return new Date(ms).toISOString().startsWith(seconds) ? ms : null;
}
