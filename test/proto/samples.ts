// Arbitrary messages in a neutral form, and the same one built with either implementation.
import fc from 'fast-check';
import { type OfficialType, type OurClass, sharedFields } from './bindings.js';
import type { OurField, OurMessage, OurProtos } from './descriptors.js';

/** Values by field number; 64 bits as bigint, maps as pairs. */
export interface Sample {
  readonly [number: number]: SampleValue;
}

export type SampleValue = string | number | bigint | boolean | Uint8Array | Sample | readonly SampleValue[];

/** A message as both sides know it. */
export interface Pair {
  readonly ours: OurMessage;
  readonly make: OurClass;
  readonly theirs: OfficialType;
}

const scalars: Readonly<Record<string, fc.Arbitrary<SampleValue>>> = {
  // Ours lose a byte order mark at the beginning of a string.
  string: fc.string({ maxLength: 8, unit: 'binary' }).filter((text) => !text.startsWith('\ufeff')),
  bytes: fc.uint8Array({ maxLength: 8 }),
  bool: fc.boolean(),
  int32: fc.integer(),
  uint32: fc.nat({ max: 0xffff_ffff }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  sint64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  sfixed64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
};

/** Numbers in JS, where ours have no jstype. */
const seconds = fc.bigInt({ min: BigInt(Number.MIN_SAFE_INTEGER), max: BigInt(Number.MAX_SAFE_INTEGER) });

/** Not like an integer: plain objects, the official maps, would sort those first. */
const mapKey = fc.string({ maxLength: 4 }).map((text) => `k${text}`);

export class Samples {
  readonly #memo = new Map<string, fc.Arbitrary<Sample>>();

  constructor(
    private readonly protos: OurProtos,
    private readonly pairs: ReadonlyMap<string, Pair>,
    /** What a field holds that is bytes with us and a message with them: an encoding of the latter. */
    private readonly opaque: fc.Arbitrary<Uint8Array>,
  ) {}

  /** Messages of this name, with others inside them down to `depth`. */
  of(name: string, depth = 4): fc.Arbitrary<Sample> {
    const key = `${name} ${depth}`;
    const known = this.#memo.get(key);
    if (known) return known;
    const made = this.#message(name, depth);
    this.#memo.set(key, made);
    return made;
  }

  #message(name: string, depth: number): fc.Arbitrary<Sample> {
    const pair = this.pairs.get(name);
    if (!pair) throw new Error(`no samples of ${name}`);
    /** A field outside of any oneof is a group of its own. */
    const groups = new Map<string, fc.Arbitrary<Sample>[]>();
    for (const [field, { no }] of sharedFields(pair.ours, pair.theirs)) {
      const value = this.#field(field, depth);
      if (!value) continue;
      const group = field.oneof ?? String(no);
      groups.set(group, [...(groups.get(group) ?? []), value.map((given): Sample => ({ [no]: given }))]);
    }
    const parts = [...groups.values()].map((cases) => fc.option(fc.oneof(...cases), { nil: {} }));
    return fc.tuple(...parts).map((chosen): Sample => Object.assign({}, ...chosen));
  }

  /** Nothing where it would go deeper than it may. */
  #field(field: OurField, depth: number): fc.Arbitrary<SampleValue> | undefined {
    if (isOpaque(field)) return this.opaque;
    const map = mapValue(field);
    const type = itemType(field);
    if (this.protos.messages[type] && depth === 0) return undefined;
    const item = this.#item(type, field, depth);
    if (map) return fc.uniqueArray(fc.tuple(mapKey, item), { maxLength: 3, selector: ([key]) => key });
    return isRepeated(field) ? fc.array(item, { maxLength: 3 }) : item;
  }

  #item(type: string, field: OurField, depth: number): fc.Arbitrary<SampleValue> {
    if (type === 'int64' && !field.jstype) return seconds;
    const scalar = scalars[type];
    if (scalar) return scalar;
    const values = this.protos.enums[type];
    return values ? fc.constantFrom(...Object.keys(values).map(Number)) : this.of(type, depth - 1);
  }
}

/** Bytes with us and a message with them. */
export function isOpaque(field: OurField): boolean {
  return field.name === 'prepared_transaction' && field.type === 'bytes';
}

export function isRepeated(field: OurField): boolean {
  return field.type.startsWith('repeated ');
}

export function mapValue(field: OurField): string | undefined {
  return /^map<string,(.+)>$/.exec(field.type)?.[1];
}

/** The type of one value, of those that a repeated field or a map holds. */
export function itemType(field: OurField): string {
  return mapValue(field) ?? field.type.replace('repeated ', '');
}
