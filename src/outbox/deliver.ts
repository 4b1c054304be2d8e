// Webhooks: claims senders whose next outcome is due, and delivers each sender's outcomes one after the other. Any number of
// instances do so; a sender belongs to one of them at a time, for a lease that is longer than what it does with it, so nothing
// is renewed. Who dies leaves a lease that runs out, and its messages are sent again under the same ids.
import { StoreUnavailable } from '../core/errors.js';
import type { SubmitterEvent } from '../observe/events.js';
import type { Clock } from '../ports/clock.js';
import type { Delivered, Deliveries, Delivery, DeliveryAttempt, Entry } from '../ports/outbox.js';
import { backoffMs } from '../protocol/backoff.js';
import { createLoop } from '../runtime/loop.js';
import { createSlots } from '../runtime/slots.js';
import { every, sleep } from '../runtime/timers.js';
import type { Receiver } from './receiver.js';
import { after, FINE, probeAfterMs, type Strain } from './strain.js';

export interface DeliverSettings {
  readonly timeoutMs: number;
  /** Senders served at a time. */
  readonly concurrency: number;
  readonly retry: { readonly minMs: number; readonly maxMs: number };
  readonly giveUpMs: number;
  readonly pollMs: number;
}

export interface DeliverContext {
  readonly settings: DeliverSettings;
  readonly deliveries: Deliveries;
  readonly receiver: Receiver;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: (event: SubmitterEvent) => void;
}

export interface Webhooks {
  start(): void;
  /** There may be something to deliver: an outcome was just written. */
  wake(): void;
  /** Waits so long for what is under way, then cuts it off. */
  stop(graceMs: number): Promise<void>;
}

/** Outcomes of one sender delivered under one lease, as far as its time allows. */
const EACH = 20;
/** Beside the calls: for the database to take what became of them. */
const SPARE_MS = 5_000;
const RELEASE_AGAIN_MS = 200;

export function createWebhooks(context: DeliverContext): Webhooks {
  const { settings, deliveries, receiver, clock, random, emit } = context;
  // The last call may begin when one time-out has passed, and takes another one.
  const leaseMs = 2 * settings.timeoutMs + SPARE_MS;
  const cut = new AbortController();
  const slots = createSlots(settings.concurrency, () => loop.signal('slot'));
  let stopping = false;
  let strain: Strain = FINE;
  /** Elapsed: nothing is asked of the receiver before it. */
  let quietUntil = 0;
  let timer: { stop(): Promise<void> } | null = null;
  let quiet: NodeJS.Timeout | null = null;

  const loop = createLoop<'poll' | 'woken' | 'slot'>(
    async () => {
      const probing = strain.kind === 'down';
      const limit = probing ? 1 : slots.free();
      if (slots.free() === 0 || (probing && slots.busy() > 0) || clock.elapsed() < quietUntil) return;
      const since = clock.elapsed();
      const claimed = await deliveries.claim({ limit, each: EACH, leaseMs });
      for (const delivery of claimed) slots.run(() => serve(delivery, since, probing));
      if (claimed.length === limit) loop.signal('slot');
    },
    (error) => emit({ kind: 'fault', where: 'webhooks', error }),
  );

  const waitQuietly = (ms: number): void => {
    quietUntil = Math.max(quietUntil, clock.elapsed() + ms);
    clearTimeout(quiet ?? undefined);
    quiet = setTimeout(() => loop.signal('poll'), quietUntil - clock.elapsed()).unref();
  };

  const learn = (delivery: Delivery, attempt: DeliveryAttempt, probe: boolean): void => {
    const before = strain;
    strain = after(strain, { lane: delivery.lane, delivered: attempt.kind === 'delivered', probe });
    if (strain.kind === 'down' && (probe || before.kind === 'fine'))
      waitQuietly(probeAfterMs(strain, settings.retry, random));
    if (strain.kind === before.kind) return;
    const detail = attempt.kind === 'failed' ? attempt.reason : '';
    emit({ kind: 'receiver', state: strain.kind === 'down' ? 'down' : 'back', detail });
  };

  const serve = async (delivery: Delivery, since: number, probe: boolean): Promise<void> => {
    const entryIds: string[] = [];
    let failed: Delivered['failed'] = null;
    for (const entry of delivery.entries) {
      if (stopping || clock.elapsed() - since > settings.timeoutMs) break;
      const attempt = await post(delivery, entry, since);
      // Nothing is known of it; whoever has the sender next sends it again.
      if (attempt.kind === 'failed' && cut.signal.aborted) break;
      learn(delivery, attempt, probe);
      if (attempt.kind === 'failed') {
        failed = { entryId: entry.entryId, error: attempt.reason, waitMs: waitMs(entry, attempt) };
        break;
      }
      entryIds.push(entry.entryId);
    }
    const was = await release(delivery, { entryIds, failed }, since);
    const last = delivery.entries[entryIds.length];
    if (was === 'dead' && failed !== null && last !== undefined)
      emit({ kind: 'webhook-dead', txHash: last.outcome.txHash, reason: failed.error });
  };

  const waitMs = (
    { attempts }: Entry,
    { retryAfterMs }: Extract<DeliveryAttempt, { kind: 'failed' }>,
  ): number => backoffMs(attempts, settings.retry, random, retryAfterMs);

  const post = async (
    delivery: Delivery,
    { outcome, attempts }: Entry,
    since: number,
  ): Promise<DeliveryAttempt> => {
    const began = clock.elapsed();
    // The database's time of the claim, and what has passed since: a machine's clock may be wrong (I7).
    const seconds = Math.floor((delivery.dbNow + began - since) / 1_000);
    const attempt = await receiver.post(outcome, seconds, cut.signal);
    const now = delivery.dbNow + clock.elapsed() - since;
    emit({
      kind: 'webhook',
      txHash: outcome.txHash,
      outcome: outcome.kind,
      attempt,
      attempts: attempts + 1,
      tookMs: clock.elapsed() - began,
      ageMs: Math.max(0, now - outcome.at.getTime()),
    });
    return attempt;
  };

  /** For as long as the lease lasts; after that the entries are delivered again, which their ids tell. */
  const release = async (delivery: Delivery, delivered: Delivered, since: number): Promise<string> => {
    for (;;) {
      try {
        return await deliveries.release(delivery, delivered, settings.giveUpMs);
      } catch (error) {
        emit({ kind: 'fault', where: 'webhooks', error });
        if (!(error instanceof StoreUnavailable) || clock.elapsed() - since > leaseMs) return 'lost';
      }
      await sleep(RELEASE_AGAIN_MS, cut.signal);
      if (cut.signal.aborted) return 'lost';
    }
  };

  return {
    start() {
      timer ??= every(
        settings.pollMs,
        0.2,
        () => loop.signal('poll'),
        () => {},
      );
      loop.signal('poll');
    },
    wake: () => loop.signal('woken'),
    async stop(graceMs) {
      stopping = true;
      clearTimeout(quiet ?? undefined);
      await Promise.all([timer?.stop(), loop.stop()]);
      const patience = new AbortController();
      await Promise.race([slots.idle(), sleep(graceMs, patience.signal)]);
      patience.abort();
      cut.abort();
      await slots.idle();
    },
  };
}
