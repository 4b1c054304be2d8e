// A registry's choice context, read without trust: values of the token standard's `AnyValue` (Splice.Api.Token.MetadataV1,
// all of its constructors) as Daml's JSON writes them. Null where one is none. Pure.
import { parseDecimal } from '../core/decimal.js';
import type { Micros } from '../core/ids.js';
import type { AnyValue } from '../core/transfer.js';

/** A context is a handful of values; what nests deeper is not one. */
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
      // A record of one field; some registries write the field's value alone.
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

/** A map as canton-middleware reads it: a list of `{_1, _2}`. */
function pairsOf(list: readonly unknown[]): Readonly<Record<string, unknown>> | null {
  const pairs = list.map((one) => one as { readonly _1?: unknown; readonly _2?: unknown } | null);
  const keys = new Set(pairs.map((pair) => pair?._1));
  if (keys.size < list.length || [...keys].some((key) => typeof key !== 'string')) return null;
  return Object.fromEntries(pairs.map((pair) => [pair?._1 as string, pair?._2]));
}

/** Daml's JSON writes numbers that JSON would round as text. */
function int64Of(json: unknown): bigint | null {
  const digits = typeof json === 'number' && Number.isSafeInteger(json) ? String(json) : json;
  if (typeof digits !== 'string' || !/^-?\d{1,19}$/.test(digits)) return null;
  const int = BigInt(digits);
  return BigInt.asIntN(64, int) === int ? int : null;
}

/** Daml's times begin with the year 1; that they end with 9999, four digits say. */
const YEAR_ONE_MS = Date.parse('0001-01-01T00:00:00Z');
const DAY_MS = 86_400_000;

/** `2025-02-28` as days since 1970. */
function daysOf(text: string): number | null {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? millisOf(`${text}T00:00:00`) : null;
  return ms === null ? null : ms / DAY_MS;
}

/** `2025-02-28T12:00:00.123456Z`, its fraction optional; what is finer than a microsecond, Daml's JSON drops. */
function microsOf(text: string): Micros | null {
  const [, seconds = '', fraction = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/.exec(text) ?? [];
  const ms = millisOf(seconds);
  return ms === null ? null : BigInt(ms) * 1000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}

/** Null also for what a Date would read as another day: the 30th of February is none. */
function millisOf(seconds: string): number | null {
  const ms = Date.parse(`${seconds}Z`);
  if (Number.isNaN(ms) || ms < YEAR_ONE_MS) return null;
  return new Date(ms).toISOString().startsWith(seconds) ? ms : null;
}
