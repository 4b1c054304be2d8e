// What the ledger says no with, read from the wire.
import type { ServiceError } from '@grpc/grpc-js';
import { ErrorInfo, RequestInfo, ResourceInfo, RetryInfo } from '#proto/google/rpc/error_details.js';
import { Status } from '#proto/google/rpc/status.js';
import { failing } from './client.js';

/** What a failed call, or a rejected completion, carries. */
export interface Told {
  readonly code: number;
  readonly message: string;
  readonly errorInfo: ErrorInfo | undefined;
  readonly retryMs: number | undefined;
  readonly requestId: string | undefined;
  readonly resources: readonly (readonly [string, string])[];
}

export function toldBy(bytes: Uint8Array | Status): Told {
  const status = bytes instanceof Status ? bytes : Status.deserialize(bytes);
  const detail = (name: string) =>
    status.details.find((any) => any.typeUrl === `type.googleapis.com/google.rpc.${name}`)?.value;
  const [info, retry, request] = [detail('ErrorInfo'), detail('RetryInfo'), detail('RequestInfo')];
  const delay = retry && RetryInfo.deserialize(retry).retryDelay;
  return {
    code: status.code,
    message: status.message,
    errorInfo: info && ErrorInfo.deserialize(info),
    retryMs: delay && delay.seconds * 1000 + delay.nanos / 1e6,
    requestId: request && RequestInfo.deserialize(request).requestId,
    resources: status.details
      .filter((any) => any.typeUrl.endsWith('/google.rpc.ResourceInfo'))
      .map((any) => ResourceInfo.deserialize(any.value))
      .map((it) => [it.resourceType, it.resourceName]),
  };
}

export function toldByError(error: ServiceError): Told | undefined {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  return bytes instanceof Buffer ? toldBy(bytes) : undefined;
}

/** Why it was refused, by name; it must be. */
export const reasonOf = async (attempt: Promise<unknown>): Promise<string | undefined> =>
  toldByError(await failing(attempt))?.errorInfo?.reason;
