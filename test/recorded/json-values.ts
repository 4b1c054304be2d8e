// Daml values of the JSON Ledger API as protobuf ones. JSON does not say of what type a text is, so what is known to be
// typed (the token standard's records) is described; anything else is guessed, and nothing reads it.
import {
  Record as DamlRecord,
  Identifier,
  List,
  Optional,
  RecordField,
  TextMap,
  TextMapEntry,
  Value,
  Variant,
} from '#proto/com/daml/ledger/api/v2/value.js';
import { Empty } from '#proto/google/protobuf/empty.js';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export type Type =
  | 'party'
  | 'text'
  | 'contractId'
  | 'numeric'
  | 'timestamp'
  | 'int64'
  | 'guess'
  | { readonly optional: Type }
  | { readonly list: Type }
  | { readonly textMap: Type }
  | { readonly record: Readonly<Record<string, Type>> }
  | { readonly variant: Type };

const recordOfType = (fields: Readonly<Record<string, Type>>): Type => ({ record: fields });
const METADATA = recordOfType({ values: { textMap: 'text' } });
const INSTRUMENT = recordOfType({ admin: 'party', id: 'text' });
const LOCK = recordOfType({
  holders: { list: 'party' },
  expiresAt: { optional: 'timestamp' },
  expiresAfter: { optional: recordOfType({ microseconds: 'int64' }) },
  context: { optional: 'text' },
});
const TRANSFER = recordOfType({
  sender: 'party',
  receiver: 'party',
  amount: 'numeric',
  instrumentId: INSTRUMENT,
  requestedAt: 'timestamp',
  executeBefore: 'timestamp',
  inputHoldingCids: { list: 'contractId' },
  meta: METADATA,
});

/** By `Module:Entity` of the interface. */
export const VIEWS: Readonly<Record<string, Type>> = {
  'Splice.Api.Token.HoldingV1:Holding': recordOfType({
    owner: 'party',
    instrumentId: INSTRUMENT,
    amount: 'numeric',
    lock: { optional: LOCK },
    meta: METADATA,
  }),
  'Splice.Api.Token.TransferInstructionV1:TransferInstruction': recordOfType({
    originalInstructionCid: { optional: 'contractId' },
    transfer: TRANSFER,
    status: { variant: 'guess' },
    meta: METADATA,
  }),
};

/** By the choice's name. */
export const ARGUMENTS: Readonly<Record<string, Type>> = {
  TransferFactory_Transfer: recordOfType({
    expectedAdmin: 'party',
    transfer: TRANSFER,
    extraArgs: recordOfType({ context: 'guess', meta: METADATA }),
  }),
};

/** By `Module:Entity` of the template. */
export const PAYLOADS: Readonly<Record<string, Type>> = {
  'CIP56.Events:TokenTransferEvent': recordOfType({
    issuer: 'party',
    fromParty: { optional: 'party' },
    toParty: { optional: 'party' },
    amount: 'numeric',
    instrumentId: INSTRUMENT,
    timestamp: 'timestamp',
    meta: { optional: METADATA },
    auditObservers: { list: 'party' },
  }),
};

export function typed(json: Json, type: Type): Value {
  if (typeof type === 'object') return composite(json, type);
  switch (type) {
    case 'party':
      return new Value({ party: textIn(json) });
    case 'text':
      return new Value({ text: textIn(json) });
    case 'contractId':
      return new Value({ contractId: textIn(json) });
    case 'numeric':
      return new Value({ numeric: textIn(json) });
    case 'int64':
      return new Value({ int64: String(json) });
    case 'timestamp':
      return new Value({ timestamp: String(microsOf(textIn(json))) });
    case 'guess':
      return guess(json);
  }
}

function composite(json: Json, type: Exclude<Type, string>): Value {
  if ('optional' in type) {
    const some = json === null ? {} : { value: typed(json, type.optional) };
    return new Value({ optional: new Optional(some) });
  }
  if ('list' in type) {
    const elements = listIn(json).map((one) => typed(one, type.list));
    return new Value({ list: new List({ elements }) });
  }
  if ('textMap' in type) {
    const entries = Object.entries(objectIn(json)).map(
      ([key, one]) => new TextMapEntry({ key, value: typed(one, type.textMap) }),
    );
    return new Value({ textMap: new TextMap({ entries }) });
  }
  if ('variant' in type) {
    const { tag = '', value = null } = objectIn(json);
    const variant = new Variant({ constructorName: textIn(tag), value: typed(value, type.variant) });
    return new Value({ variant });
  }
  return new Value({ record: recordOf(json, type) });
}

/** A field that JSON has and the type does not is guessed; one that JSON lacks is left out, as on the wire. */
export function recordOf(json: Json, type: Type): DamlRecord {
  const known = typeof type === 'object' && 'record' in type ? type.record : {};
  return new DamlRecord({
    fields: Object.entries(objectIn(json)).map(
      ([label, one]) => new RecordField({ label, value: typed(one, known[label] ?? 'guess') }),
    ),
  });
}

function guess(json: Json): Value {
  if (json === null) return new Value({ optional: new Optional() });
  if (typeof json === 'boolean') return new Value({ bool: json });
  if (typeof json === 'number') return new Value({ int64: String(json) });
  if (typeof json === 'string') return new Value({ text: json });
  if (Array.isArray(json)) return composite(json, { list: 'guess' });
  return Object.keys(json).length === 0
    ? new Value({ unit: new Empty() })
    : new Value({ record: recordOf(json, 'guess') });
}

/** `package:Module.Name:Entity`. */
export function identifierOf(text: string): Identifier {
  const [packageId = '', moduleName = '', entityName = ''] = text.split(':');
  return new Identifier({ packageId, moduleName, entityName });
}

export const entityOf = (identifier: string): string => identifier.split(':').slice(1).join(':');

/** RFC 3339, to the microsecond, which a Date would cut. */
export function microsOf(text: string): bigint {
  const [, seconds = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(text) ?? [];
  const ms = Date.parse(`${seconds}Z`);
  if (Number.isNaN(ms)) throw new Error(`no time: ${text}`);
  return BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
}

export function textIn(json: Json | undefined): string {
  if (typeof json !== 'string') throw new Error(`no text: ${JSON.stringify(json)}`);
  return json;
}

export function listIn(json: Json | undefined): readonly Json[] {
  if (!Array.isArray(json)) throw new Error(`no list: ${JSON.stringify(json)}`);
  return json as readonly Json[];
}

export function objectIn(json: Json | undefined): JsonObject {
  if (!isObject(json)) throw new Error(`no object: ${JSON.stringify(json)}`);
  return json;
}

export const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);
