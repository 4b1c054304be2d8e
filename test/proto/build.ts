// Builds a sample as a message of ours and as one of the official bindings.
import type { OfficialType } from './bindings.js';
import {
  isOpaque,
  isRepeated,
  itemType,
  mapValue,
  type Pair,
  type Sample,
  type SampleValue,
} from './samples.js';

type Pairs = ReadonlyMap<string, Pair>;
type Build = (name: string, sample: Sample) => object;

function pairOf(pairs: Pairs, name: string): Pair {
  const pair = pairs.get(name);
  if (!pair) throw new Error(`${name} is not on both sides`);
  return pair;
}

function isBytes(value: SampleValue): value is Uint8Array {
  return value instanceof Uint8Array;
}

/** Through the setters that our own code uses. */
export function buildOurs(pairs: Pairs, name: string, sample: Sample): { serialize(): Uint8Array } {
  const { ours, make } = pairOf(pairs, name);
  const build: Build = (type, inner) => buildOurs(pairs, type, inner);
  const message = new make();
  for (const [number, value] of Object.entries(sample)) {
    const field = ours.fields[number];
    if (!field || !(field.jsonName in message)) throw new Error(`${name} has no field ${number}`);
    const one = (item: SampleValue): unknown => {
      if (typeof item === 'bigint') return field.jstype ? item.toString() : Number(item);
      return typeof item === 'object' && !isBytes(item) ? build(itemType(field), item as Sample) : item;
    };
    if (mapValue(field)) {
      message[field.jsonName] = new Map(
        (value as [string, SampleValue][]).map(([key, item]) => [key, one(item)]),
      );
    } else {
      message[field.jsonName] = isRepeated(field) ? (value as SampleValue[]).map(one) : one(value);
    }
  }
  return message;
}

export function buildOfficial(pairs: Pairs, opaque: OfficialType, name: string, sample: Sample): object {
  const { ours, theirs } = pairOf(pairs, name);
  const build: Build = (type, inner) => buildOfficial(pairs, opaque, type, inner);
  // No prototype: the bindings read `constructor` of Variant and Enum from it where there is none.
  const value: Record<string, unknown> = Object.create(null);
  for (const [number, given] of Object.entries(sample)) {
    const field = ours.fields[number];
    const official = theirs.fields.find(({ no }) => String(no) === number);
    if (!field || !official) throw new Error(`${name} has no field ${number}`);
    const one = (item: SampleValue): unknown => {
      if (isBytes(item)) return isOpaque(field) ? opaque.fromBinary(item) : item;
      return typeof item === 'object' ? build(itemType(field), item as Sample) : item;
    };
    let built: unknown;
    if (mapValue(field)) {
      built = Object.fromEntries((given as [string, SampleValue][]).map(([key, item]) => [key, one(item)]));
    } else {
      built = isRepeated(field) ? (given as SampleValue[]).map(one) : one(given);
    }
    if (official.oneof)
      value[official.oneof] = { oneofKind: official.localName, [official.localName]: built };
    else value[official.localName] = built;
  }
  return theirs.create(value);
}
