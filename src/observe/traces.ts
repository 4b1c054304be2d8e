// Traces: one subscriber to the events, which makes a span of each attempt of a row, by OpenTelemetry's own API. Loaded only
// where TRACES is on. Whoever starts the process brings the SDK and the exporter (docs/traces.md).
import {
  type Attributes,
  type Context,
  isSpanContextValid,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Observable } from 'rxjs';
import type { Clock } from '../ports/clock.js';
import type { Outcome } from '../protocol/outcome.js';
import { verdictName } from '../protocol/verdict.js';
import type { SubmitterEvent } from './events.js';

export interface Traces {
  /** False: no SDK is there that would record a span. */
  readonly recorded: boolean;
  /** `traceparent` for calls about this transaction, or under this submission id. Null: it is not traced. */
  header(id: string): string | null;
  /** The traces in which these rows were inserted, by row: told before the rows are taken. */
  inserted(parents: ReadonlyMap<string, string>): void;
  /** Whatever the SDK still has. */
  flush(): Promise<void>;
}

interface TracedAttempt {
  readonly root: Span;
  readonly context: Context;
  readonly txHash: string;
  /** The database's time at the claim, and ours: spans of all instances are on the database's clock (I7). */
  readonly at: number;
  readonly since: number;
  /** Where the next step begins. */
  stepBegan: number;
  submissionId: string | null;
  call: { readonly span: Span; readonly context: Context } | null;
}

const NAME = 'canton-submitter';
/** Parents of rows that are never taken must not pile up. */
const MOST_PARENTS = 10_000;

export function createTraces(events$: Observable<SubmitterEvent>, clock: Clock, version: string): Traces {
  const tracer = trace.getTracer(NAME, version);
  const attempts = new Map<string, TracedAttempt>();
  const contexts = new Map<string, Context>();
  const parents = new Map<string, string>();
  const claimMs = { fresh: 0, undecided: 0 };

  const child = (
    attempt: TracedAttempt,
    name: string,
    from: number,
    until: number,
    attributes: Attributes = {},
  ) => {
    tracer.startSpan(name, { startTime: from, attributes }, attempt.context).end(until);
    attempt.stepBegan = until;
  };
  const now = ({ at, since }: TracedAttempt): number => at + clock.elapsed() - since;

  const begin = (event: Extract<SubmitterEvent, { kind: 'taken' }>): void => {
    end(event.id, { verdict: 'lost' });
    const { at, look } = event;
    // What a later attempt waited for is its backoff.
    const arrived = look || event.attempts > 1 ? null : at - Math.max(0, event.waitedMs);
    const claimed = at - claimMs[look ? 'undecided' : 'fresh'];
    const start = Math.min(arrived ?? claimed, claimed);
    const parent = remote(parents.get(event.id));
    parents.delete(event.id);
    const attributes = {
      'canton_submitter.tx_hash': event.txHash,
      'canton_submitter.row': event.id,
      'canton_submitter.attempt': event.attempts,
    };
    const root = tracer.startSpan(
      look ? 'look' : 'transfer',
      { kind: SpanKind.CONSUMER, startTime: start, attributes },
      parent,
    );
    const context = trace.setSpan(parent, root);
    const attempt: TracedAttempt = {
      root,
      context,
      txHash: event.txHash,
      at,
      since: clock.elapsed(),
      stepBegan: at,
      submissionId: null,
      call: null,
    };
    attempts.set(event.id, attempt);
    contexts.set(event.txHash, context);
    if (arrived !== null) child(attempt, 'wait', start, Math.max(start, claimed));
    child(attempt, 'claim', claimed, at);
  };

  const end = (id: string, attributes: Readonly<Record<string, string>>, ended?: number): void => {
    const attempt = attempts.get(id);
    if (attempt === undefined) return;
    attempts.delete(id);
    contexts.delete(attempt.txHash);
    if (attempt.submissionId !== null) contexts.delete(attempt.submissionId);
    const at = ended ?? now(attempt);
    attempt.call?.span.end(at);
    for (const [name, value] of Object.entries(attributes))
      attempt.root.setAttribute(`canton_submitter.${name}`, value);
    if (attributes.verdict === 'failed') attempt.root.setStatus({ code: SpanStatusCode.ERROR });
    attempt.root.end(at);
  };

  const step = (attempt: TracedAttempt, event: SubmitterEvent): void => {
    const at = now(attempt);
    switch (event.kind) {
      case 'prepared':
        child(attempt, 'gather', attempt.stepBegan, at - event.tookMs);
        child(attempt, 'prepare', attempt.stepBegan, at - event.signMs);
        child(attempt, 'sign', attempt.stepBegan, at);
        return;
      case 'sent': {
        // A hosted sender's row has nothing to write ahead, and nothing to sign.
        child(attempt, attempt.stepBegan === attempt.at ? 'gather' : 'write ahead', attempt.stepBegan, at);
        const span = tracer.startSpan(
          'execute',
          {
            kind: SpanKind.CLIENT,
            startTime: at,
            attributes: { 'canton_submitter.submission_id': event.submissionId },
          },
          attempt.context,
        );
        attempt.call = { span, context: trace.setSpan(attempt.context, span) };
        attempt.submissionId = event.submissionId;
        contexts.set(event.submissionId, attempt.call.context);
        contexts.set(attempt.txHash, attempt.call.context);
        return;
      }
      case 'answered': {
        const span = attempt.call?.span;
        span?.setAttributes(outcomeOf(event.outcome));
        if (event.outcome.kind !== 'accepted') span?.setStatus({ code: SpanStatusCode.ERROR });
        span?.end(at);
        attempt.call = null;
        attempt.stepBegan = at;
        return;
      }
      case 'looked':
        child(attempt, 'read completions', at - event.tookMs, at, {
          'canton_submitter.found': event.found,
        });
        return;
      case 'settled': {
        child(attempt, 'settle', at - event.tookMs, at);
        const result = typeof event.result === 'string' ? event.result : 'refused';
        end(event.id, { verdict: verdictName(event.verdict), result }, at);
        return;
      }
    }
  };

  events$.subscribe({
    next(event) {
      if (event.kind === 'claimed') claimMs[event.look ? 'undecided' : 'fresh'] = event.tookMs;
      else if (event.kind === 'taken') begin(event);
      else if ('id' in event) {
        const attempt = attempts.get(event.id);
        if (attempt !== undefined) step(attempt, event);
      }
    },
    complete() {
      for (const id of [...attempts.keys()]) end(id, { verdict: 'stopped' });
    },
  });

  return {
    recorded: isRegistered(),
    header(id) {
      const context = contexts.get(id);
      return context === undefined ? null : headerOf(context);
    },
    inserted(told) {
      for (const [id, parent] of told) parents.set(id, parent);
      for (const id of parents.keys()) {
        if (parents.size <= MOST_PARENTS) break;
        parents.delete(id);
      }
    },
    async flush() {
      const provider = registered();
      if ('forceFlush' in provider && typeof provider.forceFlush === 'function') await provider.forceFlush();
    },
  };
}

function outcomeOf(outcome: Outcome): Attributes {
  const attributes = { 'canton_submitter.outcome': outcome.kind };
  if (outcome.kind === 'accepted') return { ...attributes, 'canton_submitter.update_id': outcome.updateId };
  if (outcome.kind === 'refused')
    return { ...attributes, 'canton_submitter.error_id': outcome.refusal.errorId };
  return attributes;
}

/** W3C Trace Context, as Canton reads it from the metadata of a call. */
function headerOf(context: Context): string | null {
  const span = trace.getSpanContext(context);
  if (span === undefined || !isSpanContextValid(span)) return null;
  return `00-${span.traceId}-${span.spanId}-${(span.traceFlags & 1).toString(16).padStart(2, '0')}`;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-|$)/;

/** What the API wrote may be anything: what is not a `traceparent` starts a trace of its own. */
function remote(traceparent: string | undefined): Context {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(traceparent?.trim() ?? '') ?? [];
  const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(parent) ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

/** Behind the API's own proxy, which is always there. */
function registered(): object {
  const provider: object = trace.getTracerProvider();
  return 'getDelegate' in provider && typeof provider.getDelegate === 'function'
    ? provider.getDelegate()
    : provider;
}

/** What a proxy leads to before anybody has registered records nothing. */
const isRegistered = (): boolean => registered() !== new ProxyTracerProvider().getDelegate();
