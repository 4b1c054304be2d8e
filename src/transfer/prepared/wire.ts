// Protobuf's wire format, read once and strictly, for bytes that a signature will cover. A general parser is lenient
// where this one must not be: it drops a byte order mark, takes the last of two values, makes a number of 64 bits.

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** The bytes are not such a message. */
export class WireError extends Error {}

/** How to read one value, once its tag has been read. */
export interface Type<T> {
  readonly wire: typeof VARINT | typeof FIXED64 | typeof BYTES;
  read(reader: Reader): T;
}

export class Reader {
  constructor(
    private readonly buffer: Buffer,
    private at: number,
    private readonly end: number,
  ) {}

  static of(bytes: Uint8Array): Reader {
    return new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength);
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** Up to 32 bits: tags, lengths, bools. */
  small(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    const value = this.rest(BigInt(first & 0x7f));
    if (value > 0xffff_ffffn) throw new WireError(`${value} where 32 bits are expected`);
    return Number(value);
  }

  /** Up to 64 bits. */
  varint(): bigint {
    const first = this.byte();
    return first < 0x80 ? BigInt(first) : this.rest(BigInt(first & 0x7f));
  }

  private rest(first: bigint): bigint {
    let value = first;
    for (let shift = 7n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new WireError('a number of more than ten bytes');
  }

  fixed64(): bigint {
    return this.buffer.readBigInt64LE(this.advance(8));
  }

  bytes(): Buffer {
    const length = this.small();
    const from = this.advance(length);
    return this.buffer.subarray(from, from + length);
  }

  string(): string {
    const length = this.small();
    const from = this.advance(length);
    const text = this.buffer.toString('utf8', from, from + length);
    // Invalid UTF-8 is read as this character, which may also be a genuine one.
    return text.includes('\ufffd') ? strict(this.buffer.subarray(from, from + length)) : text;
  }

  /** The next message, as a reader of its own. */
  inner(): Reader {
    const length = this.small();
    const from = this.advance(length);
    return new Reader(this.buffer, from, from + length);
  }

  /** A field that is not known here. No hash covers it either. */
  skip(wire: number): void {
    switch (wire) {
      case VARINT:
        this.varint();
        return;
      case FIXED64:
        this.advance(8);
        return;
      case BYTES:
        this.advance(this.small());
        return;
      case FIXED32:
        this.advance(4);
        return;
      default:
        throw new WireError(`wire type ${wire}`);
    }
  }

  private byte(): number {
    return this.buffer.readUInt8(this.advance(1));
  }

  private advance(count: number): number {
    const from = this.at;
    if (count > this.end - from) throw new WireError('it ends too early');
    this.at = from + count;
    return from;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function strict(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new WireError('a text that is not UTF-8');
  }
}

export const string: Type<string> = { wire: BYTES, read: (reader) => reader.string() };
export const bytes: Type<Uint8Array> = { wire: BYTES, read: (reader) => reader.bytes() };
export const bool: Type<boolean> = { wire: VARINT, read: (reader) => reader.varint() !== 0n };
export const uint32: Type<number> = { wire: VARINT, read: (reader) => reader.small() };
/** A negative one takes all ten bytes. */
export const int32: Type<number> = {
  wire: VARINT,
  read: (reader) => Number(BigInt.asIntN(32, reader.varint())),
};
export const uint64: Type<bigint> = { wire: VARINT, read: (reader) => reader.varint() };
/** Zig-zag. */
export const sint64: Type<bigint> = {
  wire: VARINT,
  read: (reader) => {
    const value = reader.varint();
    return value & 1n ? -((value + 1n) >> 1n) : value >> 1n;
  },
};
export const sfixed64: Type<bigint> = { wire: FIXED64, read: (reader) => reader.fixed64() };

export interface Field<T> {
  readonly number: number;
  readonly type: Type<unknown>;
  readonly many: boolean;
  readonly absent: T;
}

/** An absent field reads as `absent`, as in proto3. */
export const field = <T>(number: number, type: Type<T>, absent: T): Field<T> => ({
  number,
  type,
  absent,
  many: false,
});
export const optional = <T>(number: number, type: Type<T>): Field<T | undefined> => ({
  number,
  type,
  absent: undefined,
  many: false,
});
const NOTHING: readonly never[] = Object.freeze([]);
export const repeated = <T>(number: number, type: Type<T>): Field<readonly T[]> => ({
  number,
  type,
  absent: NOTHING,
  many: true,
});

type Fields = Readonly<Record<string, Field<unknown>>>;
export type Message<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

export interface MessageType<T> extends Type<T> {
  /** Reads the content alone, without a length before it. */
  parse(content: Reader): T;
}

const messageType = <T>(parse: (content: Reader) => T): MessageType<T> => ({
  wire: BYTES,
  parse,
  read: (reader) => parse(reader.inner()),
});

/** Throws a WireError if a field that is not repeated comes twice (which of the two would count?). */
export function message<F extends Fields>(fields: F): MessageType<Message<F>> {
  const entries = Object.entries(fields);
  const byNumber = new Map(
    entries.map(([name, one], index) => [one.number, { name, bit: 1 << index, ...one }]),
  );
  const absent = Object.fromEntries(entries.map(([name, one]) => [name, one.absent]));
  return messageType((reader) => {
    const found: Record<string, unknown> = { ...absent };
    let seen = 0;
    while (!reader.done) {
      const tag = reader.small();
      const known = byNumber.get(tag >>> 3);
      if (known === undefined) {
        reader.skip(tag & 7);
        continue;
      }
      const { name, type, many, bit } = known;
      const value = readAs(type, tag, name, reader);
      const again = (seen & bit) !== 0;
      seen |= bit;
      if (!many) {
        if (again) throw new WireError(`${name} is there twice`);
        found[name] = value;
      } else if (again) (found[name] as unknown[]).push(value);
      else found[name] = [value];
    }
    return found as Message<F>;
  });
}

function readAs(type: Type<unknown>, tag: number, name: string, reader: Reader): unknown {
  if (type.wire !== (tag & 7)) throw new WireError(`${name} is of wire type ${tag & 7}`);
  return type.read(reader);
}

type Cases = Readonly<Record<string, readonly [number: number, type: Type<unknown>]>>;
export type OneOf<C extends Cases> = {
  [K in keyof C & string]: {
    readonly kind: K;
    readonly value: C[K][1] extends Type<infer T> ? T : never;
  };
}[keyof C & string];

/** A message that consists of one oneof. Throws a WireError if none of its cases is set, or more than one. */
export function oneOf<C extends Cases>(what: string, cases: C): MessageType<OneOf<C>> {
  const byNumber = new Map(Object.entries(cases).map(([kind, [number, type]]) => [number, { kind, type }]));
  return messageType((reader) => {
    let found: { kind: string; value: unknown } | null = null;
    while (!reader.done) {
      const tag = reader.small();
      const known = byNumber.get(tag >>> 3);
      if (known === undefined) {
        reader.skip(tag & 7);
        continue;
      }
      if (found !== null) throw new WireError(`${what} of two kinds`);
      found = { kind: known.kind, value: readAs(known.type, tag, known.kind, reader) };
    }
    if (found === null) throw new WireError(`${what} of a kind that is not known`);
    return found as OneOf<C>;
  });
}
