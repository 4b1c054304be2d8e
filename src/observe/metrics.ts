// Prometheus: subscribes to the events, asks the database for the queue when it is scraped.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Observable } from 'rxjs';
import type { Clock } from '../ports/clock.js';
import { PROTOCOL } from '../protocol/version.js';
import type { SubmitterEvent } from './events.js';
import { inheritedMetrics } from './metrics/inherited.js';
import { queueMetrics } from './metrics/queue.js';
import { rowMetrics } from './metrics/rows.js';
import { stateMetrics } from './metrics/state.js';
import { webhookMetrics } from './metrics/webhooks.js';
import type { QueueSource } from './queue.js';

export interface Metrics {
  readonly contentType: string;
  /** The text that a scrape gets. */
  text(): Promise<string>;
}

export interface MetricsOptions {
  readonly events$: Observable<SubmitterEvent>;
  readonly queue: QueueSource;
  readonly clock: Clock;
  /** This package's. */
  readonly version: string;
}

/** A registry of its own, apart from that of whoever embeds the submitter. */
export function createMetrics({ events$, queue, clock, version }: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const sinks = [
    rowMetrics(registers),
    stateMetrics(registers),
    inheritedMetrics(registers, clock),
    webhookMetrics(registers),
  ];
  events$.subscribe((event) => {
    for (const sink of sinks) sink(event);
  });
  const askQueue = queueMetrics(registers, queue);
  new Gauge({
    name: 'canton_submitter_build_info',
    help: 'Always 1; its labels say what runs. Instances can share a database only if they speak the same protocol',
    labelNames: ['version', 'protocol', 'node'],
    registers,
  }).set({ version, protocol: String(PROTOCOL), node: process.version }, 1);
  return {
    contentType: registry.contentType,
    async text() {
      await askQueue();
      return await registry.metrics();
    },
  };
}
