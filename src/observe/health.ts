// Readiness, from the events alone: for whoever has only the stream. Liveness needs none: a process that answers lives.
import type { Observable } from 'rxjs';
import type { NotReady, SubmitterEvent } from './events.js';

export interface Health {
  readonly ready: boolean;
  readonly blockers: readonly NotReady[];
}

const STARTING: Health = { ready: false, blockers: [{ part: 'participant', reason: 'starting' }] };

/** Which parts an event says something about; what the others block stays. */
export function onEvent(health: Health, event: SubmitterEvent): Health {
  switch (event.kind) {
    case 'ready':
      return of(health.blockers.filter(({ part }) => part === 'breaker' || part === 'listener'));
    case 'not-ready':
      return of([
        ...health.blockers.filter(({ part }) => part === 'breaker' || part === 'listener'),
        ...event.blockers,
      ]);
    case 'breaker':
      // Open for one sender or token, it is open for nobody else.
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
            reason: 'a notification of our own was not heard; the poll finds rows',
          })
        : without(health, 'listener');
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

/** Without notifications rows are claimed all the same, by the poll: said, but no reason to call it not ready. */
const of = (blockers: readonly NotReady[]): Health => ({
  ready: blockers.every(({ part }) => part === 'listener'),
  blockers,
});
const without = (health: Health, part: NotReady['part']): Health =>
  of(health.blockers.filter((one) => one.part !== part));
const replace = (health: Health, blocker: NotReady): Health =>
  of([...health.blockers.filter((one) => one.part !== blocker.part), blocker]);
