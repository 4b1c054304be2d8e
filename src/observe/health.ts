// Readiness, computed from the events alone. Liveness needs no events: a process that answers is alive.
import type { Observable } from 'rxjs';
import { HARMLESS } from '../core/blockers.js';
import type { PausedPart } from '../ports/store.js';
import type { NotReady, SubmitterEvent } from './events.js';

export interface Health {
  readonly ready: boolean;
  readonly blockers: readonly NotReady[];
}

export const STARTING: Health = { ready: false, blockers: [{ part: 'participant', reason: 'starting' }] };

/** Which parts an event is about; what other parts block stays blocked. */
export function onEvent(health: Health, event: SubmitterEvent): Health {
  switch (event.kind) {
    case 'ready':
      return of(health.blockers.filter(({ part }) => OTHERS.has(part)));
    case 'not-ready':
      return of([...health.blockers.filter(({ part }) => OTHERS.has(part)), ...event.blockers]);
    case 'breaker':
      // Where it is open for one sender or token, everybody else is served.
      if (event.key !== null) return health;
      return event.state === 'closed'
        ? without(health, 'breaker')
        : replace(health, { part: 'breaker', reason: event.reason });
    case 'database':
      return event.state === 'back'
        ? without(health, 'database')
        : replace(health, { part: 'database', reason: event.detail });
    case 'canary':
      return event.tookMs === null
        ? replace(health, {
            part: 'listener',
            reason: 'this instance did not hear its own notification; the poll finds the rows',
          })
        : without(health, 'listener');
    case 'clocks':
      return event.state === 'too-far'
        ? replace(health, {
            part: 'clocks',
            reason: `the ledger's clock is ${Math.abs(Math.round(event.aheadMs))} ms ${event.aheadMs < 0 ? 'behind' : 'ahead of'} the database's: set both by NTP`,
          })
        : without(health, 'clocks');
    case 'mark':
      return event.state === 'unprovable'
        ? replace(health, {
            part: 'mark',
            reason: UNPROVABLE,
          })
        : without(health, 'mark');
    case 'snapshot':
      return isOld(event)
        ? replace(health, {
            part: 'snapshot',
            reason: `${event.holder} has kept a snapshot ${event.ageMs === null ? `for ${event.transactions} transactions` : `for ${Math.round(event.ageMs / 60_000)} min`}: until it ends, vacuum cannot clean and claims become slower`,
          })
        : without(health, 'snapshot');
    case 'receiver':
      return event.state === 'down'
        ? replace(health, {
            part: 'webhooks',
            reason: `the webhook receiver rejects every delivery, so outcomes are queued: ${event.detail}`,
          })
        : without(health, 'webhooks');
    case 'paused':
      return event.parts.length === 0
        ? without(health, 'paused')
        : replace(health, { part: 'paused', reason: pausedWords(event.parts) });
    case 'stopping':
      return replace(health, { part: 'stopping', reason: 'this instance is stopping' });
    default:
      return health;
  }
}

export function createHealth(events$: Observable<SubmitterEvent>): () => Health {
  let health = STARTING;
  events$.subscribe((event) => {
    health = onEvent(health, event);
  });
  return () => health;
}

/** The parts that the participant's own check does not cover. */
const OTHERS: ReadonlySet<NotReady['part']> = new Set([
  'database',
  'breaker',
  'listener',
  'clocks',
  'mark',
  'snapshot',
  'webhooks',
  'paused',
  'stopping',
]);
/** It slows down a busy table; a report or a dump of a few minutes does no harm. */
const OLD_MS = 300_000;
const OLD_TRANSACTIONS = 1_000_000;

export const UNPROVABLE =
  'no mark can be shown any more (pruned, or the rights for their parties are gone), and this token may not read the participant id, so undecided rows wait: grant the rights again, or let the token read the id; otherwise follow docs/runbooks.md, `migrate --remark`';

export const isOld = ({ ageMs, transactions }: Extract<SubmitterEvent, { kind: 'snapshot' }>): boolean =>
  ageMs === null ? transactions >= OLD_TRANSACTIONS : ageMs >= OLD_MS;

/** What is paused, and why. */
const pausedWords = (parts: readonly PausedPart[]): string =>
  `${parts.map(({ scope, address, reason }) => `${scope === 'all' ? 'everything' : `${scope} 0x${address}`} (${reason}; \`canton-submitter resume ${scope === 'all' ? '--all' : `--${scope} 0x${address}`}\` ends it)`).join('; ')}`;

const of = (blockers: readonly NotReady[]): Health => ({
  ready: blockers.every(({ part }) => HARMLESS.has(part)),
  blockers,
});
const without = (health: Health, part: NotReady['part']): Health =>
  of(health.blockers.filter((one) => one.part !== part));
const replace = (health: Health, blocker: NotReady): Health =>
  of([...health.blockers.filter((one) => one.part !== blocker.part), blocker]);
