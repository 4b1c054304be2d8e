// Readers of single Daml values: whatever does not type-check is COMMAND_PREPROCESSING_FAILED, as on the ledger.
import type { Record as DamlRecord, Value } from '#proto/com/daml/ledger/api/v2/value.js';
import type { Micros } from '../clock.js';
import type { TextMap } from '../daml/any-value.js';
import type { InstrumentId } from '../daml/contracts.js';
import { refuse } from '../errors.js';
import { parseDecimal } from '../model/decimal.js';
import { contractIdString, partyString } from './fields.js';

type Read<T> = (value: Value | undefined) => T;

/**
 * Either all labels are present, in any order, or one is missing and the declared order counts. Optional fields at
 * the end (`least` are not optional) may be absent: None.
 */
export function fields(
  value: Value | undefined,
  labels: readonly string[],
  least = labels.length,
): (Value | undefined)[] {
  const record: DamlRecord | undefined = expect(value, 'record').record;
  const given = record?.fields ?? [];
  if (given.length > labels.length || given.length < least)
    mistyped(`expected ${labels.length} fields (${labels}), got ${given.length}`);
  if (given.every((field, index) => field.label === labels[index])) return given.map((field) => field.value);
  if (given.some((field) => field.label === '')) return given.map((field) => field.value);
  const byLabel = new Map(given.map((field) => [field.label, field.value]));
  return labels.map((label, index) => {
    if (!byLabel.has(label) && index < least) mistyped(`Missing record field '${label}'`);
    return byLabel.get(label);
  });
}

export function expect(value: Value | undefined, sum: Value['sum']): Value {
  if (!value) return refuse('MISSING_FIELD', 'The submitted command is missing a mandatory field: value');
  if (value.sum !== sum) mistyped(`expected a ${sum}, got a ${value.sum}`);
  return value;
}

export const party: Read<string> = (value) => {
  const { party } = expect(value, 'party');
  if (!partyString.test(party))
    refuse('INVALID_ARGUMENT', `${JSON.stringify(party.slice(0, 64))} is not a party`);
  return party;
};
export const text: Read<string> = (value) => expect(value, 'text').text;
export const contractId: Read<string> = (value) => {
  const { contractId } = expect(value, 'contractId');
  if (!contractIdString.test(contractId)) {
    refuse('INVALID_ARGUMENT', `cannot parse ContractId ${JSON.stringify(contractId.slice(0, 64))}`);
  }
  return contractId;
};
export const timestamp: Read<Micros> = (value) => Number(expect(value, 'timestamp').timestamp);
/** Days since 1970, in the years 1 to 9999. */
export const date: Read<number> = (value) => {
  const { date: days } = expect(value, 'date');
  if (days < -719_162 || days > 2_932_896) refuse('INVALID_ARGUMENT', `cannot convert ${days} to a Date`);
  return days;
};

/** DA.Time.RelTime; as text, since it has 64 bits. */
export const microseconds: Read<string> = (value) => {
  const [micros] = fields(value, ['microseconds']);
  return expect(micros, 'int64').int64;
};

/** DA.Set.Types.Set, of parties. */
export const partySet: Read<string[]> = (value) => {
  const [map] = fields(value, ['map']);
  const entries = expect(map, 'genMap').genMap?.entries ?? [];
  return entries.map(({ key, value: content }) => {
    expect(content, 'unit');
    return party(key);
  });
};

export function list<T>(value: Value | undefined, read: Read<T>): T[] {
  return expect(value, 'list').list?.elements.map(read) ?? [];
}

export function optional<T>(value: Value | undefined, read: Read<T>): T | undefined {
  if (value === undefined) return undefined;
  const content = expect(value, 'optional').optional?.value;
  return content && read(content);
}

export function decimal(value: Value | undefined): bigint {
  const { numeric } = expect(value, 'numeric');
  return (
    parseDecimal(numeric) ?? mistyped(`Cannot represent ${numeric} as (Numeric 10) without loss of precision`)
  );
}

export function instrumentId(value: Value | undefined): InstrumentId {
  const [admin, id] = fields(value, ['admin', 'id']);
  return { admin: party(admin), id: text(id) };
}

/** Metadata and ChoiceContext have the same form: a record with one map. */
export function valuesOf<V>(value: Value | undefined, read: Read<V>): TextMap<V> {
  const [values] = fields(value, ['values']);
  return textMap(values, read);
}

export function textMap<V>(value: Value | undefined, read: Read<V>): TextMap<V> {
  const entries = expect(value, 'textMap').textMap?.entries ?? [];
  if (new Set(entries.map(({ key }) => key)).size < entries.length) mistyped('a key is twice in a map');
  return entries.map(({ key, value: content }) => [key, read(content)] as const);
}

export function mistyped(detail: string): never {
  return refuse('COMMAND_PREPROCESSING_FAILED', `Command preprocessing failed: mismatching type: ${detail}`);
}
