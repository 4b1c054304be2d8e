import {
  defer,
  exhaustMap,
  filter,
  ignoreElements,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  repeat,
  Subject,
  share,
  switchMap,
  take,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import type { WakeReason } from '../observe/events.js';
import type { Clock } from '../ports/clock.js';
import type { Notifications } from '../ports/notifications.js';
import type { Wakeups } from './given/context.js';

/** RxJS carries the signals; the loops do the pulling. */
interface WakeSettings {
  readonly pollMs: number;
  readonly notifications: Pick<Notifications, 'proven' | 'awake'>;
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
 * Every listener hears every bell, and one of them is enough. The instance whose last claim found a row answers at once
 * and says that it is awake, at most this often while bells ring. The others hear that, wait this much longer than it
 * can take, and answer only where it has not spoken again: then it is dead, cut off or without a free slot (which it
 * also says, by a handoff). Of two that are awake, the one whose name comes first stays so.
 */
const AWAKE_EVERY_MS = 1_000;
const AWAKE_FOR_MS = 2_000;
/** Nobody is known to be awake: a random time, up to twice as long after each claim that found nothing. */
const FIRST_DELAY_MS = 2;
const LONGEST_DELAY_MS = 256;
/** After this many missing signs of life, an instance takes itself to be alone and waits for nobody. */
const SIGNS_MISSED = 3;
/** After a wake-up drained the queue: for rows whose transaction had skipped the bell and committed after it was heard. */
export const TRAILING_MS = [50, 250] as const;

export function createWakeups({ pollMs, notifications, random, clock, canaryMs }: WakeSettings): Wakeups {
  const interval = (): number => (notifications.proven() ? pollMs : Math.min(pollMs, UNPROVEN_POLL_MS));
  const looks = new Subject<WakeReason>();
  const signals = new Subject<WakeReason>();
  const dues = new Subject<number>();
  const trails = new Subject<readonly number[]>();
  const stopped = new Subject<void>();
  const othersAwake = new Subject<void>();
  const announcements = new Subject<number>();
  let answerWithinMs = 0;
  let awakeUntil = Number.NEGATIVE_INFINITY;
  let othersAwakeUntil = Number.NEGATIVE_INFINITY;
  let announcedAt = Number.NEGATIVE_INFINITY;
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
  const isHeard = (reason: WakeReason): boolean => reason === 'bell' || reason === 'handoff';
  const other$ = signals.pipe(filter((reason) => !isHeard(reason)));
  const handoff$ = signals.pipe(
    filter((reason) => reason === 'handoff'),
    // From whoever has no slot left, this instance included: nobody is awake any more.
    tap(() => {
      answerWithinMs = FIRST_DELAY_MS;
      awakeUntil = Number.NEGATIVE_INFINITY;
      othersAwakeUntil = Number.NEGATIVE_INFINITY;
    }),
    share(),
  );
  const delay = (): number => {
    if (answerWithinMs === 0) return 0;
    const restMs = othersAwakeUntil - clock.elapsed();
    return restMs > 0 ? restMs + random() * LONGEST_DELAY_MS : random() * answerWithinMs;
  };
  const after = (ms: number, reason: WakeReason): Observable<WakeReason> =>
    ms === 0 ? of(reason) : timer(ms).pipe(map(() => reason));
  // A bell that rings while another is waiting is answered by the same claim.
  const answered$ = signals.pipe(
    filter((reason) => reason === 'bell'),
    exhaustMap((reason) => after(delay(), reason).pipe(takeUntil(merge(othersAwake, handoff$)))),
  );
  const handedOver$ = handoff$.pipe(exhaustMap((reason) => after(random() * answerWithinMs, reason)));
  // One that is due later is not put off by the next: bells may ring for ever.
  const announce$ = announcements.pipe(
    exhaustMap((ms) => timer(ms).pipe(takeUntil(handoff$))),
    tap(() => {
      announcedAt = clock.elapsed();
      notifications.awake();
    }),
    ignoreElements(),
  );

  return {
    wakeups$: merge(handedOver$, answered$, other$, poll$, retry$, trailing$, announce$).pipe(
      takeUntil(stopped),
      share(),
    ),
    looks$: looks.pipe(takeUntil(stopped)),
    signal: (reason) => signals.next(reason),
    lookAgain: () => looks.next('lane'),
    due: (inMs) => dues.next(inMs),
    trail: (ms) => trails.next(ms),
    answered(won) {
      const now = clock.elapsed();
      const alone = now > sharedUntil;
      // A row whose lane is busy also rings and is not found: whoever is awake stays so, since the others rely on it.
      const quick = won || alone || now < awakeUntil;
      answerWithinMs = quick ? 0 : Math.min(LONGEST_DELAY_MS, Math.max(FIRST_DELAY_MS, answerWithinMs * 2));
      if (!won || alone) return;
      awakeUntil = now + AWAKE_FOR_MS;
      announcements.next(Math.max(announcedAt + AWAKE_EVERY_MS - now, 0));
    },
    othersAwake(before) {
      const now = clock.elapsed();
      sharedUntil = now + SIGNS_MISSED * canaryMs;
      if (!before && now < awakeUntil) return;
      awakeUntil = Number.NEGATIVE_INFINITY;
      answerWithinMs = LONGEST_DELAY_MS;
      othersAwakeUntil = now + AWAKE_FOR_MS;
      othersAwake.next();
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
      announcements.complete();
    },
  };
}

/** Notifications are hints (I8): whatever they say, the answer is a claim. A new connection may have missed some. */
export function listen(notifications: Notifications, wakeups: Wakeups): Promise<void> {
  return notifications.start((source) => {
    if (source === 'other') wakeups.notAlone();
    else if (source === 'awake-before' || source === 'awake-after')
      wakeups.othersAwake(source === 'awake-before');
    else wakeups.signal(source === 'connected' ? 'listen' : source);
  });
}
