// Metrics of the queue: what the database says when it is scraped, or said a little before to another instance.
import { Gauge, type Registry } from 'prom-client';
import type { QueueSnapshot, QueueSource } from '../queue.js';
import { seconds } from './buckets.js';
import { INHERITED } from './inherited.js';

const NAME = 'canton_submitter_';

/** To be called before the registry is read: it reads all metrics at once, and what one sets meanwhile the others would show next time. */
export function queueMetrics(registers: Registry[], source: QueueSource): () => Promise<void> {
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers });
  const oldest = gauge(`${NAME}oldest_seconds`, 'Age of the oldest pending row in each state', 'state');
  const backlog = gauge(`${INHERITED}pending_backlog`, 'All pending rows');
  const readable = gauge(`${NAME}queue_readable`, '0: the queue could not be counted at this scrape');
  const waiting = gauge(`${NAME}webhooks_waiting`, 'Outcomes that are not delivered by webhook yet');
  const age = gauge(`${NAME}webhooks_oldest_seconds`, 'Age of the oldest of them');
  const dead = gauge(`${NAME}webhooks_dead`, 'Outcomes whose delivery was given up');
  const behind = gauge(`${NAME}outcomes_behind`, 'Outcomes that a consumer has not acknowledged', 'consumer');
  const claimable = gauge(`${NAME}claimable_rows`, 'Rows that a claim would take now');
  const due = gauge(`${NAME}claimable_oldest_seconds`, 'How long the oldest of them has been due');
  const paused = gauge(`${NAME}paused_rows`, 'Rows that a claim would take now if they were not paused');
  const since = gauge(`${NAME}paused_seconds`, 'How long the oldest pause has lasted; 0: nothing is paused');
  const waitingRows = (snapshot: QueueSnapshot | null): void => {
    for (const one of [claimable, due, paused, since]) one.remove();
    if (snapshot === null) return;
    claimable.set(snapshot.due.claimable);
    due.set(seconds(snapshot.due.oldestMs ?? 0));
    paused.set(snapshot.due.paused);
    since.set(seconds(Math.max(0, ...snapshot.pauses.map((one) => snapshot.now - one.since))));
  };
  const outbox = (outcomes: QueueSnapshot['outcomes']): void => {
    for (const one of [waiting, age, dead]) one.remove();
    behind.reset();
    if (!outcomes) return;
    waiting.set(outcomes.waiting.rows);
    age.set(seconds(outcomes.waiting.oldestMs ?? 0));
    dead.set(outcomes.dead);
    for (const one of outcomes.consumers) behind.set({ consumer: one.consumer }, one.behind);
  };
  const rows = gauge(`${NAME}rows`, 'Pending rows by state, as the database counts them', 'state');
  return async () => {
    const snapshot = await source().catch(() => null);
    readable.set(snapshot === null ? 0 : 1);
    // Old figures would look like current ones.
    rows.reset();
    oldest.reset();
    backlog.remove();
    outbox(snapshot?.outcomes);
    waitingRows(snapshot);
    if (snapshot === null) return;
    let all = 0;
    for (const [state, { rows: count, oldestMs }] of Object.entries(snapshot.queue)) {
      all += count;
      rows.set({ state }, count);
      oldest.set({ state }, seconds(oldestMs ?? 0));
    }
    backlog.set(all);
  };
}
