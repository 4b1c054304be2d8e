// Answers as a participant packs them: the status, and its details in grpc-status-details-bin.
import { status as Grpc, Metadata, type ServiceError } from '@grpc/grpc-js';
import { Any } from '#proto/google/protobuf/any.js';
import { Duration } from '#proto/google/protobuf/duration.js';
import { ErrorInfo, RequestInfo, ResourceInfo, RetryInfo } from '#proto/google/rpc/error_details.js';
import { Status } from '#proto/google/rpc/status.js';

export type CodeName = Exclude<keyof typeof Grpc, 'OK'>;

export interface Answer {
  readonly code: CodeName;
  readonly id?: string;
  readonly category?: number;
  readonly message?: string;
  readonly domain?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly retryMs?: number;
  readonly requestId?: string;
  readonly resources?: readonly (readonly [string, string])[];
}

const pack = (name: string, message: { serialize(): Uint8Array }): Any =>
  new Any({ typeUrl: `type.googleapis.com/google.rpc.${name}`, value: message.serialize() });

export function statusMessage(answer: Answer): Status {
  const { code, id, category, metadata = {}, retryMs, requestId, resources = [] } = answer;
  const details: Any[] = [];
  if (id !== undefined) {
    const entries = Object.entries({
      ...(category !== undefined && { category: String(category) }),
      ...metadata,
    });
    details.push(
      pack(
        'ErrorInfo',
        new ErrorInfo({ reason: id, domain: answer.domain ?? '', metadata: new Map(entries) }),
      ),
    );
  }
  if (retryMs !== undefined) {
    const retryDelay = new Duration({ seconds: Math.floor(retryMs / 1000), nanos: (retryMs % 1000) * 1e6 });
    details.push(pack('RetryInfo', new RetryInfo({ retryDelay })));
  }
  if (requestId !== undefined) details.push(pack('RequestInfo', new RequestInfo({ requestId })));
  for (const [resourceType, resourceName] of resources) {
    details.push(pack('ResourceInfo', new ResourceInfo({ resourceType, resourceName })));
  }
  const prefix = id === undefined ? '' : `${id}(${category ?? 0},abcdef12): `;
  return new Status({ code: Grpc[code], message: prefix + (answer.message ?? 'a cause'), details });
}

/** What a call throws. */
export function errorOf(answer: Answer): ServiceError {
  const status = statusMessage(answer);
  const metadata = new Metadata();
  if (status.details.length > 0) metadata.set('grpc-status-details-bin', Buffer.from(status.serialize()));
  return Object.assign(new Error(`${status.code} ${answer.code}: ${status.message}`), {
    code: status.code,
    details: status.message,
    metadata,
  });
}
