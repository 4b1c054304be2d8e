import {
  defer,
  filter,
  map,
  merge,
  mergeMap,
  repeat,
  Subject,
  share,
  switchMap,
  take,
  takeUntil,
  timer,
} from 'rxjs';
import type { WakeReason } from '../observe/events.js';
import type { Clock } from '../ports/clock.js';
import type { Notifications } from '../ports/notifications.js';
import type { Wakeups } from './given/parts.js';

/** RxJS carries the signals; the loops do the pulling. */
interface WakeSettings {
  readonly pollMs: number;
  readonly notifications: Pick<Notifications, 'proven'>;
  readonly random: () => number;
  readonly clock: Clock;
  /** How often every instance gives a sign of life. */
  readonly canaryMs: number;
}

const POLL_JITTER = 0.2;
const POLL_STEP_MS = 1_000;
/** The poll is the safety net; while the listener is not proven it is the engine, and has to be short. */
const UNPROVEN_POLL_MS = 1_000;
/**
 * Every listener hears every bell. An instance whose last answer found a row answers at once; one that came too late
 * waits a random time, up to twice as long after each miss, so that an idle fleet does not stampede for one row and the
 * number of claims per row stays bounded. A handoff (rung by an instance without a free slot) makes everybody quick again.
 */
const FIRST_DELAY_MS = 2;
const LONGEST_DELAY_MS = 256;
/** After this many missing signs of life, an instance takes itself to be alone and waits for nobody. */
const SIGNS_MISSED = 3;
/** After a wake-up drained the queue: for rows whose transaction had skipped the bell and committed after it was heard. */
export const TRAILING_MS = [25, 250] as const;

export function createWakeups({ pollMs, notifications, random, clock, canaryMs }: WakeSettings): Wakeups {
  const interval = (): number => (notifications.proven() ? pollMs : Math.min(pollMs, UNPROVEN_POLL_MS));
  const looks = new Subject<WakeReason>();
  const signals = new Subject<WakeReason>();
  const dues = new Subject<number>();
  const trails = new Subject<readonly number[]>();
  const stopped = new Subject<void>();
  let bound = 0;
  let pending = false;
  let sharedUntil = Number.NEGATIVE_INFINITY;

  // In steps, so that a long poll which began while the listener was proven does not outlast the proof.
  const poll$ = defer(() => {
    const jitter = 1 + POLL_JITTER * (2 * random() - 1);
    const stepMs = Math.min(interval(), POLL_STEP_MS);
    return timer(stepMs * jitter, stepMs * jitter).pipe(
      filter((steps) => (steps + 1) * stepMs >= interval()),
      take(1),
    );
  }).pipe(
    repeat(),
    map((): WakeReason => 'poll'),
  );
  const retry$ = dues.pipe(
    mergeMap((ms) => timer(ms)),
    map((): WakeReason => 'retry'),
  );
  // A later wake-up's trailing checks replace an earlier one's.
  const trailing$ = trails.pipe(
    switchMap((times) => merge(...times.map((ms) => timer(ms)))),
    map((): WakeReason => 'trailing'),
  );
  const heard$ = signals.pipe(filter((reason) => reason === 'bell' || reason === 'handoff'));
  const other$ = signals.pipe(filter((reason) => reason !== 'bell' && reason !== 'handoff'));
  const delayed$ = heard$.pipe(
    filter((reason) => {
      if (reason === 'handoff') bound = FIRST_DELAY_MS;
      // A bell that rings while another is waiting is answered by the same claim.
      if (pending) return false;
      pending = true;
      return true;
    }),
    mergeMap((reason) => (bound === 0 ? [reason] : timer(random() * bound).pipe(map(() => reason)))),
    map((reason) => {
      pending = false;
      return reason;
    }),
  );

  return {
    wakeups$: merge(delayed$, other$, poll$, retry$, trailing$).pipe(takeUntil(stopped), share()),
    looks$: looks.pipe(takeUntil(stopped)),
    signal: (reason) => signals.next(reason),
    lookAgain: () => looks.next('lane'),
    due: (inMs) => dues.next(inMs),
    trail: (ms) => trails.next(ms),
    answered(won) {
      const alone = clock.elapsed() > sharedUntil;
      bound = won || alone ? 0 : Math.min(LONGEST_DELAY_MS, Math.max(FIRST_DELAY_MS, bound * 2));
    },
    notAlone() {
      sharedUntil = clock.elapsed() + SIGNS_MISSED * canaryMs;
    },
    stop() {
      stopped.next();
      signals.complete();
      looks.complete();
      dues.complete();
      trails.complete();
    },
  };
}

/** Notifications are hints (I8): whatever they say, the answer is a claim. A new connection may have missed some. */
export function listen(notifications: Notifications, wakeups: Wakeups): Promise<void> {
  return notifications.start((source) => {
    if (source === 'other') wakeups.notAlone();
    else wakeups.signal(source === 'connected' ? 'listen' : source);
  });
}
