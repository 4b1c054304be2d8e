// What `status`, the status page and the metrics show of the outbox.
import { type ListedWebhook, troubledWebhooks } from './operator/webhooks.js';
import { readOutcomes } from './outbox.js';
import type { Outcomes } from './pins.js';
import type { Database } from './pool.js';
import type { Statement } from './statements.js';

export interface OutboxStatus {
  readonly keptFor: Exclude<Outcomes, 'off'>;
  /** Not delivered by webhook yet. */
  readonly waiting: { readonly rows: number; readonly oldestMs: number | null };
  /** Given up: `webhooks replay` or `webhooks skip`. */
  readonly dead: number;
  /** Given up, or failed and tried again, oldest first. */
  readonly troubled: readonly ListedWebhook[];
  readonly consumers: readonly ConsumerStatus[];
}

export interface ConsumerStatus {
  readonly consumer: string;
  /** Entries that it has not acknowledged. */
  readonly behind: number;
  /** Since its last acknowledgement; null: it has acknowledged nothing yet. */
  readonly idleMs: number | null;
  /** A process reads for it now. */
  readonly read: boolean;
}

interface WaitingTuple {
  readonly rows: number;
  readonly oldest_ms: number | null;
  readonly dead: number;
}

/** mempool_outbox_due_v1, mempool_outbox_new_v1 and mempool_outbox_dead_v1. */
const WAITING: Statement<WaitingTuple> = {
  text: `select count(*)::int as rows, (extract(epoch from now() - min(w.at)) * 1000)::float8 as oldest_ms,
      (select count(*)::int from mempool_outbox_v1 d where d.delivery = 'dead') as dead
    from (select o.at from mempool_outbox_v1 o where o.delivery = 'due'
          union all
          select o.at from mempool_outbox_v1 o, mempool_submitter_v1 p where o.position is null and p.outcomes = 'webhooks') w`,
};

interface ConsumerTuple {
  readonly consumer: string;
  readonly behind: number;
  readonly idle_ms: number | null;
  readonly read: boolean;
}

/** Entries without a position are behind everybody. mempool_outbox_new_v1. */
const CONSUMERS: Statement<ConsumerTuple> = {
  text: `select c.consumer, (n.last - c.acknowledged + u.rows)::int as behind,
      (extract(epoch from now() - c.acknowledged_at) * 1000)::float8 as idle_ms,
      coalesce(c.lease_expires_at > now(), false) as read
    from mempool_outbox_consumers_v1 c, mempool_outbox_counter_v1 n,
      (select count(*) as rows from mempool_outbox_v1 o where o.position is null) u
    order by c.consumer`,
};

/** Null: outcomes are off. Asks for the tables only where they are on, since a role may then have rights on them. */
export async function readOutboxStatus(database: Database, listed: number): Promise<OutboxStatus | null> {
  const keptFor = (await readOutcomes(database)) ?? 'off';
  if (keptFor === 'off') return null;
  const [waiting, consumers, troubled] = await Promise.all([
    database.run(WAITING, []),
    database.run(CONSUMERS, []),
    troubledWebhooks(database, listed),
  ]);
  return {
    keptFor,
    waiting: { rows: waiting[0]?.rows ?? 0, oldestMs: waiting[0]?.oldest_ms ?? null },
    dead: waiting[0]?.dead ?? 0,
    troubled,
    consumers: consumers.map(({ consumer, behind, idle_ms: idleMs, read }) => ({
      consumer,
      behind,
      idleMs,
      read,
    })),
  };
}
