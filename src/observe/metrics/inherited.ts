// The old submitter's metrics, for existing dashboards and alerts: those that still mean the same, with their labels and
// buckets. Drains and a worker pool no longer exist.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../ports/clock.js';
import type { Outcome } from '../../protocol/outcome.js';
import { verdictName } from '../../protocol/verdict.js';
import type { SubmitterEvent } from '../events.js';
import { CALL_SECONDS, seconds } from './buckets.js';

export const INHERITED = 'api_server_ethrpc_submitter_';

export function inheritedMetrics(registers: Registry[], clock: Clock): (event: SubmitterEvent) => void {
  const fetched = new Histogram({
    name: `${INHERITED}entries_fetched`,
    help: 'Rows per claim',
    buckets: [0, 1, 5, 10, 25, 50, 100, 500, 1000],
    registers,
  });
  const processed = new Counter({
    name: `${INHERITED}entries_processed_total`,
    help: 'Attempts by what became of the row',
    labelNames: ['outcome'],
    registers,
  });
  const duration = new Histogram({
    name: `${INHERITED}entry_process_duration_seconds`,
    help: 'From claim to settlement',
    labelNames: ['outcome'],
    buckets: CALL_SECONDS,
    registers,
  });
  const transfers = new Histogram({
    name: `${INHERITED}canton_transfer_duration_seconds`,
    help: 'Ledger calls',
    labelNames: ['outcome'],
    buckets: CALL_SECONDS,
    registers,
  });
  const errors = new Counter({
    name: `${INHERITED}canton_transfer_errors_total`,
    help: 'Ledger calls without success',
    labelNames: ['category'],
    registers,
  });
  const writes = new Counter({
    name: `${INHERITED}db_write_errors_total`,
    help: 'Outcomes that the database did not take; a batch that is tried again counts once for each try, as complete',
    labelNames: ['kind'],
    registers,
  });
  const last = new Gauge({
    name: `${INHERITED}last_successful_drain_timestamp`,
    help: 'When the database last answered a claim',
    registers,
  });
  for (const outcome of ['completed', 'failed_permanent', 'transient_retry']) processed.inc({ outcome }, 0);
  for (const kind of ['complete', 'fail']) writes.inc({ kind }, 0);

  const takenAt = new Map<string, number>();
  return (event) => {
    switch (event.kind) {
      case 'claimed':
        last.setToCurrentTime();
        return fetched.observe(event.rows);
      case 'taken':
        takenAt.set(event.id, clock.elapsed());
        return;
      case 'settled': {
        const since = takenAt.get(event.id);
        takenAt.delete(event.id);
        if (typeof event.result !== 'string')
          return writes.inc({ kind: event.verdict.kind === 'failed' ? 'fail' : 'complete' });
        const outcome = OUTCOMES[verdictName(event.verdict)];
        if (event.result === 'fenced' || outcome === null) return;
        processed.inc({ outcome });
        if (since !== undefined) duration.observe({ outcome }, seconds(clock.elapsed() - since));
        return;
      }
      case 'answered': {
        const outcome =
          event.outcome.kind === 'accepted' ? 'ok' : isPermanent(event.outcome) ? 'permanent' : 'transient';
        transfers.observe({ outcome }, seconds(event.tookMs));
        if (outcome !== 'ok') errors.inc({ category: category(event.outcome) });
        return;
      }
      case 'fault':
        if (event.where === 'settle') writes.inc({ kind: 'complete' });
        return;
    }
  };
}

/** The old submitter did not park rows. */
const OUTCOMES = {
  completed: 'completed',
  failed: 'failed_permanent',
  retry: 'transient_retry',
  released: 'transient_retry',
  undecided: 'transient_retry',
  parked: null,
} as const;

const isPermanent = (outcome: Outcome): boolean =>
  outcome.kind === 'refused' && outcome.refusal.kind === 'for-good';

/** The old categories, as far as the ledger's error id determines them. */
function category(outcome: Outcome): string {
  if (outcome.kind === 'unknown') return 'timeout';
  if (outcome.kind === 'duplicate') return 'conflict';
  if (outcome.kind !== 'refused') return 'transient';
  const { kind, errorId } = outcome.refusal;
  if (/UNAUTHENTICATED/.test(errorId)) return 'unauthorized';
  if (/PERMISSION_DENIED/.test(errorId)) return 'forbidden';
  return kind === 'for-good' ? 'data' : 'transient';
}
