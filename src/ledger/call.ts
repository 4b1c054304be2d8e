// One call on the channel, from request to answer. Nothing here knows what a call is about.
import { type ClientReadableStream, Metadata } from '@grpc/grpc-js';
import type { Offset } from '../core/ids.js';
import type { CallOptions, ReadFailure } from '../core/ports.js';
import type { TokenSource } from './auth.js';
import type { LedgerChannel } from './channel.js';
import { classifyRead, isPruned, type localErrorIds } from './classify.js';
import { type LedgerStatus, statusOfError } from './errors.js';

export interface Wire {
  readonly channel: LedgerChannel;
  readonly tokens: TokenSource;
  /** Streams under way, to be ended when the ledger is closed. */
  readonly open: Set<{ cancel(): void }>;
}

/** What a generated service definition says of one method. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (message: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** The method was not called: nothing left this process. */
export interface NotCalled {
  readonly kind: 'not-called';
  readonly errorId: (typeof localErrorIds)[number] | 'NOT_READY';
  readonly detail: string;
}
export interface Failed {
  readonly kind: 'status';
  readonly status: LedgerStatus;
}
export type Called<T> = { readonly kind: 'answer'; readonly value: T } | Failed | NotCalled;

interface UnaryOptions extends CallOptions {
  /** Without it a call on a channel that is connecting waits for it. */
  readonly onlyWhenReady?: boolean;
}

const asIs = (bytes: Buffer): Buffer => bytes;

export async function unary<Request, Response>(
  wire: Wire,
  method: Method<Request, Response>,
  request: Request,
  options: UnaryOptions,
): Promise<Called<Response>> {
  const prepared = await prepare(wire, method, request, options.signal);
  if (prepared.kind === 'not-called') return prepared;
  const { bytes, metadata } = prepared;
  // From here to the call there is no await: the channel that is asked is the one that is called.
  if (options.onlyWhenReady && !wire.channel.ready())
    return notCalled('NOT_READY', 'the channel is not ready');
  if (options.timeoutMs <= 0) return notCalled('CALL_ABORTED', 'no time is left for the call');
  return new Promise((resolve) => {
    const settle = (called: Called<Response>): void => {
      options.signal?.removeEventListener('abort', abort);
      if (called.kind === 'status' && called.status.code === 'UNAUTHENTICATED') wire.tokens.refused();
      resolve(called);
    };
    const abort = (): void => call?.cancel();
    let call: { cancel(): void } | undefined;
    try {
      call = wire.channel.client.makeUnaryRequest(
        method.path,
        asIs,
        method.responseDeserialize,
        bytes,
        metadata,
        { deadline: deadlineIn(options.timeoutMs) },
        (error, value) => {
          if (error !== null) settle({ kind: 'status', status: statusOfError(error) });
          else if (value === undefined)
            settle({ kind: 'status', status: statusOfError(new Error('an empty answer')) });
          else settle({ kind: 'answer', value });
        },
      );
      options.signal?.addEventListener('abort', abort, { once: true });
    } catch (error) {
      settle({ kind: 'status', status: statusOfError(error) });
    }
  });
}

/** Yields the stream's messages; returns how it ended: null where the server simply ended it. */
export async function* serverStream<Request, Response>(
  wire: Wire,
  method: Method<Request, Response>,
  request: Request,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Response, Failed | NotCalled | null> {
  const prepared = await prepare(wire, method, request, options.signal);
  if (prepared.kind === 'not-called') return prepared;
  let call: ClientReadableStream<Response> | undefined;
  const abort = (): void => call?.cancel();
  try {
    call = wire.channel.client.makeServerStreamRequest(
      method.path,
      asIs,
      method.responseDeserialize,
      prepared.bytes,
      prepared.metadata,
      options.timeoutMs === undefined ? {} : { deadline: deadlineIn(options.timeoutMs) },
    );
    wire.open.add(call);
    // The cancel below ends in an error event too, when nobody iterates any more: unheard it would end the process.
    call.on('error', () => {});
    options.signal?.addEventListener('abort', abort, { once: true });
    // Pulled message by message: a slow reader slows the participant, not this process's memory.
    for await (const message of call) yield message as Response;
    return null;
  } catch (error) {
    const status = statusOfError(error);
    if (status.code === 'UNAUTHENTICATED') wire.tokens.refused();
    return { kind: 'status', status };
  } finally {
    options.signal?.removeEventListener('abort', abort);
    if (call !== undefined) {
      call.cancel();
      wire.open.delete(call);
    }
  }
}

/** Everything that takes time, before anybody asks whether the channel is ready. */
async function prepare<Request>(
  wire: Wire,
  method: Method<Request, unknown>,
  request: Request,
  signal: AbortSignal | undefined,
): Promise<NotCalled | { readonly kind: 'prepared'; readonly bytes: Buffer; readonly metadata: Metadata }> {
  let bytes: Buffer;
  try {
    bytes = method.requestSerialize(request);
  } catch (error) {
    return notCalled('REQUEST_UNENCODABLE', error instanceof Error ? error.message : String(error));
  }
  const token = await wire.tokens.read();
  if (token.kind === 'no-token') return notCalled('TOKEN_UNAVAILABLE', token.detail);
  if (signal?.aborted) return notCalled('CALL_ABORTED', 'aborted before the call');
  const metadata = new Metadata({ waitForReady: false });
  if (token.token !== null) metadata.set('authorization', `Bearer ${token.token}`);
  return { kind: 'prepared', bytes, metadata };
}

/** gRPC wants a point in time and turns it back into a span in the same tick: a step of the wall clock moves nothing. */
const deadlineIn = (ms: number): Date => new Date(Date.now() + ms);

const notCalled = (errorId: NotCalled['errorId'], detail: string): NotCalled => ({
  kind: 'not-called',
  errorId,
  detail,
});

export function readFailure(failed: Failed | NotCalled): ReadFailure {
  if (failed.kind === 'status') {
    return { kind: 'failed-read', refusal: classifyRead(failed.status), pruned: isPruned(failed.status) };
  }
  // Only the token is everybody's; a call that was aborted, or cannot be encoded, says nothing of the participant.
  return localFailure(failed.errorId, failed.detail, failed.errorId === 'TOKEN_UNAVAILABLE');
}

export const localFailure = (errorId: string, detail: string, everybodys: boolean): ReadFailure => ({
  kind: 'failed-read',
  refusal: {
    kind: everybodys ? 'not-the-row' : 'try-again',
    blame: everybodys ? 'all' : 'sender',
    errorId,
    detail,
    retryAfterMs: null,
  },
  pruned: false,
});

export const unreadable = (what: string): ReadFailure => localFailure('ANSWER_UNREADABLE', what, true);

/** 64 bits come as decimal text; an offset is never negative. */
export const offsetOf = (text: string): Offset | null => (/^\d{1,19}$/.test(text) ? BigInt(text) : null);
