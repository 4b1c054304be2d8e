import {
  defer,
  filter,
  map,
  merge,
  mergeMap,
  type Observable,
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

/** The signals that make the claim loop look. RxJS carries the signals; the loop does the pulling. */
export interface Wakeups {
  readonly wakeups$: Observable<WakeReason>;
  signal(reason: WakeReason): void;
  /** A row of ours is due again in this many ms. */
  due(inMs: number): void;
  /** Look again this much later: after a wake-up that drained to empty. */
  trail(ms: readonly number[]): void;
  /** A claim that the bell had asked for came back: with rows, or empty because another instance was faster. */
  answered(won: boolean): void;
  /** Another instance is there: bells may have to be shared. */
  notAlone(): void;
  stop(): void;
}

export interface WakeSettings {
  /** The poll: the safety net, not the engine. Shorter while the listener is not proven. */
  pollMs(): number;
  readonly random: () => number;
  readonly clock: Clock;
  /** How often every instance gives a sign of life. */
  readonly canaryMs: number;
}

const POLL_JITTER = 0.2;
const POLL_STEP_MS = 1_000;
/**
 * Every listener hears every bell. Whoever found a row last answers at once; one that came too late waits a random
 * time, up to twice as long after each miss, so that an idle fleet does not stampede for one row and claims per row
 * stay bounded. A handoff (an instance without a free slot rings it) makes everybody quick again.
 */
const FIRST_DELAY_MS = 2;
const LONGEST_DELAY_MS = 256;
/** After so many signs of life that did not come, an instance takes itself to be alone and waits for nobody. */
const SIGNS_MISSED = 3;
/** After a wake-up drained to empty: rows whose transaction had skipped the bell and committed after it was heard. */
export const TRAILING_MS = [25, 250] as const;

export function createWakeups({ pollMs, random, clock, canaryMs }: WakeSettings): Wakeups {
  const signals = new Subject<WakeReason>();
  const dues = new Subject<number>();
  const trails = new Subject<readonly number[]>();
  const stopped = new Subject<void>();
  let bound = 0;
  let pending = false;
  let sharedUntil = Number.NEGATIVE_INFINITY;

  // In steps: a long poll that was set while the listener was proven may not outlast the listener.
  const poll$ = defer(() => {
    const jitter = 1 + POLL_JITTER * (2 * random() - 1);
    const stepMs = Math.min(pollMs(), POLL_STEP_MS);
    return timer(stepMs * jitter, stepMs * jitter).pipe(
      filter((steps) => (steps + 1) * stepMs >= pollMs()),
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
  // A later wake-up's trailing looks take the place of an earlier one's.
  const trailing$ = trails.pipe(
    switchMap((times) => merge(...times.map((ms) => timer(ms)))),
    map((): WakeReason => 'trailing'),
  );
  const heard$ = signals.pipe(filter((reason) => reason === 'bell' || reason === 'handoff'));
  const other$ = signals.pipe(filter((reason) => reason !== 'bell' && reason !== 'handoff'));
  const delayed$ = heard$.pipe(
    filter((reason) => {
      if (reason === 'handoff') bound = FIRST_DELAY_MS;
      // A bell that rings while one is waiting is answered by the same look.
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
    signal: (reason) => signals.next(reason),
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
      dues.complete();
      trails.complete();
    },
  };
}
