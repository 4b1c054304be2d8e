// `webhooks`: what is not delivered, and a person who delivers it after all, or not at all.
import { type TxHash, txHashOf } from '../../core/ids.js';
import type { TransferOutcome } from '../../ports/outbox.js';
import type { Database } from '../pool.js';
import type { Statement } from '../statements.js';
import { bytesOf } from './replay.js';

/** All given conditions must hold; at least one must be given. */
export interface WebhookSelection {
  readonly hash?: TxHash;
  readonly sender?: string;
  /** Given up. */
  readonly dead?: boolean;
  /** Written at most so long ago, on the database's clock. */
  readonly sinceMs?: number;
}

export interface ListedWebhook {
  readonly id: string;
  readonly position: bigint;
  readonly txHash: TxHash;
  readonly sender: string;
  readonly outcome: TransferOutcome['kind'];
  readonly delivery: 'due' | 'delivered' | 'dead' | 'skipped';
  readonly attempts: number;
  readonly ageMs: number;
  /** Why the last attempt failed. */
  readonly error: string | null;
}

interface DeliveryTuple {
  readonly webhook_id: string;
  readonly position: string;
  readonly tx_hash: Buffer;
  readonly from_address: string;
  readonly kind: TransferOutcome['kind'];
  readonly delivery: ListedWebhook['delivery'];
  readonly attempts: number;
  readonly age_ms: number;
  readonly last_error: string | null;
}

const SHOWN = `o.webhook_id, o.position, o.tx_hash, o.from_address, o.kind, o.delivery, o.attempts, o.last_error,
    (extract(epoch from now() - o.at) * 1000)::float8 as age_ms`;

const listed = (tuple: DeliveryTuple): ListedWebhook => ({
  id: tuple.webhook_id,
  position: BigInt(tuple.position),
  txHash: txHashOf(tuple.tx_hash),
  sender: tuple.from_address,
  outcome: tuple.kind,
  delivery: tuple.delivery,
  attempts: tuple.attempts,
  ageMs: tuple.age_ms,
  error: tuple.last_error,
});

/** Dead ones, and those that failed and are tried again; $1: at most. mempool_outbox_dead_v1, mempool_outbox_due_v1. */
const TROUBLED: Statement<DeliveryTuple> = {
  text: `(select ${SHOWN} from mempool_outbox_v1 o where o.delivery = 'dead' order by o.position limit $1)
    union all
    (select ${SHOWN} from mempool_outbox_v1 o where o.delivery = 'due' and o.last_error is not null order by o.position limit $1)`,
};

export const troubledWebhooks = async (database: Database, most: number): Promise<readonly ListedWebhook[]> =>
  (await database.run(TROUBLED, [most])).map(listed);

/** $1 hash, $2 sender, $3 dead, $4 age in ms; null: not asked for. Without $3 it reads the whole outbox, for this one command. */
const SELECTED = `($1::bytea is null or o.tx_hash = $1)
    and ($2::text is null or o.lane = mempool_sender_v1($2))
    and ($3::boolean is null or (o.delivery = 'dead') = $3)
    and ($4::float8 is null or o.at >= now() - $4 * interval '1 ms')`;

/** What can be delivered again. */
const OVER = "o.delivery in ('delivered', 'dead', 'skipped')";

const PREVIEW: Statement<DeliveryTuple> = {
  text: `select ${SHOWN} from mempool_outbox_v1 o where ${OVER} and ${SELECTED} order by o.position`,
};

/** In their order, before whatever of the same sender is due. A lane that somebody delivers now is left to its lease. */
const REPLAY: Statement<DeliveryTuple> = {
  text: `with chosen as (
      update mempool_outbox_v1 o set delivery = 'due', attempts = 0, tried_at = null, last_error = null, delivered_at = null
       where ${OVER} and ${SELECTED}
      returning o.*
    ), queued as (
      insert into mempool_outbox_lanes_v1 as l (lane, due_at)
      select c.lane, now() from chosen c group by c.lane order by c.lane
      on conflict (lane) do update set due_at = case when l.token is null then now() else l.due_at end
    )
    select ${SHOWN} from chosen o order by o.position`,
};

/** The same id again, so a receiver that has had it can tell. With `dryRun` nothing is changed. */
export async function replayWebhooks(
  database: Database,
  selection: WebhookSelection,
  options: { readonly dryRun: boolean },
): Promise<readonly ListedWebhook[]> {
  return (await database.run(options.dryRun ? PREVIEW : REPLAY, selectedBy(selection))).map(listed);
}

/** What holds up its sender, or was given up: never delivered, unless by a replay. */
const SKIP: Statement<DeliveryTuple> = {
  text: `with chosen as (
      update mempool_outbox_v1 o set delivery = 'skipped'
       where (o.delivery = 'dead' or (o.delivery = 'due' and o.last_error is not null)) and ${SELECTED}
      returning o.*
    ), freed as (
      update mempool_outbox_lanes_v1 l set due_at = now()
        from chosen c where l.lane = c.lane and l.token is null
    )
    select ${SHOWN} from chosen o order by o.position`,
};

export const skipWebhooks = async (
  database: Database,
  selection: WebhookSelection,
): Promise<readonly ListedWebhook[]> => (await database.run(SKIP, selectedBy(selection))).map(listed);

/** Throws where nothing is selected: never everything. */
function selectedBy({ hash, sender, dead, sinceMs }: WebhookSelection): readonly unknown[] {
  const values = [hash === undefined ? null : bytesOf(hash), sender ?? null, dead ?? null, sinceMs ?? null];
  if (values.every((value) => value === null)) throw new TypeError('webhooks: nothing selected');
  return values;
}
