// One call on the channel, from request to answer. Knows nothing of what a call is for.
import { type ClientReadableStream, Metadata } from '@grpc/grpc-js';
import { localFailure, type ReadFailure, type SendOptions } from '../ports/ledger.js';
import { monotonic } from '../runtime/clock.js';
import { authorize, newerToken, type Patience, type TokenSource } from './auth.js';
import type { LedgerChannel } from './channel.js';
import { classifyRead, isPruned, type LocalErrorId } from './classify.js';
import { type LedgerStatus, statusOfError } from './status.js';

export interface Wire {
  readonly channel: LedgerChannel;
  readonly tokens: TokenSource;
  /** W3C `traceparent` for calls about a command id, or under a submission id, where it is traced. */
  readonly traceOf?: ((id: string) => string | null) | undefined;
  /** Open streams, cancelled when the ledger is closed. */
  readonly open: Set<{ cancel(): void }>;
}

/** What a generated service definition says about one method. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (message: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** The method was never called: nothing left this process. */
export interface NotCalled {
  readonly kind: 'not-called';
  readonly errorId: LocalErrorId | 'NOT_READY';
  readonly detail: string;
}
export interface Failed {
  readonly kind: 'status';
  readonly status: LedgerStatus;
}
export type Called<T> = { readonly kind: 'answer'; readonly value: T } | Failed | NotCalled;

interface UnaryOptions extends SendOptions {
  /** As a submission is sent: at most once. If false, a call on a connecting channel waits for the connection. */
  readonly onlyWhenReady?: boolean;
  /** The command, or the submission, that the call is about. */
  readonly about?: string;
}

const asIs = (bytes: Buffer): Buffer => bytes;

/**
 * One call, one answer. A read that is refused because of its token is retried once with a newer token, if there is
 * one; a submission is sent once, whatever the answer (rule 3).
 */
export async function unary<Request, Response>(
  wire: Wire,
  method: Method<Request, Response>,
  request: Request,
  options: UnaryOptions,
): Promise<Called<Response>> {
  const encoded = encode(method, request);
  // No await in here: what waits for the answer, seconds long and thousands at a time, would keep the request too.
  return encoded.kind === 'not-called' ? encoded : unaryEncoded(wire, method, encoded.bytes, options);
}

async function unaryEncoded<Request, Response>(
  wire: Wire,
  method: Method<Request, Response>,
  bytes: Buffer,
  options: UnaryOptions,
): Promise<Called<Response>> {
  const { signal, onlyWhenReady = false } = options;
  const left = countdown(options.timeoutMs);
  // A submission uses the token at hand: its lease was checked a moment ago, and time is running.
  const first = await authorize(wire.tokens, { timeoutMs: onlyWhenReady ? 0 : left(), signal });
  if (first.kind === 'unauthorized') return notCalled(first.errorId, first.detail);
  const once = (token: string | null) =>
    unaryOnce(wire, method, bytes, token, { ...options, timeoutMs: left() });
  const called = await once(first.token);
  if (onlyWhenReady || called.kind !== 'status' || !isUnauthenticated(called)) return called;
  const newer = await newerToken(wire.tokens, first.token, { timeoutMs: left(), signal });
  return newer === null ? called : once(newer);
}

/** There is no await from here to the call, so the channel that was checked is the one that is called. */
function unaryOnce<Request, Response>(
  wire: Wire,
  method: Method<Request, Response>,
  bytes: Buffer,
  token: string | null,
  options: UnaryOptions,
): Promise<Called<Response>> {
  return new Promise((resolve) => {
    const why = options.mayNotLeave?.() ?? null;
    if (why !== null) return resolve(notCalled('CALL_ABORTED', why));
    if (options.onlyWhenReady && !wire.channel.ready())
      return resolve(notCalled('NOT_READY', 'the channel is not ready'));
    if (options.timeoutMs <= 0) return resolve(notCalled('CALL_ABORTED', 'no time is left for the call'));
    const settle = (called: Called<Response>): void => {
      options.signal?.removeEventListener('abort', abort);
      if (called.kind === 'status' && isUnauthenticated(called)) tellRefused(wire, token);
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
        metadataFor(wire, token, options),
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

/**
 * Yields the stream's messages and returns how it ended: null if the server simply closed it. If the first message is
 * refused because of the token, the stream is reopened once with a newer one.
 */
export async function* serverStream<Request, Response>(
  wire: Wire,
  method: Method<Request, Response>,
  request: Request,
  options: Patience,
): AsyncGenerator<Response, Failed | NotCalled | null> {
  const encoded = encode(method, request);
  if (encoded.kind === 'not-called') return encoded;
  const { signal } = options;
  const left = options.timeoutMs === undefined ? undefined : countdown(options.timeoutMs);
  const time = () => (left === undefined ? { signal } : { timeoutMs: left(), signal });
  const first = await authorize(wire.tokens, time());
  if (first.kind === 'unauthorized') return notCalled(first.errorId, first.detail);
  const run = yield* streamOnce(wire, method, encoded.bytes, first.token, time());
  if (run.begun || run.ended === null || !isUnauthenticated(run.ended)) return run.ended;
  const newer = await newerToken(wire.tokens, first.token, time());
  return newer === null ? run.ended : (yield* streamOnce(wire, method, encoded.bytes, newer, time())).ended;
}

async function* streamOnce<Request, Response>(
  wire: Wire,
  method: Method<Request, Response>,
  bytes: Buffer,
  token: string | null,
  options: Patience,
): AsyncGenerator<Response, { readonly begun: boolean; readonly ended: Failed | null }> {
  let begun = false;
  let call: ClientReadableStream<Response> | undefined;
  const abort = (): void => call?.cancel();
  try {
    call = wire.channel.client.makeServerStreamRequest(
      method.path,
      asIs,
      method.responseDeserialize,
      bytes,
      metadataWith(token),
      options.timeoutMs === undefined ? {} : { deadline: deadlineIn(options.timeoutMs) },
    );
    wire.open.add(call);
    // Cancelling below emits an error event even when nobody iterates any more; unhandled, it would end the process.
    call.on('error', () => {});
    options.signal?.addEventListener('abort', abort, { once: true });
    // Messages are pulled one by one: a slow reader slows the participant down instead of filling our memory.
    for await (const message of call) {
      begun = true;
      yield message as Response;
    }
    return { begun, ended: null };
  } catch (error) {
    const ended: Failed = { kind: 'status', status: statusOfError(error) };
    if (isUnauthenticated(ended)) tellRefused(wire, token);
    return { begun, ended };
  } finally {
    options.signal?.removeEventListener('abort', abort);
    if (call !== undefined) {
      call.cancel();
      wire.open.delete(call);
    }
  }
}

function encode<Request>(
  method: Method<Request, unknown>,
  request: Request,
): NotCalled | { readonly kind: 'encoded'; readonly bytes: Buffer } {
  try {
    return { kind: 'encoded', bytes: method.requestSerialize(request) };
  } catch (error) {
    return notCalled('REQUEST_UNENCODABLE', error instanceof Error ? error.message : String(error));
  }
}

function metadataWith(token: string | null, traceparent: string | null = null): Metadata {
  const metadata = new Metadata({ waitForReady: false });
  if (token !== null) metadata.set('authorization', `Bearer ${token}`);
  if (traceparent !== null) metadata.set('traceparent', traceparent);
  return metadata;
}

function metadataFor(wire: Wire, token: string | null, { about, onlyWhenReady }: UnaryOptions): Metadata {
  const metadata = metadataWith(token, about === undefined ? null : wire.traceOf?.(about));
  // A belt: Istio's envoys resend a call by default, POSTs too, where nobody has told them not to (rule 3).
  if (onlyWhenReady) metadata.set('x-envoy-max-retries', '0');
  return metadata;
}

const isUnauthenticated = ({ status }: Failed): boolean => status.code === 'UNAUTHENTICATED';

function tellRefused(wire: Wire, token: string | null): void {
  if (token !== null) wire.tokens.refused(token);
}

/** The time left, on the monotonic clock (I7). */
function countdown(ms: number): () => number {
  const end = monotonic.elapsed() + ms;
  return () => end - monotonic.elapsed();
}

/**
 * gRPC takes a point in time and converts it back to a duration in the same tick, so a step of the wall clock has no
 * effect.
 */
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
  // Only a missing token affects everybody; a call that was aborted or cannot be encoded says nothing about the
  // participant.
  return localFailure(failed.errorId, failed.detail, failed.errorId === 'TOKEN_UNAVAILABLE');
}

/** An unreadable answer may concern one party alone, for example because of a strange holding. */
export const unreadable = (what: string): ReadFailure => {
  const { refusal, ...failure } = localFailure('ANSWER_UNREADABLE', what, false);
  return { ...failure, refusal: { ...refusal, kind: 'suspect' } };
};
