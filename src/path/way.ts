import { Subscription } from 'rxjs';
import type { WakeReason } from '../observe/events.js';
import type { Notifications } from '../ports/notifications.js';
import { createAgain } from '../runtime/again.js';
import { createLoop, type Loop } from '../runtime/loop.js';
import { every, sleep } from '../runtime/timers.js';
import { createFactoryCache } from '../transfer/factory.js';
import { createBalances } from './balances.js';
import { createClaimer, createRecovery, rescue } from './claim.js';
import { createBreaker } from './gate/breaker.js';
import { createClocks } from './gate/clocks.js';
import { createPauses } from './gate/pauses.js';
import type { Path, PathContext } from './given/context.js';
import { createLeases } from './lease.js';
import { createCuts } from './look/cuts.js';
import { createParticipant } from './participant/participant.js';
import { createConclude, createSettler } from './settle.js';
import { createWakeups, listen } from './wake.js';

/** The parts and steps of the path, wired in their order. */
export interface Way {
  start(): Promise<void>;
  /**
   * Claims nothing more, lets what is in flight finish within the grace, settles, and gives the rest back: what was
   * never sent as it was, what is unanswered with its record, due at once for another instance's look.
   */
  stop(graceMs: number): Promise<'clean' | 'forced'>;
}

/** After the grace: time to write down what was cut off. Where even this is too short, the leases cover it. */
const LAST_WRITES_MS = 5_000;
/** A database that does not answer is asked again this soon, whatever the poll. */
const AGAIN = { minMs: 1_000, maxMs: 5_000 };

export function createWay(context: PathContext, notifications: Notifications): Way {
  const { settings, clock, random, emit } = context;
  const { pollMs, canaryMs, probeMs } = settings;
  const stopping = new AbortController();

  const wakeups = createWakeups({ pollMs, notifications, random, clock, canaryMs });
  const breaker = createBreaker(context, () => wakeups.signal('slot'));
  const clocks = createClocks(context, () => wakeups.signal('slot'));
  const participant = createParticipant(context, clocks, () => wakeups.signal('start'));
  const leases = createLeases(context);
  const settler = createSettler(context);
  const path: Path = {
    ...context,
    wakeups,
    leases,
    participant,
    breaker,
    pauses: createPauses(context),
    clocks,
    balances: createBalances({ ledger: context.ledger, participant }),
    cuts: createCuts(context),
    factories: createFactoryCache(context.ledger),
    conclude: createConclude(settler, wakeups, stopping.signal),
    stopping: stopping.signal,
  };
  const claimer = createClaimer(path);
  const recovery = createRecovery(path);
  const inFlight = (): number => claimer.slots.busy() + recovery.slots.busy();

  const fault = (where: string) => (error: unknown) => emit({ kind: 'fault', where, error });
  /** A round that fails is tried again soon, without waiting for the poll. */
  const retried = (round: (by: WakeReason) => Promise<void>, where: string): Loop<WakeReason> => {
    const again = createAgain(AGAIN, random);
    return createLoop<WakeReason>(
      async (by) => {
        await round(by);
        again.worked();
      },
      (error, signal) => {
        fault(where)(error);
        again.failed(() => signal('poll'));
      },
    );
  };
  const claims = retried(claimer.round, 'claim');
  const looks = retried(recovery.round, 'look');
  /** The poll rescues first, so that the claims after it find what a dead process held. */
  const rescues = createLoop<WakeReason>(async () => {
    try {
      await rescue(path);
    } finally {
      looks.signal('poll');
      claims.signal('poll');
    }
  }, fault('rescue'));

  const wake = (reason: WakeReason): void => {
    emit({ kind: 'woken', by: reason });
    if (reason === 'poll' || reason === 'start') rescues.signal(reason);
    else claims.signal(reason);
    if (reason === 'retry' || reason === 'listen') looks.signal(reason);
  };
  /** While next to nothing is claimed, nothing else wakes us in time for a probe. */
  const probe = (): void => {
    if (breaker.isOpen() || clocks.tooFar()) wakeups.signal('retry');
  };

  const subscriptions = new Subscription();
  let probing: { stop(): Promise<void> } | null = null;

  return {
    async start() {
      const error = fault('wake-ups');
      subscriptions.add(wakeups.wakeups$.subscribe({ next: wake, error }));
      subscriptions.add(wakeups.looks$.subscribe({ next: (by) => looks.signal(by), error }));
      participant.start();
      probing = every(probeMs / 2, 0.2, probe, fault('probe'));
      await listen(notifications, wakeups);
    },
    async stop(graceMs) {
      emit({ kind: 'stopping', inFlight: inFlight() });
      stopping.abort('stopping');
      // Whoever let this instance answer the bells need not wait for the timeout.
      wakeups.signal('handoff');
      context.store.ring('handoff').catch(() => {});
      await Promise.all([claims.stop(), looks.stop(), rescues.stop(), notifications.stop(), probing?.stop()]);
      wakeups.stop();
      subscriptions.unsubscribe();
      const idle = Promise.all([claimer.slots.idle(), recovery.slots.idle()]);
      // Ends the pauses early: a timer that goes on would keep the process of whoever embeds this alive.
      const over = new AbortController();
      void idle.then(() => over.abort());
      await sleep(graceMs, over.signal);
      leases.abortAll('the grace is over');
      await sleep(LAST_WRITES_MS, over.signal);
      settler.giveUp();
      await Promise.all([leases.stop(), participant.stop()]);
      return inFlight() === 0 ? 'clean' : 'forced';
    },
  };
}
