// Writes what the hash of a prepared transaction covers: big-endian, each text and list preceded by its length.
import type { Identifier, Key, Value } from './transaction.js';
import { WireError } from './wire.js';

const TAGS = {
  unit: 0x00,
  bool: 0x01,
  int64: 0x02,
  numeric: 0x03,
  timestamp: 0x04,
  date: 0x05,
  party: 0x06,
  text: 0x07,
  contractId: 0x08,
  optional: 0x09,
  list: 0x0a,
  textMap: 0x0b,
  record: 0x0c,
  variant: 0x0d,
  enum: 0x0e,
  genMap: 0x0f,
} as const satisfies Record<Value['kind'], number>;

export class HashWriter {
  private buffer = Buffer.allocUnsafe(512);
  private length = 0;

  written(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  byte(value: number): void {
    const at = this.room(1);
    this.buffer[at] = value;
  }

  bool(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  int32(value: number): void {
    const at = this.room(4);
    this.buffer.writeInt32BE(value | 0, at);
  }

  int64(value: bigint): void {
    const at = this.room(8);
    this.buffer.writeBigUInt64BE(BigInt.asUintN(64, value), at);
  }

  /** As they are, without a length. */
  raw(bytes: Uint8Array): void {
    const at = this.room(bytes.length);
    this.buffer.set(bytes, at);
  }

  string(text: string): void {
    const length = Buffer.byteLength(text);
    this.int32(length);
    const at = this.room(length);
    this.buffer.write(text, at, 'utf8');
  }

  /** A contract id, as the bytes its digits stand for. */
  hex(text: string): void {
    const bytes = Buffer.from(text, 'hex');
    if (bytes.length * 2 !== text.length) throw new WireError(`a contract id that is not hex: ${text}`);
    this.int32(bytes.length);
    this.raw(bytes);
  }

  optional<T>(value: T | undefined, write: (value: T) => void): void {
    this.bool(value !== undefined);
    if (value !== undefined) write(value);
  }

  repeated<T>(values: readonly T[], write: (value: T) => void): void {
    this.int32(values.length);
    for (const value of values) write(value);
  }

  strings(texts: readonly string[]): void {
    this.repeated(texts, (text) => this.string(text));
  }

  identifier(id: Identifier | undefined): void {
    if (id === undefined) throw new WireError('an identifier is missing');
    this.string(id.packageId);
    this.strings(id.moduleName.split('.'));
    this.strings(id.entityName.split('.'));
  }

  key({ key, maintainers }: Key): void {
    if (key === undefined) throw new WireError('a contract key is empty');
    this.string(key.packageName);
    this.identifier(key.templateId);
    this.value(key.key);
    this.raw(key.hash);
    this.strings(maintainers);
  }

  value(value: Value | undefined): void {
    if (value === undefined) throw new WireError('a value is missing');
    this.byte(TAGS[value.kind]);
    switch (value.kind) {
      case 'unit':
        break;
      case 'bool':
        this.bool(value.value);
        break;
      case 'int64':
      case 'timestamp':
        this.int64(value.value);
        break;
      case 'date':
        this.int32(value.value);
        break;
      case 'numeric':
      case 'party':
      case 'text':
        this.string(value.value);
        break;
      case 'contractId':
        this.hex(value.value);
        break;
      case 'optional':
        this.optional(value.value.value, (some) => this.value(some));
        break;
      case 'list':
        this.repeated(value.value.elements, (element) => this.value(element));
        break;
      case 'textMap':
        this.repeated(value.value.entries, (entry) => {
          this.string(entry.key);
          this.value(entry.value);
        });
        break;
      case 'genMap':
        this.repeated(value.value.entries, (entry) => {
          this.value(entry.key);
          this.value(entry.value);
        });
        break;
      case 'record':
        this.optional(value.value.recordId, (id) => this.identifier(id));
        this.repeated(value.value.fields, (field) => {
          this.optional(field.label, (label) => this.string(label));
          this.value(field.value);
        });
        break;
      case 'variant':
        this.optional(value.value.variantId, (id) => this.identifier(id));
        this.string(value.value.constructorName);
        this.value(value.value.value);
        break;
      case 'enum':
        this.optional(value.value.enumId, (id) => this.identifier(id));
        this.string(value.value.constructorName);
        break;
    }
  }

  /** Call before using `buffer`: this may replace it. */
  private room(count: number): number {
    const from = this.length;
    this.length += count;
    if (this.length > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.length, this.buffer.length * 2));
      this.buffer.copy(larger, 0, 0, from);
      this.buffer = larger;
    }
    return from;
  }
}
