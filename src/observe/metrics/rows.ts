// Metrics of the way of a row: wake-ups, claims, calls, outcomes, looks, settlements.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Outcome } from '../../protocol/outcome.js';
import type { SettleResult } from '../../protocol/settlement.js';
import { verdictName } from '../../protocol/verdict.js';
import type { SubmitterEvent } from '../events.js';
import { boundedErrorIds, CALL_SECONDS, STATEMENT_SECONDS, seconds, WAIT_SECONDS } from './buckets.js';

const NAME = 'canton_submitter_';

export function rowMetrics(registers: Registry[]): (event: SubmitterEvent) => void {
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name: NAME + name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram({ name: NAME + name, help, buckets, labelNames, registers });

  const wakeups = counter('wakeups_total', 'Signals that made the claim loop claim', 'reason');
  const claims = histogram(
    'claim_duration_seconds',
    'Claim statements; kind: fresh rows, or undecided ones to look at',
    STATEMENT_SECONDS,
    'kind',
    'found',
  );
  const claimed = counter(
    'claimed_rows_total',
    'Rows claimed, by the signal that led to it',
    'kind',
    'reason',
  );
  const byPoll = counter(
    'rows_found_by_poll_total',
    'Fresh rows that only the poll found; many of them mean that the bell does not work',
  );
  const waited = histogram(
    'insert_to_claim_seconds',
    'From a row’s arrival to its first claim, on the database’s clock',
    WAIT_SECONDS,
  );
  const inFlight = new Gauge({
    name: `${NAME}in_flight`,
    help: 'Rows that this process holds',
    labelNames: ['kind'],
    registers,
  });
  const sent = counter('submissions_total', 'Submissions that left this process');
  const calls = histogram(
    'call_duration_seconds',
    'From a submission to its answer',
    CALL_SECONDS,
    'outcome',
  );
  const outcomes = counter('outcomes_total', 'What the ledger answered', 'outcome', 'error_id');
  const looks = histogram(
    'look_duration_seconds',
    'What looks found out about undecided rows',
    CALL_SECONDS,
    'found',
  );
  const settlements = histogram(
    'settle_duration_seconds',
    'From a verdict to the database’s answer',
    STATEMENT_SECONDS,
    'verdict',
    'result',
  );
  const parked = counter('parked_total', 'Rows parked for a person', 'code');
  const fenced = counter('fenced_total', 'Claims found to be lost, by the step that noticed', 'during');
  const rescued = counter('rescued_rows_total', 'Rows taken back because their lease had run out');

  const traffic = counter(
    'traffic_cost_bytes_total',
    'Traffic; paid: from completions that were read anyway (looks, clock samples), so a sample and not a total',
    'what',
  );
  const sameNonce = counter(
    'same_nonce_total',
    'Rows claimed while another of their sender waited with the same nonce: both are paid, unless SAME_NONCE=park',
  );

  const errorId = boundedErrorIds();
  const held = new Map<string, 'submission' | 'look'>();
  for (const kind of ['submission', 'look']) inFlight.set({ kind }, 0);
  for (const during of ['settle', 'renew', 'write-ahead']) fenced.inc({ during }, 0);
  for (const outcome of ['accepted', 'refused', 'not-sent', 'duplicate', 'unknown'])
    outcomes.inc({ outcome, error_id: '' }, 0);

  return (event) => {
    switch (event.kind) {
      case 'woken':
        return wakeups.inc({ reason: event.by });
      case 'claimed': {
        const kind = event.look ? 'undecided' : 'fresh';
        claims.observe({ kind, found: event.rows > 0 ? 'rows' : 'none' }, seconds(event.tookMs));
        claimed.inc({ kind, reason: event.by }, event.rows);
        if (!event.look && event.by === 'poll') byPoll.inc(event.rows);
        return;
      }
      case 'taken': {
        const kind = event.look ? 'look' : 'submission';
        held.set(event.id, kind);
        inFlight.inc({ kind });
        if (event.nonceShared && event.attempts === 1) sameNonce.inc();
        // What a later attempt waited for is its backoff.
        if (!event.look && event.attempts === 1) waited.observe(seconds(Math.max(0, event.waitedMs)));
        return;
      }
      case 'prepared':
        if (event.estimatedTraffic !== null)
          traffic.inc({ what: 'estimated' }, Number(event.estimatedTraffic));
        return;
      case 'traffic':
        return traffic.inc({ what: event.accepted ? 'paid' : 'paid_refused' }, Number(event.paid));
      case 'sent':
        return sent.inc();
      case 'answered':
        calls.observe({ outcome: event.outcome.kind }, seconds(event.tookMs));
        return outcomes.inc({ outcome: event.outcome.kind, error_id: errorIdOf(event.outcome, errorId) });
      case 'looked':
        return looks.observe({ found: event.found }, seconds(event.tookMs));
      case 'settled': {
        const kind = held.get(event.id);
        if (kind !== undefined) inFlight.dec({ kind });
        held.delete(event.id);
        return settlements.observe(
          { verdict: verdictName(event.verdict), result: resultName(event.result) },
          seconds(event.tookMs),
        );
      }
      case 'parked':
        return parked.inc({ code: errorId(event.reason.split(':', 1)[0] ?? '') });
      case 'fenced':
        return fenced.inc({ during: event.during });
      case 'rescued':
        return rescued.inc(event.rows);
    }
  };
}

const errorIdOf = (outcome: Outcome, bounded: (errorId: string) => string): string =>
  outcome.kind === 'refused' ? bounded(outcome.refusal.errorId) : '';

const resultName = (result: SettleResult): string => (typeof result === 'string' ? result : 'refused');
