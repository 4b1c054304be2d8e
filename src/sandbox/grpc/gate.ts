// What every call passes on its way in: faults, the token, the count. Reads are handled here, submissions elsewhere.
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  type ServerWritableStream,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { CallRefused, type LedgerError } from '../errors.js';
import type { FaultAction, FaultAnswer } from '../fault-schema.js';
import { type Answer, answerOf, find } from '../faults.js';
import type { Host } from '../host.js';
import type { Participant } from '../model/participant.js';
import { audienceOf, forbidden } from '../rights.js';
import { bareFailure, ledgerFailure } from './status.js';

/** What faults may match a read by. */
export interface ReadFacts {
  readonly parties?: readonly string[];
  readonly userId?: string;
  readonly commandId?: string;
  readonly receivers?: readonly string[];
  /** For a prepare call, read together with the acting parties. */
  readonly readAs?: readonly string[];
  /** Asks for what any party sees. */
  readonly anyParty?: boolean;
  /** What it needs rights for; default: reading. */
  readonly doing?: 'read' | 'prepare';
  /** Needs no token. */
  readonly openToAll?: true;
}

export function failureOf(answer: Answer, correlationId = ''): Partial<ServiceError> {
  return answer.kind === 'canton'
    ? ledgerFailure(answer.error, correlationId)
    : bareFailure(answer.code, answer.message);
}

/** Thrown if a participant would answer without Canton's details. */
export class BareRefusal extends Error {
  constructor(
    readonly code: status,
    message: string,
  ) {
    super(message);
  }
}

/** Anything a handler throws; whatever is not a refusal is our own bug, and is shown as one. */
export function failureFrom(thrown: unknown, correlationId = ''): Partial<ServiceError> {
  if (thrown instanceof CallRefused) return ledgerFailure(thrown.error, correlationId);
  if (thrown instanceof BareRefusal) return bareFailure(thrown.code, thrown.message);
  return bareFailure(
    status.INTERNAL,
    `the sandbox failed: ${thrown instanceof Error ? thrown.stack : thrown}`,
  );
}

/** Undefined if the caller may go on. */
export function unauthenticated(host: Host, metadata: Metadata): LedgerError | undefined {
  if (host.token === null) return undefined;
  const [given] = metadata.get('authorization');
  const audible = !host.settings.generation.wantsAudience || audienceOf(host.token) !== null;
  if (given === `Bearer ${host.token}` && audible) return undefined;
  return { id: 'UNAUTHENTICATED', cause: 'The command is missing a valid JWT token' };
}

/** Checked before any field. */
function unauthorized({ rights }: Host, { doing = 'read', parties = [], readAs = [], anyParty }: ReadFacts) {
  return forbidden(rights, doing, parties, anyParty) ?? forbidden(rights, 'read', readAs);
}

interface Entrance {
  readonly actions: readonly FaultAction[];
  readonly refused: Partial<ServiceError> | undefined;
}

function enter(host: Host, method: string, metadata: Metadata, facts: ReadFacts): Entrance {
  host.audit.read(method);
  const actions = host.faults.take({ parties: [], ...facts, method, submits: false });
  const refuse = find(actions, 'refuse');
  if (refuse) return { actions, refused: failureOf(answerOf(refuse.with)) };
  const error = facts.openToAll ? undefined : (unauthenticated(host, metadata) ?? unauthorized(host, facts));
  return { actions, refused: error && ledgerFailure(error, '') };
}

export function unary<Request, Response>(
  host: Host,
  method: string,
  facts: (request: Request) => ReadFacts,
  handle: (
    request: Request,
    participant: Participant,
    actions: readonly FaultAction[],
  ) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const { actions, refused } = enter(host, method, call.metadata, facts(call.request));
    if (refused) return callback(refused);
    if (find(actions, 'hang')) return;
    const { participant } = host;
    host.timers.after(find(actions, 'slow')?.ms ?? 0, () => {
      const answer = async () => handle(call.request, participant, actions);
      answer().then(
        (response) => callback(null, response),
        (thrown) => callback(failureFrom(thrown)),
      );
    });
  };
}

/** What a stream sends, pulled as fast as the caller accepts it. */
export interface Source<Message> {
  /** `wait`: nothing now, `wake` will be called; `end`: nothing any more. */
  next(): Message | 'wait' | 'end';
  close?(): void;
}

export function stream<Request, Message extends object>(
  host: Host,
  method: string,
  facts: (request: Request) => ReadFacts,
  open: (
    request: Request,
    participant: Participant,
    wake: () => void,
    actions: readonly FaultAction[],
  ) => Source<Message>,
): handleServerStreamingCall<Request, Message> {
  return (call) => {
    const { actions, refused } = enter(host, method, call.metadata, facts(call.request));
    if (refused) return void call.emit('error', refused);
    if (find(actions, 'hang')) return;
    const { participant } = host;
    host.timers.after(find(actions, 'slow')?.ms ?? 0, () => {
      if (!call.cancelled)
        pump(host, call, (wake) => open(call.request, participant, wake, actions), actions);
    });
  };
}

/** What envoy answers when a route's time-out is over, streams included. */
const TIMED_OUT: FaultAnswer = { grpc: 'UNAVAILABLE', message: 'upstream request timeout' };

function pump<Request, Message extends object>(
  host: Host,
  call: ServerWritableStream<Request, Message>,
  open: (wake: () => void) => Source<Message>,
  actions: readonly FaultAction[],
): void {
  const breaking = find(actions, 'breakStream');
  let source: Source<Message> | undefined;
  let sent = 0;
  let over = false;
  let draining = false;
  const close = () => {
    over = true;
    source?.close?.();
    forget();
  };
  const fail = (failure: Partial<ServiceError>) => {
    if (over) return;
    close();
    call.emit('error', failure);
  };
  const end = () => {
    if (over) return;
    close();
    call.end();
  };
  const cutting = find(actions, 'cutStreams');
  if (cutting) {
    const { afterMs, with: how = TIMED_OUT } = cutting;
    host.timers.after(afterMs, () => (how === 'end' ? end() : fail(failureOf(answerOf(how)))));
  }
  const wake = () => {
    while (source && !over && !draining) {
      if (breaking && sent >= breaking.afterMessages) return fail(failureOf(answerOf(breaking.with)));
      const message = source.next();
      if (message === 'wait') return;
      if (message === 'end') return end();
      sent += 1;
      if (call.write(message)) continue;
      draining = true;
      call.once('drain', () => {
        draining = false;
        wake();
      });
    }
  };
  const forget = host.onTokenChange(() => {
    const error = unauthenticated(host, call.metadata);
    if (error) fail(ledgerFailure({ id: 'ACCESS_TOKEN_EXPIRED', cause: 'Claims were valid until now' }, ''));
  });
  call.once('cancelled', close);
  call.once('close', close);
  try {
    source = open(wake);
  } catch (thrown) {
    fail(failureFrom(thrown));
  }
  wake();
}
