// The outbox behind the ports of ports/outbox.ts. outcomes.sql keeps what is promised; here are the calls.
import { randomUUID } from 'node:crypto';
import { dbMillis, txHashOf } from '../core/ids.js';
import type { ConsumerStore, Deliveries, Delivery, Entry, TransferOutcome } from '../ports/outbox.js';
import { isNotMigrated } from './errors.js';
import type { Outcomes } from './pins.js';
import { type Database, retryLostRace } from './pool.js';
import type { Statement } from './statements.js';

interface EntryTuple {
  readonly id: string;
  readonly webhook_id: string;
  readonly at: number;
  readonly kind: TransferOutcome['kind'];
  readonly tx_hash: Buffer;
  readonly from_address: string;
  readonly contract_address: string;
  readonly recipient_address: string;
  readonly nonce: string;
  readonly amount_data: Buffer;
  readonly update_id: string | null;
  readonly completion_offset: string | null;
  readonly reason: string | null;
  readonly position: string;
}

interface DeliveryTuple extends EntryTuple {
  readonly lane: string;
  readonly token: string;
  readonly db_now: number;
  readonly attempts: number;
}

/** mempool_outbox_new_v1, mempool_outbox_lanes_due_v1, mempool_outbox_due_v1. */
const CLAIM_DELIVERIES: Statement<DeliveryTuple> = {
  text: 'select * from mempool_outbox_claim_v1($1, $2, $3)',
};

/** Primary keys, mempool_outbox_due_v1. */
const RELEASE: Statement<{ readonly answer: 'released' | 'dead' | 'fenced' }> = {
  text: 'select mempool_outbox_release_v1($1, $2, $3, $4, $5, $6, $7) as answer',
};

export const createDeliveries = (database: Database): Deliveries => ({
  async claim({ limit, each, leaseMs }) {
    const tuples = await retryLostRace(() => database.run(CLAIM_DELIVERIES, [limit, each, leaseMs]));
    const deliveries = new Map<string, Delivery & { readonly entries: Entry[] }>();
    for (const tuple of tuples) {
      const { lane, token } = tuple;
      const delivery = deliveries.get(lane) ?? { lane, token, dbNow: dbMillis(tuple.db_now), entries: [] };
      delivery.entries.push({
        entryId: tuple.id,
        attempts: tuple.attempts,
        outcome: transferOutcomeOf(tuple),
      });
      deliveries.set(lane, delivery);
    }
    return [...deliveries.values()];
  },
  async release({ lane, token }, { entryIds, failed }, giveUpMs) {
    const values = [
      lane,
      token,
      entryIds,
      failed?.entryId ?? null,
      failed?.error.replaceAll('\0', '') ?? null,
      failed?.waitMs ?? 0,
      giveUpMs,
    ];
    const [row] = await retryLostRace(() => database.run(RELEASE, values));
    return row?.answer ?? 'fenced';
  },
});

interface ReadTuple extends EntryTuple {
  readonly answer: 'entry' | 'held';
}

/** mempool_outbox_new_v1, mempool_outbox_position_v1. */
const READ: Statement<ReadTuple> = { text: 'select * from mempool_outbox_read_v1($1, $2, $3, $4)' };

/**
 * Fenced by the token. Not flushed, since what is lost in a crash is an acknowledgement, and the entry is read again; the
 * lease is renewed along with it.
 */
const ACKNOWLEDGE: Statement<{ readonly position: string }> = {
  text: `update mempool_outbox_consumers_v1 c
      set acknowledged = greatest(c.acknowledged, $3), acknowledged_at = now(),
          lease_expires_at = now() + $4::float8 * interval '1 ms'
    where c.consumer = $1 and c.token = $2 and set_config('synchronous_commit', 'off', true) is not null
    returning c.acknowledged as position`,
};

const RENEW_DELIVERIES: Statement<never> = {
  text: `update mempool_outbox_consumers_v1 set lease_expires_at = now() + $3::float8 * interval '1 ms'
    where consumer = $1 and token = $2`,
};

const LEAVE: Statement<never> = {
  text: 'update mempool_outbox_consumers_v1 set token = null, lease_expires_at = null where consumer = $1 and token = $2',
};

export function createConsumer(database: Database, consumer: string, leaseMs: number): ConsumerStore {
  const token = randomUUID();
  return {
    kept: async () => ((await readOutcomes(database)) ?? 'off') !== 'off',
    async read(limit) {
      const tuples = await retryLostRace(() => database.run(READ, [consumer, token, leaseMs, limit]));
      return tuples[0]?.answer === 'held' ? 'held' : tuples.map(transferOutcomeOf);
    },
    async acknowledge(position) {
      const rows = await database.run(ACKNOWLEDGE, [consumer, token, position.toString(), leaseMs]);
      return rows.length === 1;
    },
    async renew() {
      await database.run(RENEW_DELIVERIES, [consumer, token, leaseMs]);
    },
    async leave() {
      await database.run(LEAVE, [consumer, token]);
    },
  };
}

function transferOutcomeOf(tuple: EntryTuple): TransferOutcome {
  const common = {
    id: tuple.webhook_id,
    position: BigInt(tuple.position),
    at: new Date(tuple.at),
    txHash: txHashOf(tuple.tx_hash),
    sender: tuple.from_address,
    recipient: tuple.recipient_address,
    token: tuple.contract_address,
    nonce: BigInt(tuple.nonce),
    amount: BigInt(`0x0${tuple.amount_data.toString('hex')}`),
  };
  switch (tuple.kind) {
    case 'completed':
      return {
        ...common,
        kind: tuple.kind,
        updateId: tuple.update_id,
        offset: tuple.completion_offset === null ? null : BigInt(tuple.completion_offset),
      };
    case 'failed':
      return { ...common, kind: tuple.kind, message: tuple.reason ?? '' };
    case 'parked':
      return { ...common, kind: tuple.kind, reason: tuple.reason ?? '' };
  }
}

const PINNED_OUTCOMES: Statement<{ readonly outcomes: Outcomes }> = {
  text: 'select p.outcomes from mempool_submitter_v1 p',
};

/** Who gets outcomes; null where `migrate` has not run since this version. */
export async function readOutcomes(database: Pick<Database, 'run'>): Promise<Outcomes | null> {
  try {
    return (await database.run(PINNED_OUTCOMES, []))[0]?.outcomes ?? null;
  } catch (error) {
    if (isNotMigrated(error)) return null;
    throw error;
  }
}
