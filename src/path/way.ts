import type { Subscription } from 'rxjs';
import type { WakeReason } from '../observe/events.js';
import type { Notifications } from '../ports/notifications.js';
import { createAgain } from '../runtime/again.js';
import { createLoop, type Loop } from '../runtime/loop.js';
import { createSlots } from '../runtime/slots.js';
import { every, pause } from '../runtime/timers.js';
import { createFactoryCache } from '../transfer/factory.js';
import { createBreaker } from './breaker.js';
import { type Claimer, createClaimer } from './claim.js';
import { createClockWatch } from './clock-watch.js';
import type { PathContext } from './context.js';
import { createKnownTimes } from './known-times.js';
import { listen, pollInterval } from './listen.js';
import { createParticipant } from './participant.js';
import { createRecovery, type Recovery } from './recover.js';
import { createRenewer } from './renew.js';
import { rescue } from './rescue.js';
import { createSettler } from './settle.js';
import { createWakeups } from './wake.js';

/** The steps of the path, wired in their order. */
export interface Way {
  start(): Promise<void>;
  /**
   * Claims nothing more, lets what is in flight finish within the grace, settles, and gives the rest back: what was
   * never sent as it was, what is unanswered with its record, due at once for another instance's look.
   */
  stop(graceMs: number): Promise<'clean' | 'forced'>;
}

/** After the grace: time to write down what was cut off. The leases cover what even this is too short for. */
const LAST_WRITES_MS = 5_000;
/** A database that does not answer is asked again this soon, whatever the poll. */
const AGAIN = { minMs: 1_000, maxMs: 5_000 };

export function createWay(path: PathContext, notifications: Notifications): Way {
  const { settings, emit } = path;
  const takeSignal = new AbortController();
  const fault = (where: string) => (error: unknown) => emit({ kind: 'fault', where, error });
  const { clock, random } = path;
  const wakeups = createWakeups({
    pollMs: () => pollInterval(settings.pollMs, notifications),
    random,
    clock,
    canaryMs: settings.canaryMs,
  });

  const times = createKnownTimes(clock);
  const clocks = createClockWatch(path, () => wakeups.signal('slot'));
  const participant = createParticipant(path, { clocks, times }, () => wakeups.signal('start'));
  const breaker = createBreaker(path, () => wakeups.signal('slot'));
  const renewer = createRenewer(path);
  const settler = createSettler(path);
  let claimer: Claimer | null = null;
  const slots = createSlots(settings.concurrency, () => claimer?.slotFreed());
  let recovery: Recovery | null = null;
  const lookSlots = createSlots(settings.concurrency, () => recovery?.slotFreed());
  const factories = createFactoryCache(path.ledger);
  const lookAgain = (): void => looks.signal('lane');
  const shared = {
    participant,
    times,
    clocks,
    breaker,
    factories,
    settler,
    wakeups,
    renewer,
    stopping: takeSignal.signal,
    lookAgain,
  };
  claimer = createClaimer(path, { ...shared, slots });
  recovery = createRecovery(path, { ...shared, lookSlots });

  const retried = (round: (by: WakeReason) => Promise<void>, where: string): Loop<WakeReason> => {
    const again = createAgain(() => loop.signal('poll'), AGAIN, random);
    const loop = createLoop<WakeReason>(
      async (by) => {
        await round(by);
        again.worked();
      },
      (error) => {
        fault(where)(error);
        again.failed();
      },
    );
    return loop;
  };
  const claims = retried(claimer.round, 'claim');
  const looks = retried(recovery.round, 'look');
  const rescues = createLoop<WakeReason>(async () => {
    try {
      await rescue(path);
    } finally {
      looks.signal('poll');
      claims.signal('poll');
    }
  }, fault('rescue'));

  /** The poll rescues first, so that the claims after it find what a dead process held. */
  const wake = (reason: WakeReason): void => {
    emit({ kind: 'woken', by: reason });
    if (reason === 'poll' || reason === 'start') rescues.signal(reason);
    else claims.signal(reason);
    if (reason === 'retry' || reason === 'listen') looks.signal(reason);
  };

  let subscription: Subscription | null = null;
  let probing: { stop(): Promise<void> } | null = null;

  return {
    async start() {
      subscription = wakeups.wakeups$.subscribe({ next: wake, error: fault('wake-ups') });
      participant.start();
      // While next to nothing is claimed, nothing else may wake us in time for a probe.
      const probe = (): void => {
        if (breaker.open() !== null || clocks.tooFar() !== null) wakeups.signal('retry');
      };
      probing = every(settings.probeMs / 2, 0.2, probe, fault('probe'));
      await listen(notifications, wakeups);
    },
    async stop(graceMs) {
      emit({ kind: 'stopping', inFlight: slots.busy() + lookSlots.busy() });
      takeSignal.abort('stopping');
      await Promise.all([claims.stop(), looks.stop(), rescues.stop(), notifications.stop(), probing?.stop()]);
      wakeups.stop();
      subscription?.unsubscribe();
      const idle = Promise.all([slots.idle(), lookSlots.idle()]);
      // Cut short where all is over: a timer that goes on would keep the process of whoever embeds this.
      const over = new AbortController();
      void idle.then(() => over.abort());
      await pause(graceMs, over.signal);
      renewer.abortAll('the grace is over');
      await pause(LAST_WRITES_MS, over.signal);
      settler.giveUp();
      await Promise.all([renewer.stop(), participant.stop()]);
      return slots.busy() + lookSlots.busy() === 0 ? 'clean' : 'forced';
    },
  };
}
