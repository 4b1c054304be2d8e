// Metrics of outcomes on their way to the receiver of webhooks. How many wait is a matter of the queue's snapshot.
import { Counter, Histogram, type Registry } from 'prom-client';
import type { SubmitterEvent } from '../events.js';
import { CALL_SECONDS, seconds, WAIT_SECONDS } from './buckets.js';

const NAME = 'canton_submitter_';

export function webhookMetrics(registers: Registry[]): (event: SubmitterEvent) => void {
  const attempts = new Counter({
    name: `${NAME}webhooks_total`,
    help: 'Attempts to deliver an outcome; dead: given up',
    labelNames: ['result'],
    registers,
  });
  const took = new Histogram({
    name: `${NAME}webhook_duration_seconds`,
    help: 'From a webhook to its answer',
    labelNames: ['result'],
    buckets: CALL_SECONDS,
    registers,
  });
  const age = new Histogram({
    name: `${NAME}webhook_age_seconds`,
    help: 'From an outcome to its delivery by webhook',
    buckets: WAIT_SECONDS,
    registers,
  });
  for (const result of ['delivered', 'failed', 'dead']) attempts.inc({ result }, 0);
  return (event) => {
    if (event.kind === 'webhook-dead') return attempts.inc({ result: 'dead' });
    if (event.kind !== 'webhook') return;
    const result = event.attempt.kind;
    attempts.inc({ result });
    took.observe({ result }, seconds(event.tookMs));
    if (result === 'delivered') age.observe(seconds(event.ageMs));
  };
}
