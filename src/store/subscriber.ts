// LISTEN, kept alive. pg-listen holds one connection; this file deals with losing it. With its own retries, pg-listen stays deaf
// after a failed re-LISTEN, and closing it while it reconnects leaks a session. So its retries are off, and each connection is
// a session of ours: whenever one ends, for whatever reason, the next is made after a jittered and capped pause.
import { Socket } from 'node:net';
import type { ClientConfig } from 'pg';
import createPgListen, { type Options, type Subscriber } from 'pg-listen';
import type { Clock } from '../ports/clock.js';
import type { NotificationSource, Notifications } from '../ports/notifications.js';
import { monotonic } from '../runtime/clock.js';
import { every, sleep } from '../runtime/timers.js';
import { createConnector } from './connector.js';
import type { Database } from './pool.js';
import { CANARY, CHANNEL } from './statements.js';

export type ListenerEvent =
  | {
      readonly kind: 'listener';
      /** `deaf`: connected, but a canary was not heard: a half-open connection, a pooler that swallows LISTEN, a standby. */
      readonly state: 'connected' | 'lost' | 'recreated' | 'deaf';
      readonly detail: string;
    }
  /** `tookMs` null: it was not heard in time, or could not be sent. */
  | { readonly kind: 'canary'; readonly tookMs: number | null };

export interface SubscriberOptions {
  /** A direct connection; LISTEN does not work through a transaction pooler. */
  readonly listenUrl: string;
  /** Canaries are sent through the pool, so that they take the same way as the doorbell. */
  readonly database: Database;
  /** Unique per process start. */
  readonly instance: string;
  readonly canaryIntervalMs: number;
  readonly emit: (event: ListenerEvent) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Ends the sign of life of an instance that answers bells; an earlier build takes it for any other sign of life. */
const AWAKE = ':awake';
/** A canary that takes longer counts as not heard. */
const CANARY_HEARD_MS = 2_000;
const CONNECT_TIMEOUT_MS = 4_000;
/** pg-listen's probe on the listening connection, for when no canary can be sent; it ends before the next one begins. */
const PROBE_MS = 5_000;
const PROBE_TIMEOUT_MS = 4_000;
/** After an outage of 10 s we must listen again within 15 s, so the longest pause has to be shorter than the rest. */
const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 3_000;

// Its types declare a default export, which CommonJS does not have under nodenext; at run time the import is the function.
const pgListen = createPgListen as unknown as (config: ClientConfig, options: Options) => Subscriber;

export function createSubscriber(options: SubscriberOptions): Notifications {
  const { database, instance, canaryIntervalMs, emit } = options;
  const clock = options.clock ?? monotonic;
  const random = options.random ?? Math.random;
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  let provenUntil = Number.NEGATIVE_INFINITY;
  let canaries = 0;
  let canariesHeard = 0;
  let connections = 0;
  const connector = createConnector(options.listenUrl, null);
  /** Sends a canary at once: does this session still hear what is notified where the pool writes? */
  let ask: () => void = () => {};
  // After the pool left a server that takes no writes, nobody notifies there any more.
  database.onLeft(() => ask());

  /** One connection, from LISTEN to its end; resolves with the reason for the end. */
  async function session(tell: (source: NotificationSource) => void, tried: () => void): Promise<string> {
    const socket = new Socket();
    const subscriber = pgListen(
      {
        ...connector.config(),
        application_name: `${instance} listen`,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        query_timeout: PROBE_TIMEOUT_MS,
        // A socket of our own, to destroy: a polite close of a half-open connection never ends.
        stream: () => socket,
      },
      // A limit of 1 means no retries: the first loss is an `error`. The payload is text, and only a hint (I8).
      { retryLimit: 1, paranoidChecking: PROBE_MS, parse: (payload) => payload },
    );
    const pending = new Map<string, () => void>();
    let end: (why: string) => void = () => {};
    const ended = new Promise<string>((resolve) => {
      end = resolve;
    });
    const stop = (): void => end('stopped');
    stopping.signal.addEventListener('abort', stop, { once: true });
    subscriber.events.on('error', (error) => end(error.message));
    subscriber.events.on('notification', ({ payload }) => {
      const text = String(payload ?? '');
      if (pending.has(text)) pending.get(text)?.();
      else if (text === 'h') tell('handoff');
      // Canaries of other instances show that those exist. Anything else is a bell, forged ones included.
      else if (!text.startsWith('c:')) tell('bell');
      else if (!text.startsWith(`c:${instance}:`)) tell(kindOf(text));
    });

    const kindOf = (text: string): NotificationSource => {
      if (!text.endsWith(AWAKE)) return 'other';
      return text < `c:${instance}:` ? 'awake-before' : 'awake-after';
    };

    /** Sent through the pool, heard here. Where it cannot be sent, that says nothing about this connection. */
    async function canary(): Promise<void> {
      const payload = `c:${instance}:${++canaries}`;
      const from = clock.elapsed();
      const heard = new Promise<true>((resolve) => {
        pending.set(payload, () => resolve(true));
      });
      try {
        await database.run(CANARY, [payload]);
      } catch {
        pending.delete(payload);
        provenUntil = Number.NEGATIVE_INFINITY;
        emit({ kind: 'canary', tookMs: null });
        return;
      }
      const late = new AbortController();
      const inTime = await Promise.race([heard, sleep(CANARY_HEARD_MS, late.signal), ended]);
      late.abort();
      pending.delete(payload);
      if (inTime === true) {
        canariesHeard += 1;
        provenUntil = clock.elapsed() + canaryIntervalMs * 1.2 + CANARY_HEARD_MS;
        emit({ kind: 'canary', tookMs: clock.elapsed() - from });
      } else if (typeof inTime !== 'string') {
        provenUntil = Number.NEGATIVE_INFINITY;
        emit({ kind: 'canary', tookMs: null });
        emit({ kind: 'listener', state: 'deaf', detail: `a canary was not heard in ${CANARY_HEARD_MS} ms` });
        end('the canary was not heard');
      }
    }

    let timer: { stop(): Promise<void> } | null = null;
    try {
      await Promise.race([subscriber.connect().then(() => subscriber.listenTo(CHANNEL)), ended]);
      if (subscriber.getSubscribedChannels().length > 0 && !stopping.signal.aborted) {
        connections += 1;
        emit({ kind: 'listener', state: connections === 1 ? 'connected' : 'recreated', detail: '' });
        // Something may have rung while nobody listened: one claim finds out.
        tell('connected');
        tried();
        timer = every(canaryIntervalMs, 0.1, canary, () => {});
        ask = () => void canary();
        await Promise.race([canary(), ended]);
      }
      return await ended;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      stopping.signal.removeEventListener('abort', stop);
      provenUntil = Number.NEGATIVE_INFINITY;
      ask = () => {};
      end('over');
      // Late notifications of this session find no listener; a last `error` must find one, or it would be thrown.
      subscriber.events.removeAllListeners('notification');
      void timer?.stop();
      void subscriber.close().catch(() => {});
      socket.destroySoon();
      setTimeout(() => socket.destroy(), CANARY_HEARD_MS).unref();
    }
  }

  async function sessions(tell: (source: NotificationSource) => void, tried: () => void): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const [before, at] = [canariesHeard, connector.at()];
      // Making the client throws where a certificate of the URL cannot be read: the next session may find it.
      const why = await session(tell, tried).catch((error: unknown) =>
        error instanceof Error ? error.message : String(error),
      );
      tried();
      if (stopping.signal.aborted) return;
      emit({ kind: 'listener', state: 'lost', detail: why });
      failures = canariesHeard > before ? 0 : failures + 1;
      // Nothing was heard, or nothing any more: the notifications may be on another host.
      connector.leave(at);
      const ceiling = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(failures, 10));
      await sleep(ceiling * (0.5 + random() / 2), stopping.signal);
    }
  }

  return {
    start(onNotification) {
      return new Promise((resolve) => {
        // Started after the first try, whatever became of it: without LISTEN the poll has to suffice, and the canary reports it.
        running ??= sessions(onNotification, resolve);
      });
    },
    async stop() {
      stopping.abort();
      await running;
    },
    awake() {
      // Lost, it costs the others a claim that finds nothing.
      database.run(CANARY, [`c:${instance}${AWAKE}`]).catch(() => {});
    },
    proven: () => clock.elapsed() < provenUntil,
  };
}
