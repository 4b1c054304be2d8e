// Errors as Canton puts them on the wire: a status message, and google.rpc.Status in grpc-status-details-bin.
import { type status as Grpc, Metadata, type ServiceError } from '@grpc/grpc-js';
import { Any } from '#proto/google/protobuf/any.js';
import { Duration } from '#proto/google/protobuf/duration.js';
import { ErrorInfo, RequestInfo, ResourceInfo, RetryInfo } from '#proto/google/rpc/error_details.js';
import { Status } from '#proto/google/rpc/status.js';
import { type ErrorCode, errorCode, type LedgerError } from '../errors.js';
import { sha256Hex } from '../random.js';

/** The same message with the same details, in an answer and in a completion. */
export function statusOf(error: LedgerError, correlationId: string): Status {
  const code = errorCode(error.id);
  const traceId = sha256Hex(correlationId).slice(0, 32);
  const request = pack('RequestInfo', new RequestInfo({ requestId: correlationId || traceId }));
  if (code.redacted) {
    const message = `An error occurred. Please contact the operator and inquire about the request ${correlationId || '<no-correlation-id>'} with tid ${traceId}`;
    return new Status({ code: code.grpc, message, details: [request] });
  }
  const message = `${error.id}(${code.category},${correlationId.slice(0, 8) || '0'}): ${error.cause.slice(0, 512)}`;
  const retryMs = error.retryMs ?? code.retryMs;
  return new Status({
    code: code.grpc,
    message,
    details: [
      pack('ErrorInfo', errorInfo(error, code, traceId)),
      ...(retryMs === undefined
        ? []
        : [pack('RetryInfo', new RetryInfo({ retryDelay: durationOf(retryMs) }))]),
      request,
      ...(error.resources ?? []).map(([resourceType, resourceName]) =>
        pack('ResourceInfo', new ResourceInfo({ resourceType, resourceName })),
      ),
    ],
  });
}

function errorInfo(error: LedgerError, code: ErrorCode, traceId: string): ErrorInfo {
  const metadata = new Map([
    ['category', `${code.category}`],
    ['definite_answer', `${code.definite}`],
    ['tid', traceId],
    ...Object.entries(error.metadata ?? {}),
  ]);
  return new ErrorInfo({ reason: error.id, domain: '', metadata });
}

function pack(type: string, message: { serialize(): Uint8Array }): Any {
  return new Any({ typeUrl: `type.googleapis.com/google.rpc.${type}`, value: message.serialize() });
}

export function durationOf(ms: number): Duration {
  const seconds = Math.floor(ms / 1000);
  return new Duration({ seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) });
}

/** What a call fails with. */
export function ledgerFailure(error: LedgerError, correlationId: string): Partial<ServiceError> {
  const status = statusOf(error, correlationId);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(status.serialize()));
  return { code: status.code, details: status.message, metadata };
}

/** How something that is not Canton (a proxy, the transport) fails a call: without any details. */
export function bareFailure(code: Grpc, details: string): Partial<ServiceError> {
  return { code, details, metadata: new Metadata() };
}
