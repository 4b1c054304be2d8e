// The library's reader of outcomes, and an instance's webhooks: the outbox with a database behind it. Both have connections of
// their own, so that nothing here ever waits in front of a claim, a renewal or a settle.
import type { Observable } from 'rxjs';
import type { Config } from '../config.js';
import { ConfigError } from '../core/errors.js';
import type { SubmitterEvent } from '../observe/events.js';
import { consume } from '../outbox/consume.js';
import { createWebhooks, type Webhooks } from '../outbox/deliver.js';
import { createReceiver } from '../outbox/receiver.js';
import type { TransferOutcome } from '../ports/outbox.js';
import { monotonic } from '../runtime/clock.js';
import { createConsumer, createDeliveries, readOutcomes } from '../store/outbox.js';
import { type Database, openDatabase } from '../store/pool.js';

export interface OutcomesOptions {
  /** Its name: what it has acknowledged is kept under it, in the database. */
  readonly consumer: string;
  /** Default: `DATABASE_URL`. */
  readonly databaseUrl?: string;
  /** Ends the loop. */
  readonly signal?: AbortSignal;
  /** How often to ask for new ones; default 1000. */
  readonly pollMs?: number;
  /** How long after a crash another process with this consumer goes on; default 30000. */
  readonly leaseMs?: number;
}

const POLL_MS = 1_000;
const LEASE_MS = 30_000;

/**
 * Every outcome since the outbox is kept (`migrate --outcomes consumers`), in order, at least once. Asking for the next one
 * acknowledges the one before:
 *
 *     for await (const outcome of outcomes({ consumer: 'billing' })) await book(outcome);
 *
 * Any number of processes may do so with one consumer: one of them reads, another goes on when it ends.
 */
export async function* outcomes(options: OutcomesOptions): AsyncGenerator<TransferOutcome, void, undefined> {
  const {
    consumer,
    databaseUrl = process.env.DATABASE_URL ?? '',
    pollMs = POLL_MS,
    leaseMs = LEASE_MS,
  } = options;
  if (databaseUrl === '') throw new ConfigError(['DATABASE_URL is not set, and no databaseUrl was given']);
  if (consumer === '') throw new ConfigError(['consumer is empty: give it a name that stays the same']);
  const database = openDatabase({
    url: databaseUrl,
    poolSize: 2,
    applicationName: `outcomes of ${consumer}`,
  });
  try {
    yield* consume(
      createConsumer(database, consumer, leaseMs),
      { leaseMs, pollMs },
      options.signal ?? new AbortController().signal,
    );
  } finally {
    await database.close();
  }
}

/** Why the settings do not fit what the database keeps; null: they do. */
export async function outcomesProblem(
  { outcomes, webhook }: Pick<Config, 'outcomes' | 'webhook'>,
  database: Database,
): Promise<string | null> {
  const pinned = (await readOutcomes(database)) ?? 'off';
  if (outcomes !== null && outcomes !== pinned)
    return `OUTCOMES is ${outcomes} here, and ${pinned} is pinned: run \`canton-submitter migrate --outcomes ${outcomes}\`, or leave OUTCOMES out`;
  if (webhook !== null && pinned !== 'webhooks')
    return `WEBHOOK_URL is set, but the database keeps no outcomes for webhooks (${pinned} is pinned): run \`canton-submitter migrate --outcomes webhooks\`, or remove WEBHOOK_URL`;
  return null;
}

/** Other instances' outcomes are delivered by those; this finds what is tried again, and what a dead one has left. */
const DELIVER_POLL_MS = 1_000;
const CONNECTIONS = 2;

/** Null: this instance has no WEBHOOK_URL. Started after the checks of the start. */
export function startWebhooks(
  config: Config,
  events$: Observable<SubmitterEvent>,
  emit: (event: SubmitterEvent) => void,
): Pick<Webhooks, 'stop'> | null {
  const { webhook } = config;
  if (webhook === null) return null;
  const database = openDatabase({
    url: config.database.url,
    poolSize: CONNECTIONS,
    applicationName: `${config.instanceId} webhooks`,
  });
  const webhooks = createWebhooks({
    settings: { ...webhook, pollMs: Math.min(config.pollMs, DELIVER_POLL_MS) },
    deliveries: createDeliveries(database),
    receiver: createReceiver(webhook),
    clock: monotonic,
    random: Math.random,
    emit,
  });
  events$.subscribe((event) => {
    if (event.kind === 'parked' || (event.kind === 'settled' && event.verdict.kind !== 'pending'))
      webhooks.wake();
  });
  webhooks.start();
  return {
    async stop(graceMs) {
      await webhooks.stop(graceMs);
      await database.close();
    },
  };
}
