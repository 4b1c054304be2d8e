// What participants leave out of records since 3.4.4 (according to its release notes): Optional fields at the end
// that are None.
import {
  Record as DamlRecord,
  GenMap,
  GenMapEntry,
  List,
  Optional,
  RecordField,
  TextMap,
  TextMapEntry,
  Value,
  Variant,
} from '#proto/com/daml/ledger/api/v2/value.js';

/** In every record inside it. Fields in the middle stay, whatever they are. */
export function withoutTrailingNones(value: Value): Value {
  const { record, list, textMap, genMap, variant, optional } = value;
  if (record) return new Value({ record: trimmed(record) });
  if (list) return new Value({ list: new List({ elements: list.elements.map(withoutTrailingNones) }) });
  if (textMap) {
    const entries = textMap.entries.map(
      (entry) => new TextMapEntry({ key: entry.key, ...held(entry.value) }),
    );
    return new Value({ textMap: new TextMap({ entries }) });
  }
  if (genMap) {
    const entries = genMap.entries.map(
      ({ key, value: content }) =>
        new GenMapEntry({ ...(key ? { key: withoutTrailingNones(key) } : {}), ...held(content) }),
    );
    return new Value({ genMap: new GenMap({ entries }) });
  }
  if (variant) {
    const { variantId, constructorName } = variant;
    return new Value({
      variant: new Variant({ ...(variantId ? { variantId } : {}), constructorName, ...held(variant.value) }),
    });
  }
  return optional ? new Value({ optional: new Optional(held(optional.value)) }) : value;
}

const held = (value: Value | undefined): { value?: Value } =>
  value === undefined ? {} : { value: withoutTrailingNones(value) };

function trimmed({ recordId, fields }: DamlRecord): DamlRecord {
  const last = fields.findLastIndex(({ value }) => !isNone(value));
  const kept = fields
    .slice(0, last + 1)
    .map(({ label, value }) => new RecordField({ label, ...held(value) }));
  return new DamlRecord({ ...(recordId ? { recordId } : {}), fields: kept });
}

const isNone = (value: Value | undefined): boolean =>
  value?.optional !== undefined && value.optional.value === undefined;
