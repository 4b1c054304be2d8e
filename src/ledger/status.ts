// What a failed call or a completion's status says: google.rpc.Status and its packed details, read without trust.
import { status as Grpc, type ServiceError } from '@grpc/grpc-js';
import { ErrorInfo, RequestInfo, ResourceInfo, RetryInfo } from '#proto/google/rpc/error_details.js';
import { Status } from '#proto/google/rpc/status.js';

/** A gRPC status, as far as it can be read. What cannot be read is null or empty. */
export interface LedgerStatus {
  /** `DEADLINE_EXCEEDED` and so on; `UNKNOWN` for a number that gRPC does not define. */
  readonly code: GrpcCode;
  /** Canton's error id, from ErrorInfo alone. */
  readonly errorId: string | null;
  /** The same from the message's prefix `ID(category,correlation): `. Only a hint: anybody can write that. */
  readonly messageId: string | null;
  readonly category: number | null;
  /**
   * Who is speaking. Canton packs an ErrorInfo (with an empty domain) into every answer, or a RequestInfo alone if it
   * redacts one. A proxy's 403, a client's own deadline and a broken connection have neither.
   */
  readonly details: 'error-info' | 'request-info' | 'none';
  readonly retryAfterMs: number | null;
  readonly metadata: ReadonlyMap<string, string>;
  /** ResourceInfo as `TYPE=name`. */
  readonly resources: readonly string[];
  readonly message: string;
}

export type GrpcCode = Exclude<keyof typeof Grpc, 'OK'>;

const MESSAGE = /^([A-Z][A-Z0-9_]*)\((\d+),[^)]*\): /;
/** Canton's ids have at most 63 of these characters; nothing else may become a metric label or a log field. */
const ERROR_ID = /^[A-Z][A-Z0-9_]{0,62}$/;
/** Nothing of Canton's takes longer: what says a day is a proxy or a mistake, and a sender's whole lane would wait for it. */
const RETRY_MAX_MS = 600_000;

/** From anything a call threw. */
export function statusOfError(error: unknown): LedgerStatus {
  const { code, details, metadata } = (
    typeof error === 'object' && error !== null ? error : {}
  ) as Partial<ServiceError>;
  const trailer = attempt(() => metadata?.get('grpc-status-details-bin')[0]);
  const packed = trailer instanceof Uint8Array ? attempt(() => Status.deserialize(trailer)) : undefined;
  const message = typeof details === 'string' ? details : error instanceof Error ? error.message : '';
  return read(typeof code === 'number' ? code : Grpc.UNKNOWN, message, packed);
}

/** From a completion. */
export const statusOfCompletion = (status: Status): LedgerStatus => read(status.code, status.message, status);

function read(code: number, message: string, packed: Status | undefined): LedgerStatus {
  const [, messageId = null, messageCategory] = MESSAGE.exec(message) ?? [];
  const info = unpack(packed, 'ErrorInfo', ErrorInfo).find(
    (one) => one.domain === '' && ERROR_ID.test(one.reason),
  );
  const [retry] = unpack(packed, 'RetryInfo', RetryInfo);
  const known = unpack(packed, 'RequestInfo', RequestInfo).some((one) => one.requestId !== '');
  const metadata = new Map(info === undefined ? [] : info.metadata);
  return {
    code: nameOf(code),
    errorId: info?.reason ?? null,
    messageId,
    category: integer(metadata.get('category') ?? messageCategory),
    details: info !== undefined ? 'error-info' : known ? 'request-info' : 'none',
    retryAfterMs: retryMs(retry),
    metadata,
    resources: unpack(packed, 'ResourceInfo', ResourceInfo).map(
      (one) => `${one.resourceType}=${one.resourceName}`,
    ),
    message,
  };
}

function nameOf(code: number): GrpcCode {
  const name = Grpc[code];
  return name === undefined || name === 'OK' ? 'UNKNOWN' : (name as GrpcCode);
}

function unpack<T>(
  packed: Status | undefined,
  name: string,
  type: { deserialize(bytes: Uint8Array): T },
): T[] {
  return (packed?.details ?? []).flatMap((any) => {
    if (!any.typeUrl.endsWith(`/google.rpc.${name}`)) return [];
    const message = attempt(() => type.deserialize(any.value));
    return message === undefined ? [] : [message];
  });
}

function retryMs(retry: RetryInfo | undefined): number | null {
  const delay = retry?.retryDelay;
  if (delay === undefined) return null;
  const ms = Math.ceil(delay.seconds * 1000 + delay.nanos / 1e6);
  return ms >= 0 ? Math.min(ms, RETRY_MAX_MS) : null;
}

function integer(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : null;
}

/** Bytes from the network may be anything; unreadable ones say nothing. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
