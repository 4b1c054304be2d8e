// On the wire: Daml values that do not consist of labelled fields, and the ids of types.
import {
  Record as DamlRecord,
  GenMap,
  GenMapEntry,
  Identifier,
  List,
  Optional,
  RecordField,
  TextMap,
  TextMapEntry,
  Value,
} from '#proto/com/daml/ledger/api/v2/value.js';
import { Empty } from '#proto/google/protobuf/empty.js';
import type { Micros } from '../clock.js';
import type { TextMap as Entries } from '../daml/any-value.js';
import {
  type Definition,
  type InterfaceKind,
  interfaces,
  packageId,
  type TemplateKind,
  templates,
} from '../daml/packages.js';
import { formatDecimal } from '../model/decimal.js';

export function templateIdentifier(kind: TemplateKind): Identifier {
  return identifierOf(templates[kind]);
}

export function interfaceIdentifier(kind: InterfaceKind): Identifier {
  return identifierOf(interfaces[kind]);
}

export function identifierOf({ packageName, module, entity }: Definition): Identifier {
  return new Identifier({ packageId: packageId(packageName), moduleName: module, entityName: entity });
}

export const party = (name: string) => new Value({ party: name });
export const text = (content: string) => new Value({ text: content });
export const integer = (digits: string) => new Value({ int64: digits });
export const contractId = (id: string) => new Value({ contractId: id });
export const numeric = (units: bigint) => new Value({ numeric: formatDecimal(units) });
export const timestamp = (micros: Micros) => new Value({ timestamp: `${micros}` });
/** DA.Time.RelTime. */
export const relTime = (micros: Micros | string) =>
  new Value({
    record: new DamlRecord({
      fields: [new RecordField({ label: 'microseconds', value: new Value({ int64: `${micros}` }) })],
    }),
  });
/** The map inside DA.Set.Types.Set, ordered by key. */
export const partySet = (parties: readonly string[]) =>
  new Value({
    genMap: new GenMap({
      entries: [...parties]
        .sort()
        .map((name) => new GenMapEntry({ key: party(name), value: new Value({ unit: new Empty() }) })),
    }),
  });
export const list = (elements: Value[]) => new Value({ list: new List({ elements }) });
export const optional = (value: Value | undefined) =>
  new Value({ optional: new Optional(value ? { value } : {}) });

export function textMap<V>(values: Entries<V>, encode: (value: V) => Value): Value {
  const entries = values.map(([key, value]) => new TextMapEntry({ key, value: encode(value) }));
  return new Value({ textMap: new TextMap({ entries }) });
}

export const isNone = ({ sum, optional: it }: Value): boolean =>
  sum === 'optional' && it?.value === undefined;
