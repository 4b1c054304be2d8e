// Webhooks from a real outbox to a receiver over HTTP: each outcome arrives, in order per sender, signed, whatever the receiver
// does meanwhile.
import test, { type ExecutionContext } from 'ava';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { createWebhooks, type DeliverSettings, type Webhooks } from '../../src/outbox/deliver.js';
import { createReceiver } from '../../src/outbox/receiver.js';
import { webhookSecrets } from '../../src/outbox/signature.js';
import { monotonic } from '../../src/runtime/clock.js';
import { replayWebhooks, skipWebhooks } from '../../src/store/operator/webhooks.js';
import { createDeliveries } from '../../src/store/outbox.js';
import { completed, type Prepared, pending, prepared, until } from '../store/support.js';
import { scaled } from '../support/pace.js';
import { type Received, SECRET, startReceiver, type WebhookReceiver } from '../support/receiver.js';

const SETTINGS: DeliverSettings = {
  timeoutMs: scaled(20_000),
  concurrency: 4,
  retry: { minMs: scaled(5), maxMs: scaled(50) },
  giveUpMs: 86_400_000,
  pollMs: scaled(20),
};

type Event<K extends SubmitterEvent['kind']> = Extract<SubmitterEvent, { kind: K }>;

interface Sending {
  readonly webhooks: Webhooks;
  /** Resolves once so many events of this kind were seen that fit. */
  seen<K extends SubmitterEvent['kind']>(
    kind: K,
    count: number,
    fits?: (event: Event<K>) => boolean,
  ): Promise<void>;
}

/** What an instance does to deliver. */
function send(
  t: ExecutionContext,
  db: Prepared,
  receiver: WebhookReceiver,
  { secret = SECRET, ...settings }: Partial<DeliverSettings> & { readonly secret?: string } = {},
): Sending {
  const events: SubmitterEvent[] = [];
  const waits = new Set<() => void>();
  const all = { ...SETTINGS, ...settings };
  const secrets = webhookSecrets(secret);
  if (typeof secrets === 'string') throw new Error(secrets);
  const webhooks = createWebhooks({
    settings: all,
    deliveries: createDeliveries(db.database),
    receiver: createReceiver({ url: receiver.url, secrets, timeoutMs: all.timeoutMs }),
    clock: monotonic,
    random: Math.random,
    emit(event) {
      events.push(event);
      for (const look of [...waits]) look();
    },
  });
  t.teardown(() => webhooks.stop(0));
  webhooks.start();
  return {
    webhooks,
    seen: (kind, count, fits = () => true) =>
      new Promise((resolve) => {
        const look = (): void => {
          const fitting = events.filter((event) => event.kind === kind && fits(event as Event<typeof kind>));
          if (fitting.length < count) return;
          waits.delete(look);
          resolve();
        };
        waits.add(look);
        look();
      }),
  };
}

/** So many outcomes of each sender, in turn: completed, then parked, and so on. */
async function outcomesOf(db: Prepared, senders: readonly string[], each: number): Promise<void> {
  for (let nonce = 0; nonce < each; nonce++) {
    for (const from of senders) await db.insert({ from, nonce });
    const verdict = nonce % 2 === 0 ? completed : pending({ wait: 'parked', lastError: 'CODE: why' });
    await Promise.all((await db.claim()).map((row) => db.settle(row, verdict)));
  }
}

/** The nonces that came of each sender; what came again is left out. */
function bySender(messages: readonly Received[]): Record<string, number[]> {
  const nonces: Record<string, number[]> = {};
  for (const { sender, nonce } of new Map([...messages].reverse().map((one) => [one.id, one])).values())
    nonces[sender] = [nonce, ...(nonces[sender] ?? [])];
  return nonces;
}

const each = (senders: readonly string[], nonces: readonly number[]): Record<string, number[]> =>
  Object.fromEntries(senders.map((sender) => [sender, [...nonces]]));

test('a receiver that is down for an hour loses nothing: each outcome arrives, in the order of its sender, signed', async (t) => {
  const db = await prepared(t, { outcomes: 'webhooks' });
  const receiver = await startReceiver(t);
  await receiver.down();
  const senders = ['a', 'b', 'c', 'd', 'e', 'f'];
  const instances = [send(t, db, receiver), send(t, db, receiver)];
  await outcomesOf(db, senders, 3);
  // An hour is twelve probes five minutes apart.
  await Promise.all(instances.map(({ seen }) => seen('webhook', 12)));
  await Promise.all(instances.map(({ seen }) => seen('receiver', 1, ({ state }) => state === 'down')));
  await receiver.up();
  await receiver.until('all have arrived', () => receiver.accepted.length >= 18);
  t.deepEqual(bySender(receiver.accepted), each(senders, [0, 1, 2]));
  t.true(receiver.received.every(({ verified }) => verified[0]));
  t.is(new Set(receiver.received.map(({ id }) => id)).size, 18);
  const { now } = await db.one<{ now: number }>('select extract(epoch from now())::float8 as now');
  t.true(
    receiver.received.every(({ seconds }) => Math.abs(now - seconds) < scaled(60)),
    'the time of the attempt',
  );
  const [done, parked] = ['0', '1'].map((nonce) =>
    receiver.accepted.find(({ data }) => data.nonce === nonce),
  );
  t.is(done?.type, 'transfer.completed');
  t.like(done?.data, { recipient: 'bob', token: '0x70C', amount: '1', updateId: 'update-1', offset: '42' });
  t.is(parked?.type, 'transfer.parked');
  t.like(parked?.data, { reason: 'CODE: why' });
});

test('one sender’s message that is not taken, or not answered, holds up that sender alone; given up, the next follows; replayed, it comes', async (t) => {
  const db = await prepared(t, { outcomes: 'webhooks' });
  const receiver = await startReceiver(t);
  let mended = false;
  receiver.answer(({ sender, nonce }) => {
    if (mended || nonce > 0) return 200;
    if (sender === 'hung') return 'hang';
    if (sender === 'ill') return { status: 500, headers: {}, body: 'no such account' };
    return sender === 'moved' ? { status: 302, headers: { location: receiver.url } } : 200;
  });
  const { seen } = send(t, db, receiver);
  await outcomesOf(db, ['hung', 'ill', 'moved', 'well', 'fine'], 2);
  await receiver.until('others have all theirs', () => receiver.accepted.length === 4);
  await seen(
    'webhook',
    2,
    ({ attempt }) => attempt.kind === 'failed' && attempt.reason === 'HTTP 500: no such account',
  );
  await seen(
    'webhook',
    2,
    ({ attempt }) => attempt.kind === 'failed' && /^HTTP 302: a redirect/.test(attempt.reason),
  );
  t.deepEqual(bySender(receiver.accepted), each(['well', 'fine'], [0, 1]));

  // Another instance has less patience.
  await send(t, db, receiver, { giveUpMs: 0 }).seen('webhook-dead', 2);
  await receiver.until('the next of both', () => receiver.accepted.length === 6);
  t.deepEqual((await replayWebhooks(db.database, { dead: true }, { dryRun: true })).length, 2);
  mended = true;
  t.is((await replayWebhooks(db.database, { dead: true }, { dryRun: false })).length, 2);
  await receiver.until('they come after all', () => receiver.accepted.length === 8);
  t.deepEqual(bySender(receiver.accepted.slice(-2)), each(['ill', 'moved'], [0]));
  t.is(
    (await replayWebhooks(db.database, { sender: 'WELL', sinceMs: 86_400_000 }, { dryRun: false })).length,
    2,
  );
  await receiver.until('again', () => receiver.accepted.length === 10);
  t.deepEqual(
    receiver.accepted.slice(-2).map(({ id }) => id),
    receiver.accepted
      .filter(({ sender }) => sender === 'well')
      .slice(0, 2)
      .map(({ id }) => id),
    'under the same ids',
  );
});

test('what a person skips is not delivered, and no longer holds up its sender', async (t) => {
  const db = await prepared(t, { outcomes: 'webhooks' });
  const receiver = await startReceiver(t);
  receiver.answer(({ nonce }) => (nonce === 0 ? 400 : 200));
  const { seen } = send(t, db, receiver, { retry: { minMs: scaled(3_600_000), maxMs: scaled(3_600_000) } });
  await outcomesOf(db, ['a'], 2);
  await seen('webhook', 1);
  await until(db.query, 'select from mempool_outbox_v1 where attempts = 1');
  t.like(await skipWebhooks(db.database, { sender: 'a' }), [{ attempts: 1, error: 'HTTP 400' }]);
  await receiver.until('the next', () => receiver.accepted.length === 1);
  t.deepEqual(bySender(receiver.accepted), { a: [1] });
});

test('while the receiver changes its secret, it can verify with either', async (t) => {
  const db = await prepared(t, { outcomes: 'webhooks' });
  const next = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;
  const other = `whsec_${Buffer.alloc(24, 4).toString('base64')}`;
  const receiver = await startReceiver(t, [SECRET, next, other]);
  send(t, db, receiver, { secret: `${next},${SECRET}` });
  await outcomesOf(db, ['a'], 1);
  await receiver.until('it has come', () => receiver.accepted.length === 1);
  t.deepEqual(receiver.accepted[0]?.verified, [true, true, false]);
});
