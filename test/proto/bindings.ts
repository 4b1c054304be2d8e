// Two implementations of one message side by side: ours and the official bindings (protobuf-ts). Both are
// reached by message name, so that the round trips need not list what they try.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type OurField, type OurMessage, root } from './descriptors.js';

/** A generated class of ours, as far as the round trips use it. */
export interface OurClass {
  new (): Record<string, unknown> & { serialize(): Uint8Array };
  deserialize(bytes: Uint8Array): { serialize(): Uint8Array };
}

interface OfficialField {
  readonly no: number;
  readonly localName: string;
  readonly oneof?: string;
}

/** protobuf-ts's MessageType, as far as the round trips use it. */
export interface OfficialType {
  readonly typeName: string;
  readonly fields: readonly OfficialField[];
  create(value: Record<string, unknown>): object;
  toBinary(message: object): Uint8Array;
  fromBinary(bytes: Uint8Array): object;
}

// The package exports only its entry, which has few of these messages; by path they are all there.
const official = join(root, 'node_modules/@canton-network/core-ledger-proto/dist/esm/_proto');

function isOfficialType(value: unknown): value is OfficialType {
  return typeof value === 'object' && value !== null && 'typeName' in value && 'fromBinary' in value;
}

/** Every official message that shares a file with one of ours, by name. */
export async function officialTypes(protoFiles: Iterable<string>): Promise<Map<string, OfficialType>> {
  const types = new Map<string, OfficialType>();
  for (const file of new Set(protoFiles)) {
    const path = join(official, file.replace(/\.proto$/, '.js'));
    if (!existsSync(path)) continue;
    const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
    for (const type of Object.values(module).filter(isOfficialType)) types.set(type.typeName, type);
  }
  return types;
}

export async function ourClass({ file, className }: OurMessage): Promise<OurClass> {
  const path = join(root, 'proto/gen', file.replace(/\.proto$/, '.js'));
  const module = (await import(pathToFileURL(path).href)) as Record<string, OurClass>;
  const found = module[className];
  if (!found) throw new Error(`${file} generates no ${className}`);
  return found;
}

/** Fields that both sides have, by number. */
export function sharedFields(ours: OurMessage, theirs: OfficialType): [OurField, OfficialField][] {
  return theirs.fields.flatMap((field) => {
    const our = ours.fields[field.no];
    return our ? [[our, field] as [OurField, OfficialField]] : [];
  });
}
