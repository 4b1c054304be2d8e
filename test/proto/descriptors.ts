// Our .proto files as buf compiles them, flattened to what the tests compare.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** One field the way the wire contract writes it. */
export interface ContractField {
  readonly name: string;
  /** `repeated X`, `map<K,V>` or plain; messages and enums by full name. */
  readonly type: string;
  readonly oneof?: string;
  /** proto3 `optional`. */
  readonly optional?: true;
}

export interface Contract {
  readonly services: Readonly<
    Record<string, Readonly<Record<string, { request: string; response: string }>>>
  >;
  readonly enums: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly messages: Readonly<Record<string, Readonly<Record<string, ContractField>>>>;
}

export interface OurField extends ContractField {
  readonly jsonName: string;
  readonly jstype: string | undefined;
}

/** A message of ours and where its generated class is. */
export interface OurMessage {
  readonly file: string;
  readonly className: string;
  readonly fields: Readonly<Record<string, OurField>>;
}

export interface OurProtos {
  readonly services: Contract['services'];
  readonly enums: Contract['enums'];
  readonly messages: Readonly<Record<string, OurMessage>>;
}

interface FieldProto {
  name: string;
  number: number;
  label: string;
  type: string;
  typeName?: string;
  jsonName: string;
  oneofIndex?: number;
  proto3Optional?: boolean;
  options?: { jstype?: string };
}

interface EnumProto {
  name: string;
  value: { name: string; number: number }[];
}

interface MessageProto {
  name: string;
  field?: FieldProto[];
  nestedType?: MessageProto[];
  enumType?: EnumProto[];
  oneofDecl?: { name: string }[];
  options?: { mapEntry?: boolean };
}

interface FileProto {
  name: string;
  package: string;
  messageType?: MessageProto[];
  enumType?: EnumProto[];
  service?: {
    name: string;
    method: { name: string; inputType: string; outputType: string; serverStreaming?: boolean }[];
  }[];
}

function typeOf(field: FieldProto): string {
  return field.typeName?.slice(1) ?? field.type.replace('TYPE_', '').toLowerCase();
}

function flattenField(field: FieldProto, message: MessageProto): OurField {
  const entry = message.nestedType?.find(
    (nested) => nested.options?.mapEntry && typeOf(field).endsWith(`.${nested.name}`),
  );
  const [key, value] = entry?.field ?? [];
  const plain = key && value ? `map<${typeOf(key)},${typeOf(value)}>` : typeOf(field);
  const oneof = field.proto3Optional ? undefined : message.oneofDecl?.[field.oneofIndex ?? -1]?.name;
  return {
    name: field.name,
    type: field.label === 'LABEL_REPEATED' && !entry ? `repeated ${plain}` : plain,
    ...(oneof ? { oneof } : {}),
    ...(field.proto3Optional ? { optional: true as const } : {}),
    jsonName: field.jsonName,
    jstype: field.options?.jstype,
  };
}

function flattenEnum(declared: EnumProto): Record<string, string> {
  return Object.fromEntries(declared.value.map(({ name, number = 0 }) => [number, name]));
}

export function ourProtos(): OurProtos {
  const buf = join(root, 'node_modules/@bufbuild/buf/bin/buf');
  const json = execFileSync(process.execPath, [buf, 'build', join(root, 'proto'), '-o', '-#format=json'], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const services: Record<string, Record<string, { request: string; response: string }>> = {};
  const enums: Record<string, Record<string, string>> = {};
  const messages: Record<string, OurMessage> = {};

  const addMessage = (file: string, scope: string, prefix: string, message: MessageProto): void => {
    if (message.options?.mapEntry) return;
    const full = `${scope}.${message.name}`;
    const className = prefix + message.name;
    const fields = (message.field ?? []).map(
      (field) => [field.number, flattenField(field, message)] as const,
    );
    messages[full] = { file, className, fields: Object.fromEntries(fields) };
    for (const nested of message.nestedType ?? []) addMessage(file, full, className, nested);
    for (const nested of message.enumType ?? []) enums[`${full}.${nested.name}`] = flattenEnum(nested);
  };

  for (const file of (JSON.parse(json.toString()) as { file: FileProto[] }).file) {
    for (const message of file.messageType ?? []) addMessage(file.name, file.package, '', message);
    for (const declared of file.enumType ?? [])
      enums[`${file.package}.${declared.name}`] = flattenEnum(declared);
    for (const service of file.service ?? []) {
      const methods = service.method.map(
        ({ name, inputType, outputType, serverStreaming }) =>
          [
            name,
            {
              request: inputType.slice(1),
              response: (serverStreaming ? 'stream ' : '') + outputType.slice(1),
            },
          ] as const,
      );
      services[`${file.package}.${service.name}`] = Object.fromEntries(methods);
    }
  }
  return { services, enums, messages };
}
