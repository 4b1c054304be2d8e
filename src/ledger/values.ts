// Daml values, as we send and read them, label by label. No floats and no guesses: null if a value is of another
// kind.
import {
  Record as DamlRecord,
  Identifier,
  List,
  RecordField,
  TextMap,
  Value,
} from '#proto/com/daml/ledger/api/v2/value.js';
import { Timestamp } from '#proto/google/protobuf/timestamp.js';
import { formatDecimal, parseDecimal } from '../core/decimal.js';
import type { Micros, Offset } from '../core/ids.js';

export const partyValue = (id: string): Value => new Value({ party: id });
export const textValue = (value: string): Value => new Value({ text: value });
export const numeric = (units: bigint): Value => new Value({ numeric: formatDecimal(units) });
export const timestamp = (micros: Micros): Value => new Value({ timestamp: micros.toString() });
export const contractIds = (ids: readonly string[]): Value =>
  new Value({ list: new List({ elements: ids.map((contractId) => new Value({ contractId })) }) });
export const emptyTextMap = (): Value => new Value({ textMap: new TextMap() });
/** With all labels, so that the order of fields does not matter. */
export const recordValue = (fields: Readonly<Record<string, Value>>): Value =>
  new Value({
    record: new DamlRecord({
      fields: Object.entries(fields).map(([label, value]) => new RecordField({ label, value })),
    }),
  });

export interface Fields {
  readonly party: (label: string) => string | null;
  readonly text: (label: string) => string | null;
  readonly amount: (label: string) => bigint | null;
  readonly fields: (label: string) => Fields | null;
  /** A variant's constructor. */
  readonly variant: (label: string) => string | null;
  /** `Some` of anything is true; `None` and an absent field are false; null if it is not an Optional. */
  readonly present: (label: string) => boolean | null;
  readonly optionalParty: (label: string) => string | null;
  readonly optionalTime: (label: string) => Micros | null;
  readonly optionalFields: (label: string) => Fields | null;
  /** Null if an element is not a party. */
  readonly parties: (label: string) => readonly string[] | null;
}

/**
 * Reads a Daml record by its labels, which the participant sends if `verbose` was asked for. It leaves out a None at the
 * end of one (since 3.4.4).
 */
export function recordFields(source: DamlRecord | undefined): Fields | null {
  if (source === undefined) return null;
  const values = new Map(source.fields.map((field) => [field.label, field.value]));
  const of = <T>(label: string, kind: Value['sum'], read: (value: Value) => T): T | null => {
    const value = values.get(label);
    return value?.sum === kind ? read(value) : null;
  };
  const some = <T>(label: string, kind: Value['sum'], read: (value: Value) => T): T | null =>
    of(label, 'optional', ({ optional }) => {
      const value = optional?.value;
      return value?.sum === kind ? read(value) : null;
    });
  return {
    party: (label) => of(label, 'party', (value) => value.party),
    text: (label) => of(label, 'text', (value) => value.text),
    amount: (label) => of(label, 'numeric', (value) => parseDecimal(value.numeric)),
    fields: (label) => of(label, 'record', (value) => recordFields(value.record)),
    variant: (label) => of(label, 'variant', ({ variant }) => variant?.constructorName ?? null),
    present: (label) =>
      values.has(label) ? of(label, 'optional', (value) => value.optional?.value !== undefined) : false,
    optionalParty: (label) => some(label, 'party', (value) => value.party),
    optionalTime: (label) => some(label, 'timestamp', (value) => BigInt(value.timestamp)),
    optionalFields: (label) => some(label, 'record', (value) => recordFields(value.record)),
    parties: (label) =>
      of(label, 'list', ({ list }) => {
        const elements = list?.elements ?? [];
        const all = elements.flatMap((value) => (value.sum === 'party' ? [value.party] : []));
        return all.length === elements.length ? all : null;
      }),
  };
}

export interface Instrument {
  readonly admin: string;
  readonly id: string;
}

export function instrumentOf(fields: Fields | null, adminLabel = 'admin'): Instrument | null {
  const admin = fields?.party(adminLabel) ?? null;
  const id = fields?.text('id') ?? null;
  return admin === null || id === null ? null : { admin, id };
}

/** A template or interface in a package, given as `#name` or by id. */
export const identifier = (packageId: string, moduleName: string, entityName: string): Identifier =>
  new Identifier({ packageId, moduleName, entityName });

/** Exact: a Timestamp's seconds are far below 2^53, and on a ledger its nanoseconds are whole microseconds. */
export const microsOfTimestamp = (time: Timestamp): Micros =>
  BigInt(time.seconds) * 1_000_000n + BigInt(Math.floor(time.nanos / 1000));

export const timestampOfMicros = (micros: Micros): Timestamp =>
  new Timestamp({ seconds: Number(micros / 1_000_000n), nanos: Number(micros % 1_000_000n) * 1000 });

/** 64 bits arrive as decimal text; an offset is never negative. */
export const offsetOf = (text: string): Offset | null => (/^\d{1,19}$/.test(text) ? BigInt(text) : null);
