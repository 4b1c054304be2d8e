// Metrics of the process: readiness, breaker, listener, database, faults.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { StoreUnavailable } from '../../core/errors.js';
import type { NotReady, SubmitterEvent } from '../events.js';
import { type Health, onEvent, STARTING } from '../health.js';
import { STATEMENT_SECONDS, seconds } from './buckets.js';

const NAME = 'canton_submitter_';
/** The compiler sees that none is missing: a part without a series looks as if it never had anything to say. */
const PARTS = Object.keys({
  database: true,
  pins: true,
  halted: true,
  participant: true,
  listener: true,
  breaker: true,
  clocks: true,
  mark: true,
  snapshot: true,
  webhooks: true,
  paused: true,
  schema: true,
  stopping: true,
} satisfies Record<NotReady['part'], true>);

export function stateMetrics(registers: Registry[]): (event: SubmitterEvent) => void {
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> =>
    new Gauge({ name: NAME + name, help, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name: NAME + name, help, labelNames, registers });

  const ready = gauge('ready', '1: this instance claims rows');
  const blocked = gauge(
    'blocked',
    '1: this part has something to say in /readyz; listener, mark, snapshot, webhooks and paused do not keep the instance from claiming',
    'part',
  );
  const breaker = gauge('breaker_state', '1 for the state that the circuit breaker is in', 'state');
  const keys = gauge('breaker_open_keys', 'Senders, receivers and tokens that the breaker is open for');
  const opened = counter('breaker_opened_total', 'Openings, for everything or for one key', 'scope');
  const limit = gauge(
    'in_flight_limit',
    'Rows that this process may have in flight: CONCURRENCY, less under overload',
  );
  const proven = gauge('listener_proven', '1: the last canary was heard');
  const listener = counter('listener_changes_total', 'Changes of the LISTEN connection', 'state');
  const canary = new Histogram({
    name: `${NAME}canary_seconds`,
    help: 'From our own notification to hearing it',
    buckets: STATEMENT_SECONDS,
    registers,
  });
  const missed = counter('canaries_missed_total', 'Own notifications that were not heard in time');
  const database = gauge('database_up', '0: the database does not answer');
  const clocks = gauge(
    'ledger_clock_ahead_seconds',
    "By how much the ledger's clock is ahead of the database's, as far as a submission shows",
  );
  const snapshot = gauge(
    'oldest_snapshot_seconds',
    'Age of the oldest snapshot that somebody holds in the database, where this role may see it',
  );
  const since = gauge('oldest_snapshot_transactions', 'Transactions begun since that snapshot');
  const alarms = counter('alarms_total', 'Events that a person must look at');
  const faults = counter(
    'faults_total',
    'Errors that did not end the process, by where they happened',
    'where',
  );
  const writes = counter(
    'database_write_errors_total',
    'Statements that failed and are tried again',
    'during',
  );

  let health: Health = STARTING;
  const openKeys = new Set<string>();
  const breakerIs = (state: 'open' | 'probing' | 'closed'): void => {
    for (const one of ['open', 'probing', 'closed']) breaker.set({ state: one }, one === state ? 1 : 0);
  };
  const block = (parts: ReadonlySet<string>): void => {
    for (const part of PARTS) blocked.set({ part }, parts.has(part) ? 1 : 0);
  };
  ready.set(0);
  block(new Set());
  breakerIs('closed');
  proven.set(0);
  database.set(1);
  for (const during of ['settle', 'renew', 'claim', 'look']) writes.inc({ during }, 0);

  return (event) => {
    health = onEvent(health, event);
    ready.set(health.ready ? 1 : 0);
    block(new Set(health.blockers.map(({ part }) => part)));
    switch (event.kind) {
      case 'breaker':
        if (event.state === 'open') opened.inc({ scope: event.key === null ? 'all' : 'key' });
        if (event.key === null) return breakerIs(event.state);
        if (event.state === 'closed') openKeys.delete(event.key);
        else openKeys.add(event.key);
        return keys.set(openKeys.size);
      case 'congestion':
        return limit.set(event.limit);
      case 'listener':
        listener.inc({ state: event.state });
        if (event.state === 'lost' || event.state === 'deaf') proven.set(0);
        return;
      case 'canary':
        proven.set(event.tookMs === null ? 0 : 1);
        if (event.tookMs === null) missed.inc();
        else canary.observe(seconds(event.tookMs));
        return;
      case 'database':
        return database.set(event.state === 'back' ? 1 : 0);
      case 'clocks':
        return clocks.set(seconds(event.aheadMs));
      case 'snapshot':
        since.set(event.transactions);
        return snapshot.set(seconds(event.ageMs ?? 0));
      case 'alarm':
        return alarms.inc();
      case 'fault':
        // An outage of the database is expected, and counted as such.
        if (!(event.error instanceof StoreUnavailable)) faults.inc({ where: event.where });
        if (['settle', 'renew', 'claim', 'look'].includes(event.where)) writes.inc({ during: event.where });
        return;
    }
  };
}
